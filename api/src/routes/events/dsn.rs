//! `POST /v1/events/dsn`: a bounce mail or a complaint, as it arrived.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::{Heard, forged, write};
use crate::body;
use crate::feedback::{Source, bearer, report};
use crate::problem::ApiError;
use crate::state::State;

const MEDIA_TYPE: &str = "message/rfc822";

/// Hears a bounce mail or a complaint.
///
/// For whoever reads the mailbox that bounces go to (`welcomat bounces read`, or a pipe of your mail
/// server): the mail as it arrived, with `Authorization: Bearer` and the secret in `feedback.dsn_secret`. What
/// is neither a delivery status notification (RFC 3464) nor a complaint (a feedback report, ARF, RFC 5965) about
/// a mail of this service changes nothing.
#[utoipa::path(
    post,
    path = "/v1/events/dsn",
    operation_id = "hear_dsn",
    tag = "Feedback",
    request_body(
        content = String,
        content_type = "message/rfc822",
        description = "The mail.",
        example = json!("Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n…"),
    ),
    responses((status = 200, description = "It is heard.", body = Heard)),
    extensions(("x-problems" = json!(["feedback_off", "feedback_forged", "seal_keys_missing"]))),
)]
pub async fn hear(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let intake = &state.feedback;
    let secret = intake.settings.dsn_secret.as_ref();
    let secret = secret.ok_or(ApiError::FeedbackOff("feedback.dsn_secret"))?;
    if !bearer::is(request.headers(), "bearer", secret) {
        return Err(forged("dsn", "its bearer token is missing or wrong"));
    }
    let limit = intake.settings.body_limit_bytes;
    let mail = body::read_bytes(limit, &request, payload, MEDIA_TYPE).await?;
    let verified = match &intake.return_path {
        Some(path) => Some((path, state.seal.as_ref().ok_or(ApiError::NoSealKeys)?)),
        None => None,
    };
    let (source, told) = report::read(&mail, verified).unzip();
    write(&state, source.unwrap_or(Source::Dsn), told.into_iter().collect()).await
}
