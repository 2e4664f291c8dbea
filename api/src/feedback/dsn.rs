//! Bounce mails: delivery status notifications (RFC 3464), as mail servers send them to the return path.
//!
//! Everybody can write to that address. If each mail has a return path of its own, only what came to one
//! that proves to be ours counts; otherwise the Message-ID in the returned mail says which one it is, which
//! its recipient knows as well.

use adapters::return_path::ReturnPath;
use adapters::seal::SealKeys;
use adapters::store::Told;
use domain::outcome::Enhanced;
use domain::{Bounce, DeliveryId, Feedback};
use mail_parser::{Message, MessageParser, MimeHeaders};

use super::delivery;

/// The headers in which mail servers keep the address that a mail came to.
const RECIPIENTS: [&str; 5] =
    ["To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];

/// What a bounce mail tells; `None` if it is none, or about no mail of ours.
pub fn read(mail: &[u8], verified: Option<(&ReturnPath, &SealKeys)>) -> Option<Told> {
    let mail = MessageParser::default().parse(mail)?;
    let report = part(&mail, "message", "delivery-status")?;
    let (feedback, detail) = status(&String::from_utf8_lossy(report))?;
    let delivery = match verified {
        Some((path, keys)) => addressee(&mail, path, keys)?,
        None => original(&mail)?,
    };
    Some(Told { delivery, feedback, detail })
}

fn part<'a>(mail: &'a Message<'_>, kind: &str, subtype: &str) -> Option<&'a [u8]> {
    let is = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type().is_some_and(|found| {
            found.c_type.eq_ignore_ascii_case(kind)
                && found.c_subtype.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(subtype))
        })
    };
    mail.parts.iter().find(is).map(mail_parser::MessagePart::contents)
}

/// The delivery whose own return path the mail came to.
fn addressee(mail: &Message<'_>, path: &ReturnPath, keys: &SealKeys) -> Option<DeliveryId> {
    let headers = mail.headers_raw();
    let to = headers.filter(|(name, _)| RECIPIENTS.iter().any(|to| to.eq_ignore_ascii_case(name)));
    to.flat_map(|(_, value)| value.split(|c: char| c.is_whitespace() || "<>,;\"".contains(c)))
        .find_map(|address| path.delivery(keys, address))
}

/// The delivery that the returned mail, or what is left of it, names.
fn original(mail: &Message<'_>) -> Option<DeliveryId> {
    let whole = mail.parts.iter().filter_map(|part| part.message());
    let whole = whole.filter_map(Message::message_id).find_map(delivery);
    whole.or_else(|| {
        let headers = part(mail, "text", "rfc822-headers")?;
        delivery(MessageParser::default().parse(headers)?.message_id()?)
    })
}

/// What became of the first recipient of whom anything final is said; each mail of ours has one.
fn status(report: &str) -> Option<(Feedback, Option<String>)> {
    let report = report.replace("\r\n", "\n");
    report.split("\n\n").find_map(|recipient| {
        let fields = unfolded(recipient);
        let field = |wanted: &str| {
            let mut fields = fields.iter().filter_map(|line| line.split_once(':'));
            let found = fields.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
            Some(found.1.trim().to_owned())
        };
        match field("Action")?.to_ascii_lowercase().as_str() {
            "delivered" => Some((Feedback::Delivered, None)),
            "failed" => {
                let code = field("Status").and_then(|status| Enhanced::parse(&status));
                let gone = code.is_some_and(Enhanced::says_mailbox_is_gone);
                let bounce = if gone { Bounce::Hard } else { Bounce::Soft };
                let detail = field("Diagnostic-Code").or_else(|| field("Status"));
                Some((Feedback::Bounced(bounce), detail))
            }
            // Delayed, relayed or expanded: more may follow.
            _ => None,
        }
    })
}

/// Lines that begin with a space belong to the one before (RFC 5322 §2.2.3).
fn unfolded(block: &str) -> Vec<String> {
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
    lines
}
