//! One invitation mail as bytes that are safe to put on the wire.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::Datelike;
use domain::{EmailAddress, InvitationId, Name, Timestamp};
use encodify::qp;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message};
use memchr::memchr2_iter;

use super::MailerError;
use super::dkim::Signer;
use crate::settings::MailProvider;

/// Who sends: the visible and the envelope sender, and the signature under each mail.
#[derive(Clone)]
pub struct Sender {
    mailbox: Mailbox,
    signer: Option<Arc<Signer>>,
    provider: MailProvider,
}

/// What a mail is made from.
#[derive(Debug)]
pub struct MailParts {
    /// The invitee.
    pub to: EmailAddress,
    /// The invitee's name, shown beside the address.
    pub to_name: Option<Name>,
    /// One line.
    pub subject: String,
    /// The body for readers of plain text.
    pub text: String,
    /// The body for everybody else.
    pub html: String,
    /// The same for each repeat of one delivery, with or without angle brackets.
    pub message_id: String,
    /// When the mail was written.
    pub date: Timestamp,
    /// What the mail is about, if it invites somebody; travels beside the mail, not in it.
    pub invitation: Option<InvitationId>,
    /// Where its bounces go, if not to the sender.
    pub return_path: Option<String>,
}

/// A finished mail: CRLF line ends only, no line over 998 octets, ASCII throughout.
pub struct Mail {
    pub(super) parts: MailParts,
    /// Whom it shows as its sender.
    pub(super) from: String,
    pub(super) envelope_from: String,
    pub(super) raw: Vec<u8>,
}

/// Why no mail can be made. Holds no address and no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The mail library knows fewer addresses than we do.
    #[error("the address has a form that cannot stand in a mail header")]
    Address,
    /// A line break or another control character.
    #[error("the subject or a name has a line break or another control character")]
    Control,
    /// Not `<left@right>` in printable ASCII.
    #[error("the Message-ID must be printable ASCII of the form <left@right>")]
    MessageId,
    /// Before 1970 or after 9999.
    #[error("the date cannot stand in a mail header")]
    Date,
    /// A header is missing or a part is malformed.
    #[error("the mail library refuses to build the message")]
    Build,
    /// The finished bytes break a rule that mail servers rely on (RFC 5321 §2.3.8, §4.5.3.1.6).
    #[error(
        "the finished message has a bare line break, a line over 998 octets or a raw 8-bit octet"
    )]
    Bytes,
}

impl Sender {
    pub(super) fn new(
        from: &str,
        provider: MailProvider,
        signer: Option<Signer>,
    ) -> Result<Self, MailerError> {
        let mailbox: Mailbox = from.parse().map_err(|_| MailerError::From)?;
        let name_is_safe = !has_control(mailbox.name.as_deref().unwrap_or_default());
        let address: &str = mailbox.email.as_ref();
        // A quoted local part could smuggle a space or a bracket into MAIL FROM.
        let address_is_safe =
            address.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\,;()".contains(&b));
        if !name_is_safe || !address_is_safe {
            return Err(MailerError::From);
        }
        Ok(Self { mailbox, signer: signer.map(Arc::new), provider })
    }
}

impl Mail {
    /// Makes the bytes; signs them if a key is configured.
    pub fn build(from: &Sender, parts: MailParts) -> Result<Self, MailError> {
        let to_name = parts.to_name.as_ref().map(|name| name.as_str().to_owned());
        // The mail library panics on a line break in a name.
        if has_control(&parts.subject) || to_name.as_deref().is_some_and(has_control) {
            return Err(MailError::Control);
        }
        let envelope = parts.to.envelope();
        let to: Address = envelope.parse().map_err(|_| MailError::Address)?;
        let (content_type, body) = alternatives(&parts)?;
        let mut message = marked(from.provider, &parts.message_id)
            .from(from.mailbox.clone())
            .to(Mailbox::new(to_name, to))
            .subject(no_encoded_word(&parts.subject))
            .message_id(Some(message_id(&parts.message_id)?))
            .date(header_date(parts.date)?)
            // RFC 3834: keeps out-of-office replies away from the sender.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(MIME_VERSION_1_0)
            .header(content_type)
            .body(body)
            .map_err(|_| MailError::Build)?;
        if let Some(signer) = &from.signer {
            signer.sign(&mut message);
        }
        let raw = message.formatted();
        if !is_safe_on_the_wire(&raw) {
            return Err(MailError::Bytes);
        }
        let sender = || from.mailbox.email.to_string();
        let envelope_from = parts.return_path.clone().unwrap_or_else(sender);
        Ok(Self { parts, from: from.mailbox.to_string(), envelope_from, raw })
    }

