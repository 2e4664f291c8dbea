//! The pages that invitees see, and the inbox of captured mails.

use domain::Timestamp;
use serde::Serialize;

use super::brand::PageBrand;
use super::inbox::{self, InboxList, InboxMail};
use super::language::{Direction, Language};
use super::{Speaker, TemplateError, sample_time};

/// A page and what it shows.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Page<'a> {
    /// Choose a password and join, or decline.
    Accept(AcceptForm<'a>),
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
    /// What the invitation gives cannot be given any more.
    NotGiven {
        /// The organization.
        organization: &'a str,
    },
    /// No invitation has this link.
    NotFound,
    /// Too many such links came from the same place.
    TryLater,
    /// The captured mails.
    Inbox(InboxList<'a>),
    /// One captured mail.
    InboxMessage(InboxMail<'a>),
}

/// What the page shows on which an invitee joins.
#[derive(Clone, Serialize)]
pub struct AcceptForm<'a> {
    /// The organization that invites.
    pub organization: &'a str,
    /// Who invites, when that is known.
    pub inviter: Option<&'a str>,
    /// The invited address, mostly hidden: whoever holds the link need not learn it.
    pub email_masked: &'a str,
    /// Until when the invitation can be accepted.
    #[serde(skip)]
    pub expires_at: Timestamp,
    /// The invitation's own path; the form posts to it followed by `/accept`.
    pub token_path: &'a str,
    /// How many characters a password must have.
    pub password_min: usize,
    /// What was wrong with the last try.
    #[serde(skip)]
    pub error: Option<PasswordProblem>,
}

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// It must have so many characters at least.
    TooShort(usize),
    /// It may have so many at most.
    TooLong(usize),
}

#[derive(Serialize)]
struct Context<'a> {
    lang: &'a str,
    dir: Direction,
    base: &'a str,
    brand: Option<&'a PageBrand<'a>>,
    /// What people see of the link to ask at: strings have no other variables than these.
    support: Option<&'a str>,
    #[serde(flatten)]
    form: Option<FormContext>,
    #[serde(flatten)]
    page: &'a Page<'a>,
}

/// What the form shows in the words of its language.
#[derive(Serialize)]
struct FormContext {
    expires_at: String,
    error: Option<String>,
}

impl Page<'_> {
    const fn template(&self) -> &'static str {
        match self {
            Self::Accept(_) => "pages/accept.html",
            Self::Accepted { .. } => "pages/accepted.html",
            Self::Decline { .. } => "pages/decline.html",
            Self::Declined { .. } => "pages/declined.html",
            Self::Unexpected { .. } => "pages/unexpected.html",
            Self::Unwanted { .. } => "pages/unwanted.html",
            Self::AlreadyAccepted { .. } => "pages/already_accepted.html",
            Self::Expired { .. } => "pages/expired.html",
            Self::LinkRequested { .. } => "pages/link_requested.html",
            Self::Revoked { .. } => "pages/revoked.html",
            Self::NotGiven { .. } => "pages/not_given.html",
            Self::NotFound => "pages/not_found.html",
            Self::TryLater => "pages/try_later.html",
            Self::Inbox(_) => "pages/inbox.html",
            Self::InboxMessage(_) => "pages/inbox_message.html",
        }
    }
}

/// Renders a page as a whole document.
pub(super) fn render(
    speaker: &Speaker<'_>,
    base: &str,
    page: &Page<'_>,
    brand: Option<&PageBrand<'_>>,
) -> Result<String, TemplateError> {
    let Speaker { tag: lang, language, registry } = *speaker;
    let form = match page {
        Page::Accept(form) => Some(FormContext {
            expires_at: language.time(form.expires_at),
            error: form.error.map(|problem| problem.sentence(language)),
        }),
        _ => None,
    };
    let (dir, support) = (language.direction, brand.and_then(|brand| brand.support));
    let context = Context { lang, dir, base, brand, support, form, page };
    registry.render(page.template(), &context)
}

impl PasswordProblem {
    fn sentence(self, language: &Language) -> String {
        let (key, count) = match self {
            Self::TooShort(least) => ("accept.too_short", least),
            Self::TooLong(most) => ("accept.too_long", most),
        };
        let text = language.counted(key, u64::try_from(count).unwrap_or(u64::MAX));
        text.unwrap_or_else(|| key.to_owned())
    }
}

/// Renders every page, with and without everything optional, and in somebody's look.
pub(super) fn try_samples(speaker: &Speaker<'_>) -> Result<(), TemplateError> {
    let (organization, token_path) = ("Acme", "/i/sample");
    let email_masked = "g***@example.com";
    let form = AcceptForm {
        organization,
        inviter: None,
        email_masked,
        expires_at: sample_time(),
        token_path,
        password_min: 8,
        error: None,
    };
    let again = AcceptForm {
        inviter: Some("Ada Lovelace"),
        error: Some(PasswordProblem::TooShort(8)),
        ..form.clone()
    };
    let requested = |sent| Page::LinkRequested { organization, email_masked, sent };
    let pages = [
        Page::Accept(form),
        Page::Accept(again),
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
        Page::NotGiven { organization },
        Page::NotFound,
        Page::TryLater,
    ];
    let brand = PageBrand::sample(organization);
    for page in &pages {
        render(speaker, "/", page, None)?;
        render(speaker, "/", page, Some(&brand))?;
    }
    inbox::try_samples(|page| render(speaker, "/", page, None).map(drop))
}
