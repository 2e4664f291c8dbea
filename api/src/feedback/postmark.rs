//! Postmark's webhooks: bounce, delivery and spam complaint.
//!
//! Shapes as in <https://postmarkapp.com/developer/webhooks/bounce-webhook> and its neighbours. Postmark
//! replaces the Message-ID; it gives back the metadata that our header `X-PM-Metadata-welcomat` set. It
//! signs nothing: the login in the webhook's URL is all that proves whose word it is.

use actix_web::http::header::HeaderMap;
use adapters::store::Told;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Bounce, Feedback};
use serde_json::Value;

use super::{MARK, bearer, sentence, text, told};

/// Whether the request has Postmark's login, `user:password`.
pub fn prove(login: &str, headers: &HeaderMap) -> bool {
    bearer::is(headers, "basic", &STANDARD.encode(login))
}

/// What the event tells; `None` if it is about nothing that changes a delivery of ours.
pub fn read(event: &Value) -> Option<Told> {
    let kind = text(event, "/Type");
    let feedback = match text(event, "/RecordType")? {
        "Delivery" => Feedback::Delivered,
        "SpamComplaint" => Feedback::Complained,
        "Bounce" => bounced(kind?)?,
        _ => return None,
    };
    let detail = match feedback {
        Feedback::Delivered => None,
        _ => sentence(&[kind, text(event, "/Description"), text(event, "/Details")]),
    };
    told([text(event, &format!("/Metadata/{MARK}"))], feedback, detail)
}

/// <https://postmarkapp.com/developer/api/bounce-api#bounce-types>
fn bounced(kind: &str) -> Option<Feedback> {
    match kind {
        "HardBounce" | "BadEmailAddress" | "ManuallyDeactivated" => {
            Some(Feedback::Bounced(Bounce::Hard))
        }
        "SpamComplaint" => Some(Feedback::Complained),
        // Still being tried, an answer of a person or program, or nothing about the mail.
        "Transient"
        | "AutoResponder"
        | "AddressChange"
        | "Subscribe"
        | "Unsubscribe"
        | "ChallengeVerification"
        | "OpenRelayTest"
        | "Unknown"
        | "Unconfirmed" => None,
        _ => Some(Feedback::Bounced(Bounce::Soft)),
    }
}
