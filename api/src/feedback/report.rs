//! Mails that report on other mails (multipart/report, RFC 6522): what bounces and complaints have in
//! common, and which of the two a mail is.
//!
//! Everybody can write to the address that such mails come to. If each mail has a return path of its own,
//! only what proves that it knows it counts; otherwise the Message-ID in the returned mail says which one it
//! is, which its recipient knows as well.

use adapters::return_path::ReturnPath;
use adapters::seal::SealKeys;
use adapters::store::Told;
use domain::DeliveryId;
use mail_parser::{Message, MessageParser, MimeHeaders};

use super::{Source, arf, delivery, dsn};

/// The headers in which mail servers keep the address that a mail came to.
const RECIPIENTS: [&str; 5] =
    ["To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];

/// What makes and proves return paths, if each mail has one of its own.
pub type Proof<'a> = Option<(&'a ReturnPath, &'a SealKeys)>;

/// What a mail reports, and by which kind of report; `None` if it is none, or about no mail of ours.
pub fn read(mail: &[u8], proof: Proof<'_>) -> Option<(Source, Told)> {
    let mail = MessageParser::default().parse(mail)?;
    let bounce = dsn::read(&mail, proof).map(|told| (Source::Dsn, told));
    bounce.or_else(|| arf::read(&mail, proof).map(|told| (Source::Arf, told)))
}

/// The first part of that type.
pub(super) fn part<'a>(mail: &'a Message<'_>, kind: &str, subtype: &str) -> Option<&'a [u8]> {
    let is = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type().is_some_and(|found| {
            found.c_type.eq_ignore_ascii_case(kind)
                && found.c_subtype.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(subtype))
        })
    };
    mail.parts.iter().find(is).map(mail_parser::MessagePart::contents)
}

/// The delivery whose own return path the mail came to.
pub(super) fn addressee(
    mail: &Message<'_>,
    (path, keys): (&ReturnPath, &SealKeys),
) -> Option<DeliveryId> {
    let headers = mail.headers_raw();
    let to = headers.filter(|(name, _)| RECIPIENTS.iter().any(|to| to.eq_ignore_ascii_case(name)));
    to.flat_map(|(_, value)| addresses(value)).find_map(|address| path.delivery(keys, address))
}

/// The words of a header that may be an address.
pub(super) fn addresses(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| c.is_whitespace() || "<>,;\"".contains(c))
}

/// The delivery that the returned mail, or what is left of it, names.
pub(super) fn original(mail: &Message<'_>) -> Option<DeliveryId> {
    let whole = mail.parts.iter().filter_map(|part| part.message());
    let whole = whole.filter_map(Message::message_id).find_map(delivery);
    whole.or_else(|| {
        let headers = part(mail, "text", "rfc822-headers")?;
        delivery(MessageParser::default().parse(headers)?.message_id()?)
    })
}

/// Fields that are written as a header is.
pub(super) struct Fields(Vec<String>);

impl Fields {
    /// Lines that begin with a space belong to the one before (RFC 5322 §2.2.3).
    pub(super) fn of(block: &str) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for line in block.lines() {
            match lines.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => lines.push(line.to_owned()),
            }
        }
        Self(lines)
    }

    /// What the first field of that name says.
    pub(super) fn get(&self, wanted: &str) -> Option<&str> {
        let mut fields = self.0.iter().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
        Some(found.1.trim())
    }
}
