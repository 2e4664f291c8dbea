//! `POST /v1/events/postmark`: bounce, delivery and spam complaint webhooks.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::{Heard, forged, json, text, write};
use crate::feedback::{Source, postmark};
use crate::problem::ApiError;
use crate::state::State;

/// Hears Postmark.
///
/// The URL of the webhooks, with the login of `feedback.postmark_login` in it:
/// `https://user:password@…/v1/events/postmark`.
#[utoipa::path(
    post,
    path = "/v1/events/postmark",
    operation_id = "hear_postmark",
    tag = "Feedback",
    request_body(
        content = serde_json::Value,
        content_type = "application/json",
        description = "An event, as Postmark posts it.",
        example = json!({
            "RecordType": "Delivery", "Recipient": "ann@example.com",
            "Metadata": { "welcomat": "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90.1" },
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
    let login = state.feedback.settings.postmark_login.as_ref();
    let login = login.ok_or(ApiError::FeedbackOff("feedback.postmark_login"))?;
    if !postmark::prove(login, request.headers()) {
        return Err(forged("postmark", "its login is missing or wrong"));
    }
    let event = json(&text(&state, &request, payload, "application/json").await?)?;
    write(&state, Source::Postmark, postmark::read(&event).into_iter().collect()).await
}