    /// The message as it is sent.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body holds the password and the link.
        write!(f, "Mail({} octets to {:?})", self.raw.len(), self.parts.to)
    }
}

/// With the header by which a provider's events say which mail they are about: what is left of the `@` in
/// the Message-ID, which says it all.
fn marked(provider: MailProvider, message_id: &str) -> MessageBuilder {
    let (mark, _) = message_id.trim_start_matches('<').split_once('@').unwrap_or_default();
    let header = |name, value| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    match provider {
        MailProvider::Any => Message::builder(),
        MailProvider::Postmark => {
            Message::builder().raw_header(header("X-PM-Metadata-welcomat", mark.to_owned()))
        }
        MailProvider::Sendgrid => {
            let arguments = serde_json::json!({ "unique_args": { "welcomat": mark } });
            Message::builder().raw_header(header("X-SMTPAPI", arguments.to_string()))
        }
    }
}

/// Both bodies as one, and the type to announce it with.
///
/// Formatted here and not by the message: the mail library keeps the headers of a multipart out of
/// the message's own, where it would sign them, and a signature that names Content-Type but leaves
/// it out is wrong.
fn alternatives(parts: &MailParts) -> Result<(ContentType, Body), MailError> {
    let both = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &parts.text))
        .singlepart(part(ContentType::TEXT_HTML, &parts.html));
    let content_type = both.headers().get().ok_or(MailError::Build)?;
    let head = both.headers().to_string() + "\r\n";
    let body = both.formatted().strip_prefix(head.as_bytes()).ok_or(MailError::Build)?.to_vec();
    // Quoted-printable is 7-bit; what is not is refused with the finished bytes.
    Ok((content_type, Body::dangerous_pre_encoded(body, ContentTransferEncoding::SevenBit)))
}

/// Always quoted-printable: it leaves no bare CR, no long line and no 8-bit octet, and stays
/// readable in the raw message. Not by the mail library, which takes ten times as long for it, half of
/// what it took to make a mail.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let encoded = qp::BODY.encode(lines).into_bytes();
    let body = Body::dangerous_pre_encoded(encoded, ContentTransferEncoding::QuotedPrintable);
    SinglePart::builder().header(content_type).body(body)
}

fn message_id(id: &str) -> Result<String, MailError> {
    let id = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    let printable = id.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
    let two_sides =
        id.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    if printable && two_sides && id.len() <= 250 {
        Ok(format!("<{id}>"))
    } else {
        Err(MailError::MessageId)
    }
}

fn header_date(date: Timestamp) -> Result<SystemTime, MailError> {
    // Outside these years the formatter panics.
    if (1970..=9999).contains(&date.year()) { Ok(date.into()) } else { Err(MailError::Date) }
}

/// What looks encoded is decoded by whoever reads it (RFC 2047), to anything at all: a sign that
/// nobody sees tears it apart.
fn no_encoded_word(subject: &str) -> String {
    subject.replace("=?", "=\u{2060}?")
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn is_safe_on_the_wire(raw: &[u8]) -> bool {
    const MAX_LINE_OCTETS: usize = 998;
    if !raw.is_ascii() || raw.contains(&0) {
        return false;
    }
    let mut begin = 0;
    let mut breaks = memchr2_iter(b'\r', b'\n', raw);
    while let Some(end) = breaks.next() {
        if end - begin > MAX_LINE_OCTETS || !raw[end..].starts_with(b"\r\n") {
            return false;
        }
        // The second half of this one.
        breaks.next();
        begin = end + 2;
    }
    raw.len() - begin <= MAX_LINE_OCTETS
}

#[cfg(test)]
mod tests {
    use super::{is_safe_on_the_wire, message_id};

    #[test]
    fn bare_line_breaks_long_lines_and_raw_octets_are_found() {
        assert!(is_safe_on_the_wire(b"a\r\n\r\nb\r\n"));
        assert!(is_safe_on_the_wire(&[b'a'; 998]));
        for raw in [&b"a\rb\r\n"[..], b"a\nb\r\n", b"a\r", b"\n", "ä\r\n".as_bytes(), b"\0\r\n"] {
            assert!(!is_safe_on_the_wire(raw), "{raw:?}");
        }
        assert!(!is_safe_on_the_wire(&[b'a'; 999]));
    }

    #[test]
    fn a_message_id_gets_its_brackets_once() {
        assert_eq!(message_id("a@b").unwrap(), "<a@b>");
        assert_eq!(message_id("<a@b>").unwrap(), "<a@b>");
        for id in ["", "a", "@b", "a@", "a b@c", "a@b\r\nBcc: x", "ä@b"] {
            assert!(message_id(id).is_err(), "{id}");
        }
    }
}
