//! Complaints: feedback reports of mailbox providers (ARF, RFC 5965), which they send when somebody calls
//! a mail spam.
//!
//! They come to an address that was registered with the provider, not to the return path: what proves them
//! is the envelope sender of the mail that they are about, which they name or give back.

use adapters::store::Told;
use domain::{DeliveryId, Feedback};
use mail_parser::{Message, MessageParser};

use super::report::{Fields, Proof, addressee, addresses, original, part};

/// What makes a report a complaint. Another type says that a mail is no spam after all, fails a check of
/// its sender, or holds a virus.
const COMPLAINTS: [&str; 3] = ["abuse", "fraud", "opt-out"];

/// What a feedback report tells; `None` if it is no complaint, or about no mail of ours.
pub(super) fn read(mail: &Message<'_>, proof: Proof<'_>) -> Option<Told> {
    let report = part(mail, "message", "feedback-report")?;
    let fields = Fields::of(&String::from_utf8_lossy(report));
    let kind = fields.get("Feedback-Type")?.to_ascii_lowercase();
    if !COMPLAINTS.contains(&kind.as_str()) {
        return None;
    }
    let delivery = match proof {
        Some(proof) => proven(mail, &fields, proof)?,
        None => original(mail)?,
    };
    let detail = Some(match fields.get("User-Agent") {
        Some(agent) => format!("{kind}: {agent}"),
        None => kind,
    });
    Some(Told { delivery, feedback: Feedback::Complained, detail })
}

/// The delivery whose own return path the report names, gives back or came to.
fn proven(
    mail: &Message<'_>,
    fields: &Fields,
    proof: (&adapters::return_path::ReturnPath, &adapters::seal::SealKeys),
) -> Option<DeliveryId> {
    let (path, keys) = proof;
    let named = |text: &str| addresses(text).find_map(|address| path.delivery(keys, address));
    let said = fields.get("Original-Mail-From").and_then(named);
    said.or_else(|| returned(mail, &named)).or_else(|| addressee(mail, proof))
}

/// The same of the mail that is given back, whole or what is left of it.
fn returned(mail: &Message<'_>, named: &dyn Fn(&str) -> Option<DeliveryId>) -> Option<DeliveryId> {
    let sender = |mail: &Message<'_>| {
        let mut headers = mail.headers_raw();
        headers.find_map(|(name, value)| {
            name.eq_ignore_ascii_case("Return-Path").then(|| named(value)).flatten()
        })
    };
    let whole = mail.parts.iter().filter_map(|part| part.message()).find_map(sender);
    whole.or_else(|| {
        let headers = part(mail, "text", "rfc822-headers")?;
        sender(&MessageParser::default().parse(headers)?)
    })
}
