//! `POST /v1/events/mailgun`: webhooks.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::{Heard, forged, json, text, write};
use crate::feedback::{Source, mailgun};
use crate::problem::ApiError;
use crate::state::State;

/// Hears Mailgun.
///
/// The URL of the webhooks, whose signature is checked with the key in `feedback.mailgun_key`.
#[utoipa::path(
    post,
    path = "/v1/events/mailgun",
    operation_id = "hear_mailgun",
    tag = "Feedback",
    request_body(
        content = serde_json::Value,
        content_type = "application/json",
        description = "An event, as Mailgun posts it.",
        example = json!({
            "signature": { "timestamp": "1764151542", "token": "a8ce0edb…", "signature": "d2271d12…" },
            "event-data": {
                "event": "delivered",
                "message": { "headers": {
                    "message-id": "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90.1@example.org",
                } },
            },
        }),
    ),
    responses((status = 200, description = "It is heard.", body = Heard)),
    extensions(("x-problems" = json!(["feedback_off", "feedback_forged"]))),
)]
pub async fn hear(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let key = state.feedback.settings.mailgun_key.as_ref();
    let key = key.ok_or(ApiError::FeedbackOff("feedback.mailgun_key"))?;
    let event = json(&text(&state, &request, payload, "application/json").await?)?;
    let now = state.store.clock().now();
    let token = mailgun::prove(key, &event, now).map_err(|why| forged("mailgun", why))?;
    // Mailgun repeats an event for hours, with the token that it had.
    if !state.store.use_token(token).await? {
        return Err(forged("mailgun", "its token was used for another event"));
    }
    write(&state, Source::Mailgun, mailgun::read(&event).into_iter().collect()).await
}
