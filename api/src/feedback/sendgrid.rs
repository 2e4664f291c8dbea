//! `SendGrid`'s signed event webhook.
//!
//! Shapes as in <https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event>, the signature
//! as in <https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features>:
//! ECDSA on P-256 over the time in a header and the body, byte for byte. A late bounce comes without the
//! Message-ID (`smtp-id`), but with the argument that our header `X-SMTPAPI` set. What is not taken comes
//! again for a day.

use actix_web::http::header::HeaderMap;
use adapters::settings::p256_point;
use adapters::store::Told;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use domain::{Bounce, Feedback, Timestamp};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use super::{MARK, is_recent, sentence, text, told};

const SIGNATURE: &str = "X-Twilio-Email-Event-Webhook-Signature";
const TIMESTAMP: &str = "X-Twilio-Email-Event-Webhook-Timestamp";

/// A day, and what clocks and queues may add to it.
const GOOD_FOR: TimeDelta = TimeDelta::hours(36);

/// Whether the body was signed with the private half of `key`, which is in base64 as `SendGrid` shows it,
/// and lately.
pub fn prove(
    key: &str,
    headers: &HeaderMap,
    body: &str,
    now: Timestamp,
) -> Result<(), &'static str> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(time)) = (header(SIGNATURE), header(TIMESTAMP)) else {
        return Err("it has no signature");
    };
    let signature = STANDARD.decode(signature).map_err(|_| "its signature is not in base64")?;
    let key = p256_point(key).ok_or("feedback.sendgrid_key is no key on P-256 in base64")?;
    let signed = [time.as_bytes(), body.as_bytes()].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(&signed, &signature)
        .map_err(|_| "its signature is wrong")?;
    let signed_at = time.parse().ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
    is_recent(signed_at, GOOD_FOR, now)
}

/// What the events tell of mails of ours.
pub fn read(events: &[Value]) -> Vec<Told> {
    events.iter().filter_map(one).collect()
}

fn one(event: &Value) -> Option<Told> {
    let reason = text(event, "/reason");
    let feedback = match text(event, "/event")? {
        "delivered" => Feedback::Delivered,
        "spamreport" => Feedback::Complained,
        "bounce" => Feedback::Bounced(bounced(event)),
        "dropped" => dropped(reason.unwrap_or_default()),
        // What is deferred is still being tried.
        _ => return None,
    };
    let detail = match feedback {
        Feedback::Bounced(_) => sentence(&[text(event, "/bounce_classification"), reason]),
        _ => None,
    };
    told([text(event, &format!("/{MARK}")), text(event, "/smtp-id")], feedback, detail)
}

/// A bounce of the type `blocked` is about the mail. So are those that are classified as something else
/// than a bad address.
fn bounced(event: &Value) -> Bounce {
    let about_the_address = matches!(
        text(event, "/bounce_classification"),
        None | Some("Invalid Address" | "Unclassified")
    );
    if text(event, "/type") != Some("blocked") && about_the_address {
        Bounce::Hard
    } else {
        Bounce::Soft
    }
}

/// Not tried, because of what is known there of the address.
fn dropped(reason: &str) -> Feedback {
    match reason {
        "Bounced Address" | "Invalid" => Feedback::Bounced(Bounce::Hard),
        "Spam Reporting Address" => Feedback::Complained,
        _ => Feedback::Bounced(Bounce::Soft),
    }
}
