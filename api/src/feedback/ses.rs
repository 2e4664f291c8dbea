//! What Amazon SES says inside a notification of SNS.
//!
//! Shapes as in <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html> and, for event
//! publishing, <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>. SES
//! replaces the Message-ID, and gives back the original headers; feedback notifications only do so if they
//! are set to.

use adapters::store::Told;
use domain::{Bounce, Feedback};
use serde_json::Value;

use super::{sentence, text, told};

/// What the notification tells; `None` if it is about nothing that changes a delivery of ours.
pub fn read(notification: &Value) -> Option<Told> {
    let kind = text(notification, "/notificationType").or_else(|| text(notification, "/eventType"));
    let (feedback, detail) = match kind? {
        "Delivery" => (Feedback::Delivered, None),
        "Bounce" => bounced(notification.get("bounce")?),
        "Complaint" => complained(notification.get("complaint")?)?,
        _ => return None,
    };
    told(
        [original_id(notification), text(notification, "/mail/commonHeaders/messageId")],
        feedback,
        detail,
    )
}

/// The Message-ID as we sent it.
fn original_id(notification: &Value) -> Option<&str> {
    let headers = notification.pointer("/mail/headers")?.as_array()?;
    let mut headers =
        headers.iter().filter_map(|header| Some((text(header, "/name")?, text(header, "/value")?)));
    headers.find(|(name, _)| name.eq_ignore_ascii_case("message-id")).map(|(_, value)| value)
}

/// Only `Permanent` is for good; `Undetermined` may be anything.
fn bounced(bounce: &Value) -> (Feedback, Option<String>) {
    let kind = text(bounce, "/bounceType");
    let feedback = match kind {
        Some("Permanent") => Bounce::Hard,
        _ => Bounce::Soft,
    };
    let words = text(bounce, "/bouncedRecipients/0/diagnosticCode");
    (Feedback::Bounced(feedback), sentence(&[kind, text(bounce, "/bounceSubType"), words]))
}

/// Somebody who says that it is *not* spam does not complain (RFC 5965 and the IANA registry of types).
fn complained(complaint: &Value) -> Option<(Feedback, Option<String>)> {
    let kind = text(complaint, "/complaintFeedbackType");
    (kind != Some("not-spam")).then(|| (Feedback::Complained, sentence(&[kind])))
}
