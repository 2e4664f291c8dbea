//! `POST /v1/events/sendgrid`: the signed event webhook.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::{Heard, forged, json, text, write};
use crate::feedback::{Source, sendgrid};
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Hears `SendGrid`.
///
/// The URL of the event webhook, whose signature is checked with the public key in
/// `feedback.sendgrid_key`.
#[utoipa::path(
    post,
    path = "/v1/events/sendgrid",
    operation_id = "hear_sendgrid",
    tag = "Feedback",
    request_body(
        content = Vec<Value>,
        description = "Events, as SendGrid posts them.",
        example = json!([{
            "email": "ann@example.com", "event": "delivered", "timestamp": 1_764_151_542,
            "smtp-id": "<01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90.1@example.org>",
        }]),
    ),
    responses((status = 200, description = "It is heard.", body = Heard)),
    extensions(("x-problems" = json!(["feedback_off", "feedback_forged"]))),
)]
pub async fn hear(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let key = state.feedback.settings.sendgrid_key.as_ref();
    let key = key.ok_or(ApiError::FeedbackOff("feedback.sendgrid_key"))?;
    let body = text(&state, &request, payload, "application/json").await?;
    let now = state.store.clock().now();
    let proven = sendgrid::prove(key, request.headers(), &body, now);
    proven.map_err(|why| forged("sendgrid", why))?;
    match json(&body)? {
        Value::Array(events) => write(&state, Source::Sendgrid, sendgrid::read(&events)).await,
        _ => Err(ApiError::Invalid(vec![FieldError::new("", "must be a list of events")])),
    }
}
