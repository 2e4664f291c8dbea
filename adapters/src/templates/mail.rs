//! The mail that invites someone.

use domain::Timestamp;
use serde::Serialize;

use super::language::Direction;
use super::{Speaker, TemplateError, sample_time};

const SUBJECT: &str = "mail/invitation.subject.txt";
const TEXT: &str = "mail/invitation.text.txt";
const HTML: &str = "mail/invitation.html";

/// What the invitation mail says.
#[derive(Clone, Serialize)]
pub struct InvitationMail<'a> {
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
struct Context<'a> {
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
    // Escaping does not stop `javascript:` in an href.
    if !["https://", "http://"].iter().any(|scheme| mail.accept_url.starts_with(scheme)) {
        return Err(TemplateError::UnsafeUrl);
    }
    let Speaker { tag: lang, language, registry } = *speaker;
    let expires_at = language.time(mail.expires_at);
    let context = Context { lang, dir: language.direction, expires_at, mail };
    let context = registry.given(SUBJECT, &context)?;
    Ok(MailContent {
        subject: one_line(&registry.render_with(SUBJECT, &context)?),
        text: registry.render_with(TEXT, &context)?,
        html: registry.render_with(HTML, &context)?,
    })
}

/// Renders the mail with and without everything optional, and looks for what it is sent for.
pub(super) fn try_samples(speaker: &Speaker<'_>) -> Result<(), TemplateError> {
    let full = InvitationMail {
        organization: "Acme",
        inviter: Some("Ada Lovelace"),
        first_name: Some("Grace"),
        role: "member",
        accept_url: "https://invite.example.com/i/sample",
        temporary_password: Some("SAMPLE-PASSWORD"),
        expires_at: sample_time(),
        password_valid_hours: 24,
        support: Some("support@example.com"),
    };
    let bare = InvitationMail {
        inviter: None,
        first_name: None,
        temporary_password: None,
        support: None,
        ..full.clone()
    };
    for mail in [&full, &bare] {
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
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
