//! Mailgun's webhooks.
//!
//! Shapes and signature as in <https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks>
//! and <https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks>. The
//! signature covers a time and a random token, and not the event itself: it is good for a while only, and
//! for one event.

use adapters::store::{Token, Told};
use chrono::TimeDelta;
use domain::{Bounce, Feedback, SecretHash, Timestamp};
use ring::hmac;
use serde_json::Value;

use super::{is_recent, sentence, text, told};

/// Mailgun tries for eight hours to hand in an event.
const GOOD_FOR: TimeDelta = TimeDelta::hours(12);

/// Whether the event was signed with `key` (HMAC-SHA256 in hexadecimal digits), and lately. What is left to
/// be proven is that its token was not used for another one.
pub fn prove(key: &str, event: &Value, now: Timestamp) -> Result<Token, &'static str> {
    let part = |name| text(event, &format!("/signature/{name}"));
    let (Some(time), Some(token), Some(signature)) =
        (part("timestamp"), part("token"), part("signature"))
    else {
        return Err("it has no signature");
    };
    let signature = unhex(signature).ok_or("its signature is not hexadecimal")?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::verify(&key, format!("{time}{token}").as_bytes(), &signature)
        .map_err(|_| "its signature is wrong")?;
    let signed_at = time.parse().ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
    is_recent(signed_at, GOOD_FOR, now)?;
    let signed_at = signed_at.ok_or("its time is not one")?;
    let told = event.get("event-data").map(Value::to_string).unwrap_or_default();
    Ok(Token {
        token: SecretHash::of_exact(token),
        event: SecretHash::of_exact(&told),
        signed_at,
        good_until: signed_at + GOOD_FOR,
    })
}

/// What the event tells; `None` if it is about nothing that changes a delivery of ours.
pub fn read(event: &Value) -> Option<Told> {
    let event = event.get("event-data")?;
    let reason = text(event, "/reason");
    let feedback = match text(event, "/event")? {
        "delivered" => Feedback::Delivered,
        "complained" => Feedback::Complained,
        // What failed for a while is still being tried.
        "failed" if text(event, "/severity") == Some("permanent") => failed(reason),
        _ => return None,
    };
    let status = |name| text(event, &format!("/delivery-status/{name}"));
    let words = status("message").or_else(|| status("description"));
    let detail = match feedback {
        Feedback::Delivered => None,
        _ => sentence(&[reason, words]),
    };
    told([text(event, "/message/headers/message-id")], feedback, detail)
}

/// `bounce` is what Mailgun puts on its own list of bad addresses; the others are about this mail.
fn failed(reason: Option<&str>) -> Feedback {
    match reason {
        Some("bounce" | "suppress-bounce") => Feedback::Bounced(Bounce::Hard),
        Some("suppress-complaint") => Feedback::Complained,
        _ => Feedback::Bounced(Bounce::Soft),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digits = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(digits).collect()
}
