//! Bounce mails: delivery status notifications (RFC 3464), as mail servers send them to the return path.

use adapters::store::Told;
use domain::outcome::Enhanced;
use domain::{Bounce, Feedback};
use mail_parser::Message;

use super::report::{Fields, Proof, addressee, original, part};

/// What a bounce mail tells; `None` if it is none, or about no mail of ours.
pub(super) fn read(mail: &Message<'_>, proof: Proof<'_>) -> Option<Told> {
    let report = part(mail, "message", "delivery-status")?;
    let (feedback, detail) = status(&String::from_utf8_lossy(report))?;
    let delivery = match proof {
        Some(proof) => addressee(mail, proof)?,
        None => original(mail)?,
    };
    Some(Told { delivery, feedback, detail })
}

/// What became of the first recipient of whom anything final is said; each mail of ours has one.
fn status(report: &str) -> Option<(Feedback, Option<String>)> {
    let report = report.replace("\r\n", "\n");
    report.split("\n\n").find_map(|recipient| {
        let fields = Fields::of(recipient);
        match fields.get("Action")?.to_ascii_lowercase().as_str() {
            "delivered" => Some((Feedback::Delivered, None)),
            "failed" => {
                let code = fields.get("Status").and_then(Enhanced::parse);
                let gone = code.is_some_and(Enhanced::says_mailbox_is_gone);
                let bounce = if gone { Bounce::Hard } else { Bounce::Soft };
                let detail = fields.get("Diagnostic-Code").or_else(|| fields.get("Status"));
                Some((Feedback::Bounced(bounce), detail.map(str::to_owned)))
            }
            // Delayed, relayed or expanded: more may follow.
            _ => None,
        }
    })
}
