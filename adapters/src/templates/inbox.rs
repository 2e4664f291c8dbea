//! The pages of the inbox of captured mails: for those who try the service out, and in English alone.

use domain::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::page::Page;
use super::{TemplateError, sample_time};
use crate::mail_check::{Level, Link, MailCheck, Note, Place};

/// A page of captured mails.
#[derive(Clone, Serialize)]
pub struct InboxList<'a> {
    /// Newest first.
    pub messages: &'a [InboxRow],
    /// What is searched for; empty if nothing is.
    pub query: &'a str,
    /// How many mails the search finds.
    pub found: usize,
    /// How many mails are kept.
    pub kept: usize,
    /// The query string of this page with its question mark, empty for all mails from the newest on.
    pub here: &'a str,
    /// The query string of the page with older mails.
    pub older: Option<&'a str>,
    /// Another one once anything has changed.
    pub fingerprint: &'a str,
}

/// One captured mail in the list.
#[derive(Clone, Serialize)]
pub struct InboxRow {
    /// Its id; links to `/inbox/messages/{id}`.
    pub id: Uuid,
    /// The recipient.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// When it was captured.
    #[serde(serialize_with = "in_english")]
    pub at: Timestamp,
    /// The first words of its text.
    pub preview: String,
}

/// One captured mail.
#[derive(Clone, Serialize)]
pub struct InboxMail<'a> {
    /// Its id; the page frames `/inbox/messages/{id}/html`.
    pub id: Uuid,
    /// The visible sender.
    pub from: &'a str,
    /// The recipient.
    pub to: &'a str,
    /// The subject line.
    pub subject: &'a str,
    /// When it was captured.
    #[serde(serialize_with = "in_english")]
    pub at: Timestamp,
    /// How many things the checks found.
    pub concerns: usize,
    /// What is shown of it.
    #[serde(flatten)]
    pub view: InboxView<'a>,
}

/// What is shown of a mail.
#[derive(Clone, Serialize)]
#[serde(tag = "view", rename_all = "snake_case")]
pub enum InboxView<'a> {
    /// The HTML part, in a frame without rights.
    Html {
        /// As wide as on a phone.
        phone: bool,
    },
    /// The text part.
    Text {
        /// As it was written.
        text: &'a str,
    },
    /// What would have gone over the wire.
    Source {
        /// From its beginning.
        source: &'a str,
        /// How many bytes more there are.
        left_off: usize,
    },
    /// Headers and parts.
    Headers {
        /// In their order.
        headers: &'a [InboxHeader],
        /// In their order.
        parts: &'a [InboxPart],
    },
    /// Its links, and how it will look elsewhere.
    Checks {
        /// What was found.
        check: &'a MailCheck,
    },
}

/// A header field.
#[derive(Clone, Serialize)]
pub struct InboxHeader {
    /// Its name.
    pub name: String,
    /// Unfolded, and with encoded words decoded.
    pub value: String,
}

/// A part of a mail that has content of its own.
#[derive(Clone, Serialize)]
pub struct InboxPart {
    /// Such as `text/plain`.
    pub media_type: String,
    /// How it is encoded.
    pub encoding: String,
    /// Its file name, if it is an attachment.
    pub file_name: Option<String>,
    /// How many bytes it has, decoded.
    pub bytes: usize,
}

fn in_english<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.format("%-d %B %Y, %H:%M UTC"))
}

/// Gives every page of the inbox to `render`, with and without everything optional.
pub(super) fn try_samples(
    mut render: impl FnMut(&Page<'_>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    let row = InboxRow {
        id: Uuid::nil(),
        to: "grace@example.com".to_owned(),
        subject: "You are invited".to_owned(),
        at: sample_time(),
        preview: "Hello Grace".to_owned(),
    };
    let empty = InboxList {
        messages: &[],
        query: "",
        found: 0,
        kept: 0,
        here: "",
        older: None,
        fingerprint: "0-none",
    };
    render(&Page::Inbox(empty.clone()))?;
    render(&Page::Inbox(InboxList { query: "ann", kept: 1, here: "?q=ann", ..empty.clone() }))?;
    let older = Some("?before=0");
    render(&Page::Inbox(InboxList { messages: &[row], found: 9, kept: 9, older, ..empty }))?;
    let header = |name: &str| InboxHeader { name: name.to_owned(), value: String::new() };
    let (headers, parts) = ([header("Subject")], [sample_part(None), sample_part(Some("a.pdf"))]);
    let (check, nothing) = (sample_check(), MailCheck { links: Vec::new(), notes: Vec::new() });
    let views = [
        InboxView::Html { phone: false },
        InboxView::Html { phone: true },
        InboxView::Text { text: "Hello" },
        InboxView::Text { text: "" },
        InboxView::Source { source: "Subject: x", left_off: 0 },
        InboxView::Source { source: "Subject: x", left_off: 7 },
        InboxView::Headers { headers: &headers, parts: &parts },
        InboxView::Checks { check: &check },
        InboxView::Checks { check: &nothing },
    ];
    views.into_iter().try_for_each(|view| {
        render(&Page::InboxMessage(InboxMail {
            id: Uuid::nil(),
            from: "invitations@example.com",
            to: "grace@example.com",
            subject: "You are invited",
            at: sample_time(),
            concerns: 1,
            view,
        }))
    })
}

fn sample_part(file_name: Option<&str>) -> InboxPart {
    InboxPart {
        media_type: "text/plain".to_owned(),
        encoding: "base64".to_owned(),
        file_name: file_name.map(str::to_owned),
        bytes: 1,
    }
}

fn sample_check() -> MailCheck {
    let link = |place, ours| Link {
        target: "https://example.com/".to_owned(),
        text: "Join".to_owned(),
        place,
        ours,
        problems: if ours { Vec::new() } else { vec!["It leads nowhere.".to_owned()] },
    };
    let note = |level, more| Note {
        level,
        what: "No preview text",
        readers: "Every reader",
        why: "x",
        advice: "x",
        source: "https://example.com/",
        places: vec!["x".to_owned()],
        more,
    };
    MailCheck {
        links: vec![link(Place::Both, true), link(Place::Html, false), link(Place::Text, false)],
        notes: vec![note(Level::Broken, 0), note(Level::Different, 1), note(Level::Advice, 0)],
    }
}
