//! Reads what mail providers tell of mails, once it is proven that they say so.
//!
//! `sns` and the functions `prove` of `sendgrid`, `postmark` and `mailgun` say whose word it is; `ses` and
//! their functions `read` what it means. Nothing here changes anything.

mod arf;
pub mod bearer;
mod dsn;
pub mod mailgun;
pub mod postmark;
pub mod report;
pub mod sendgrid;
pub mod ses;
pub mod sns;

use std::str::FromStr;

pub use adapters::metrics::FeedbackSource as Source;
use adapters::return_path::ReturnPath;
use adapters::settings::{FeedbackSettings, MailSettings};
use adapters::store::Told;
use chrono::TimeDelta;
use domain::{DeliveryId, Feedback, Timestamp};
use serde_json::Value;

use self::sns::{Amazon, Sns};

/// The field by which `SendGrid` and Postmark give back what the mail's own header said.
const MARK: &str = "welcomat";
/// How far a provider's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(15);

/// What the ways on which feedback comes need to know.
pub struct Intake {
    /// What is proven by what.
    pub settings: FeedbackSettings,
    /// Where bounces go, if each mail has an address of its own for them.
    pub return_path: Option<ReturnPath>,
    /// Checks notifications of Amazon SNS.
    pub sns: Sns,
}

impl Intake {
    /// As the settings want it.
    pub fn new(settings: FeedbackSettings, mail: &MailSettings, amazon: Amazon) -> Self {
        Self { settings, return_path: mail.return_path.clone(), sns: Sns::new(amazon) }
    }
}

/// The delivery that a Message-ID of ours names: `<delivery>.<generation>@…`, with or without brackets
/// and domain. `None` for mails that others sent.
pub fn delivery(message_id: &str) -> Option<DeliveryId> {
    let own = message_id.trim().trim_start_matches('<').split('@').next()?;
    let (id, generation) = own.split_once('.')?;
    generation.parse::<u32>().ok()?;
    DeliveryId::from_str(id).ok().filter(|_| id.len() == 36)
}

/// Whether something that was signed at that time still counts: what somebody has overheard does not for
/// ever.
fn is_recent(
    signed_at: Option<Timestamp>,
    good_for: TimeDelta,
    now: Timestamp,
) -> Result<(), &'static str> {
    let age = now - signed_at.ok_or("its time is not one")?;
    if age > good_for {
        return Err("it was signed too long ago");
    }
    if age < -AHEAD { Err("it was signed in the future") } else { Ok(()) }
}

/// What is told of the mail that one of these names, if one of ours is among them.
fn told<'a>(
    names: impl IntoIterator<Item = Option<&'a str>>,
    feedback: Feedback,
    detail: Option<String>,
) -> Option<Told> {
    let delivery = names.into_iter().flatten().find_map(delivery)?;
    Some(Told { delivery, feedback, detail })
}

/// A text inside a value, or nothing.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// Those of the texts that there are, as one.
fn sentence(parts: &[Option<&str>]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().copied().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_of_ours_names_a_delivery() {
        const ID: &str = "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90";
        for ours in ["<ID.1@example.org>", "ID.12@example.org", " <ID.3@x>", "ID.1"] {
            let found = delivery(&ours.replace("ID", ID)).map(|id| id.to_string());
            assert_eq!(found.as_deref(), Some(ID), "{ours}");
        }
        for other in ["", "<ID@example.org>", "<x.1@y>", "ID.x@y", "{ID}.1@y"] {
            assert_eq!(delivery(&other.replace("ID", ID)), None, "{other}");
        }
        let without_dashes = ID.replace('-', "");
        assert_eq!(delivery(&format!("{without_dashes}.1@y")), None);
    }
}
