//! The mail that invites someone.

use domain::{DeliveryKind, Timestamp};
use serde::Serialize;

use super::language::Direction;
use super::own::{TemplateSource, sample_mail};
use super::{Speaker, TemplateError};

/// What surrounds the HTML part.
pub(super) const LAYOUT: &str = "mail/layout.html";
const SUBJECT: &str = "mail/invitation.subject.txt";
const TEXT: &str = "mail/invitation.text.txt";
const HTML: &str = "mail/invitation.html";

/// What the invitation mail says.
#[derive(Clone, Serialize)]
pub struct InvitationMail<'a> {
    /// Whether it invites, or reminds.
    pub kind: DeliveryKind,
    /// The organization that invites.
    pub organization: &'a str,
    /// Who invites, when that is known.
    pub inviter: Option<&'a str>,
    /// How to greet the invitee.
    pub first_name: Option<&'a str>,
    /// The role the invitee will have.
    pub role: &'a str,
    /// The link that opens the acceptance page; made by the server, never given by a user.
    pub accept_url: &'a str,
    /// The password for the first sign-in, grouped for reading; none if the invitee has one.
    pub temporary_password: Option<&'a str>,
    /// When the invitation ends.
    #[serde(skip)]
    pub expires_at: Timestamp,
    /// How long the temporary password works after the mail was sent.
    pub password_valid_hours: u64,
    /// Whom to ask: an address or a sentence's worth of text.
    pub support: Option<&'a str>,
}

/// A rendered mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailContent {
    /// One line.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part, a whole document.
    pub html: String,
}

#[derive(Serialize)]
pub(super) struct Context<'a> {
    lang: &'a str,
    dir: Direction,
    expires_at: String,
    #[serde(flatten)]
    mail: &'a InvitationMail<'a>,
}

/// Renders the three parts of the mail.
pub(super) fn render(
    speaker: &Speaker<'_>,
    mail: &InvitationMail<'_>,
) -> Result<MailContent, TemplateError> {
    let registry = speaker.registry;
    let context = registry.given(SUBJECT, &context(speaker, mail)?)?;
    Ok(MailContent {
        subject: one_line(&registry.render_with(SUBJECT, &context)?),
        text: registry.render_with(TEXT, &context)?,
        html: registry.render_with(HTML, &context)?,
    })
}

/// What the templates of the mail can show.
pub(super) fn context<'a>(
    speaker: &Speaker<'a>,
    mail: &'a InvitationMail<'a>,
) -> Result<Context<'a>, TemplateError> {
    // Escaping does not stop `javascript:` in an href.
    if !["https://", "http://"].iter().any(|scheme| mail.accept_url.starts_with(scheme)) {
        return Err(TemplateError::UnsafeUrl);
    }
    let Speaker { tag: lang, language, .. } = *speaker;
    Ok(Context { lang, dir: language.direction, expires_at: language.time(mail.expires_at), mail })
}

/// The text of the templates, as they are embedded or an operator has them.
pub(super) fn source(speaker: &Speaker<'_>) -> TemplateSource {
    let text = |name| speaker.registry.source(name).to_owned();
    TemplateSource { subject: text(SUBJECT), html: text(HTML), text: text(TEXT) }
}

/// Renders the mail with and without everything optional, and looks for what it is sent for.
pub(super) fn try_samples(speaker: &Speaker<'_>) -> Result<(), TemplateError> {
    let full = sample_mail("Acme");
    let bare = InvitationMail {
        inviter: None,
        first_name: None,
        temporary_password: None,
        support: None,
        ..full.clone()
    };
    let reminder = InvitationMail { kind: DeliveryKind::Reminder, ..full.clone() };
    for mail in [&full, &bare, &reminder] {
        let content = render(speaker, mail)?;
        let useless = |name, variable| {
            Err(TemplateError::Useless { file: speaker.registry.shown(name), variable })
        };
        for (name, part) in [(TEXT, &content.text), (HTML, &content.html)] {
            if !part.contains(mail.accept_url) {
                return useless(name, "accept_url");
            }
        }
        if content.subject.is_empty() {
            return useless(SUBJECT, "anything");
        }
    }
    Ok(())
}

/// A header is one line: whatever breaks or controls it becomes one space.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
