//! The pages that invitees see, and the inbox of captured mails.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::registry::Registry;
use super::{TemplateError, sample_time, serialize_readable};

/// A page and what it shows.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Page<'a> {
    /// Choose a password and join, or decline.
    Accept {
        /// The organization that invites.
        organization: &'a str,
        /// Who invites, when that is known.
        inviter: Option<&'a str>,
        /// The invited address, mostly hidden: whoever holds the link need not learn it.
        email_masked: &'a str,
        /// Until when it can be accepted.
        #[serde(serialize_with = "serialize_readable")]
        expires_at: Timestamp,
        /// The invitation's own path; the form posts to it followed by `/accept`.
        token_path: &'a str,
        /// What was wrong with the last try, as a sentence.
        error: Option<&'a str>,
    },
    /// The invitee has just joined.
    Accepted {
        /// The organization.
        organization: &'a str,
    },
    /// Asks whether to decline.
    Decline {
        /// The organization.
        organization: &'a str,
        /// The form posts to this path followed by `/decline`.
        token_path: &'a str,
    },
    /// The invitee has just declined, or had before.
    Declined {
        /// The organization.
        organization: &'a str,
        /// For a link to this path followed by `/unexpected`.
        token_path: &'a str,
    },
    /// Asks whether to decline, and keep the organization's mail from the address.
    Unexpected {
        /// The organization.
        organization: &'a str,
        /// The address, mostly hidden.
        email_masked: &'a str,
        /// The form posts to this path followed by `/unexpected`.
        token_path: &'a str,
    },
    /// The invitee did not expect the invitation; the organization's mail does not come again.
    Unwanted {
        /// The organization.
        organization: &'a str,
        /// The address, mostly hidden.
        email_masked: &'a str,
    },
    /// The invitation was accepted before.
    AlreadyAccepted {
        /// The organization.
        organization: &'a str,
    },
    /// The invitation's time is over.
    Expired {
        /// The organization.
        organization: &'a str,
        /// The address that a new link would go to, mostly hidden.
        email_masked: &'a str,
        /// The form posts to this path followed by `/new-link`.
        token_path: &'a str,
    },
    /// The invitee has asked for a new link.
    LinkRequested {
        /// The organization.
        organization: &'a str,
        /// The address that it goes to, mostly hidden.
        email_masked: &'a str,
        /// Whether it is on its way; otherwise the organization sees the wish.
        sent: bool,
    },
    /// The organization has withdrawn the invitation.
    Revoked {
        /// The organization.
        organization: &'a str,
    },
    /// No invitation has this link.
    NotFound,
    /// Too many such links came from the same place.
    TryLater,
    /// The captured mails, newest first.
    Inbox {
        /// One row a mail.
        messages: &'a [InboxRow],
    },
    /// One captured mail.
    InboxMessage {
        /// Its id; the page frames `/inbox/messages/{id}/html`.
        id: Uuid,
        /// The recipient.
        to: &'a str,
        /// The subject line.
        subject: &'a str,
        /// When it was captured.
        #[serde(serialize_with = "serialize_readable")]
        at: Timestamp,
        /// The plain text part.
        text: &'a str,
        /// All header fields.
        headers: &'a BTreeMap<String, String>,
    },
}

/// One captured mail in the inbox.
#[derive(Clone, Serialize)]
pub struct InboxRow {
    /// Its id; links to `/inbox/messages/{id}`.
    pub id: Uuid,
    /// The recipient.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// When it was captured.
    #[serde(serialize_with = "serialize_readable")]
    pub at: Timestamp,
    /// The first words of its text.
    pub preview: String,
}

#[derive(Serialize)]
struct Context<'a> {
    lang: &'a str,
    base: &'a str,
    #[serde(flatten)]
    page: &'a Page<'a>,
}

impl Page<'_> {
    const fn template(&self) -> &'static str {
        match self {
            Self::Accept { .. } => "pages/accept.html",
            Self::Accepted { .. } => "pages/accepted.html",
            Self::Decline { .. } => "pages/decline.html",
            Self::Declined { .. } => "pages/declined.html",
            Self::Unexpected { .. } => "pages/unexpected.html",
            Self::Unwanted { .. } => "pages/unwanted.html",
            Self::AlreadyAccepted { .. } => "pages/already_accepted.html",
            Self::Expired { .. } => "pages/expired.html",
            Self::LinkRequested { .. } => "pages/link_requested.html",
            Self::Revoked { .. } => "pages/revoked.html",
            Self::NotFound => "pages/not_found.html",
            Self::TryLater => "pages/try_later.html",
            Self::Inbox { .. } => "pages/inbox.html",
            Self::InboxMessage { .. } => "pages/inbox_message.html",
        }
    }
}

/// Renders a page as a whole document.
pub(super) fn render(
    registry: &Registry,
    lang: &str,
    base: &str,
    page: &Page<'_>,
) -> Result<String, TemplateError> {
    registry.render(page.template(), &Context { lang, base, page })
}

/// Renders every page, with and without everything optional.
pub(super) fn try_samples(registry: &Registry, lang: &str) -> Result<(), TemplateError> {
    let (organization, token_path) = ("Acme", "/i/sample");
    let email_masked = "g•••@example.com";
    let expires_at = sample_time();
    let accept = |inviter, error| Page::Accept {
        organization,
        inviter,
        email_masked,
        expires_at,
        token_path,
        error,
    };
    let requested = |sent| Page::LinkRequested { organization, email_masked, sent };
    let messages = [InboxRow {
        id: Uuid::nil(),
        to: "grace@example.com".to_owned(),
        subject: "You are invited".to_owned(),
        at: sample_time(),
        preview: "Hello Grace".to_owned(),
    }];
    let headers = BTreeMap::from([("Subject".to_owned(), "You are invited".to_owned())]);
    let message = Page::InboxMessage {
        id: Uuid::nil(),
        to: "grace@example.com",
        subject: "You are invited",
        at: sample_time(),
        text: "Hello Grace",
        headers: &headers,
    };
    let pages = [
        accept(None, None),
        accept(Some("Ada Lovelace"), Some("The password is too short.")),
        Page::Accepted { organization },
        Page::Decline { organization, token_path },
        Page::Declined { organization, token_path },
        Page::Unexpected { organization, email_masked, token_path },
        Page::Unwanted { organization, email_masked },
        Page::AlreadyAccepted { organization },
        Page::Expired { organization, email_masked, token_path },
        requested(true),
        requested(false),
        Page::Revoked { organization },
        Page::NotFound,
        Page::TryLater,
        Page::Inbox { messages: &[] },
        Page::Inbox { messages: &messages },
        message,
    ];
    pages.iter().try_for_each(|page| render(registry, lang, "/", page).map(drop))
}
