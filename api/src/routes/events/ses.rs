//! `POST /v1/events/ses`: Amazon SES, through Amazon SNS.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::{Heard, forged, json, text, write};
use crate::feedback::sns::{Notice, Refused};
use crate::feedback::{Source, ses};
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Hears Amazon SES.
///
/// The endpoint of an HTTPS subscription of Amazon SNS to a topic in `feedback.ses_topics`, without raw
/// message delivery. The signature is checked; a subscription is confirmed by itself.
#[utoipa::path(
    post,
    path = "/v1/events/ses",
    operation_id = "hear_ses",
    tag = "Feedback",
    request_body(
        content = String,
        content_type = "text/plain",
        description = "A message of Amazon SNS, in JSON.",
        example = json!("{\"Type\":\"Notification\",\"TopicArn\":\"arn:aws:sns:eu-central-1:123456789012:bounces\",…}"),
    ),
    responses((status = 200, description = "It is heard.", body = Heard)),
    extensions(("x-problems" = json!(["feedback_off", "feedback_forged", "token_keys_unavailable"]))),
)]
pub async fn hear(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let topics = &state.feedback.settings.ses_topics;
    if topics.is_empty() {
        return Err(ApiError::FeedbackOff("feedback.ses_topics"));
    }
    let body = text(&state, &request, payload, "text/plain").await?;
    json(&body)?;
    let notice: Notice = serde_json::from_str(&body).map_err(|_| {
        ApiError::Invalid(vec![FieldError::new("", "must be a signed message of Amazon SNS")])
    })?;
    let sns = &state.feedback.sns;
    sns.prove(&notice, topics, state.store.clock().now()).await.map_err(refused)?;
    match notice.r#type.as_str() {
        "SubscriptionConfirmation" => {
            sns.confirm(&notice).await.map_err(refused)?;
            tracing::info!("a subscription to a topic of Amazon SNS is confirmed");
            write(&state, Source::Ses, Vec::new()).await
        }
        "Notification" => {
            // SES says in plain words that a topic was set up.
            let content = serde_json::from_str(&notice.message).ok();
            let told = content.and_then(|content| ses::read(&content));
            write(&state, Source::Ses, told.into_iter().collect()).await
        }
        _ => write(&state, Source::Ses, Vec::new()).await,
    }
}

fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::Forged(why) => forged("ses", why),
        Refused::Unavailable => {
            tracing::warn!("the certificate or a confirmation of Amazon SNS cannot be fetched");
            ApiError::KeysUnavailable
        }
    }
}
