//! Everything that can go wrong with a request, and how it is told (RFC 9457).

use std::fmt::Display;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use adapters::store::StoreError;
use domain::InvitationStatus;
use serde::Serialize;

const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request is not answered as it wishes. `Display` is the problem's `detail`.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request cannot be understood.
    #[error("{0}")]
    BadRequest(String),
    /// The body is no JSON at all.
    #[error("The body is not valid JSON: {0}.")]
    MalformedJson(String),
    /// `Idempotency-Key` is no key.
    #[error("Idempotency-Key must be given once and have 1 to 255 visible ASCII characters.")]
    BadIdempotencyKey,
    /// No valid API key.
    #[error("Send a valid API key as \"Authorization: Bearer wlc_…\".")]
    Unauthorized,
    /// No invitation has this token or temporary password, or not any more.
    #[error("The link or temporary password is not valid. Ask for a new invitation.")]
    InvalidCredential,
    /// The key may only read.
    #[error("This API key may only read. Use a key with the role \"admin\".")]
    Forbidden,
    /// There is no such thing, or it is not the caller's.
    #[error("There is nothing at this address that you can see.")]
    NotFound,
    /// The address exists, the method does not.
    #[error("This address takes only {0}.")]
    MethodNotAllowed(&'static str),
    /// The body did not come in time.
    #[error("The body of the request did not arrive in time.")]
    BodyTimeout,
    /// One pending invitation an address.
    #[error("This address already has a pending invitation: {0}. Resend or revoke that one.")]
    AlreadyPending(domain::InvitationId),
    /// Nobody is invited twice.
    #[error("Somebody with this address already belongs to the organization.")]
    AlreadyMember,
    /// What the caller asks is possible only while the invitation is pending.
    #[error("The invitation is {} and cannot be changed any more.", .0.as_str())]
    NotPending(InvitationStatus),
    /// A worker holds the mail.
    #[error("The mail is being sent right now. Try again in a moment.")]
    SendingNow,
    /// The invitation has ended in another way than the invitee wants.
    #[error("The invitation is {} and cannot be answered any more.", .0.as_str())]
    Gone(InvitationStatus),
    /// The body is longer than the settings allow.
    #[error("The body may have at most {0} bytes.")]
    TooLarge(usize),
    /// The body is not of the type that is read here.
    #[error("Send the body as {0}, without Content-Encoding.")]
    UnsupportedMediaType(&'static str),
    /// Fields are missing or wrong; all of them are listed.
    #[error("One or more fields are missing or wrong.")]
    Invalid(Vec<FieldError>),
    /// The key was used for another request.
    #[error("This Idempotency-Key was used before with a different request.")]
    IdempotencyKeyReused,
    /// A fault of ours; what it is stays in the log.
    #[error("Something went wrong on our side. Nothing is known to be wrong with the request.")]
    Internal,
    /// The database cannot be asked at present.
    #[error("The service cannot reach its database. Try again in a moment.")]
    Unavailable,
    /// Too much is going on.
    #[error("The service is busy. Try again in a moment.")]
    Busy,
    /// The request took longer than the settings allow.
    #[error("The request took too long. It may or may not have had its effect.")]
    Timeout,
    /// An answer of the HTTP library itself.
    #[error("The request cannot be answered.")]
    Http(StatusCode),
}

/// A field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's path, such as `email`.
    pub field: String,
    /// Completes "The field …".
    pub message: String,
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl FieldError {
    /// Says what is wrong with `field`.
    pub fn new(field: impl Into<String>, message: impl Display) -> Self {
        Self { field: field.into(), message: format!("{message}") }
    }
}

impl ApiError {
    /// The table: status and code of every error. The codes are part of the API.
    const fn entry(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadRequest(_) => (S::BAD_REQUEST, "bad_request"),
            Self::MalformedJson(_) => (S::BAD_REQUEST, "malformed_json"),
            Self::BadIdempotencyKey => (S::BAD_REQUEST, "bad_idempotency_key"),
            Self::Unauthorized => (S::UNAUTHORIZED, "unauthorized"),
            Self::InvalidCredential => (S::UNAUTHORIZED, "invalid_credential"),
            Self::Forbidden => (S::FORBIDDEN, "forbidden"),
            Self::NotFound => (S::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed(_) => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "request_timeout"),
            Self::AlreadyPending(_) | Self::Gone(InvitationStatus::Pending) => {
                (S::CONFLICT, "invitation_pending")
            }
            Self::AlreadyMember => (S::CONFLICT, "already_member"),
            Self::NotPending(_) => (S::CONFLICT, "invitation_not_pending"),
            Self::SendingNow => (S::CONFLICT, "sending_now"),
            Self::Gone(InvitationStatus::Revoked) => (S::GONE, "invitation_revoked"),
            Self::Gone(InvitationStatus::Expired) => (S::GONE, "invitation_expired"),
            Self::Gone(InvitationStatus::Declined) => (S::GONE, "invitation_declined"),
            Self::Gone(InvitationStatus::Accepted) => (S::CONFLICT, "invitation_accepted"),
            Self::TooLarge(_) => (S::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "validation_failed"),
            Self::IdempotencyKeyReused => (S::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal_error"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
            Self::Timeout => (S::SERVICE_UNAVAILABLE, "timeout"),
            Self::Http(status) => (*status, "http_error"),
        }
    }

    const fn is_worth_a_retry(&self) -> bool {
        matches!(self, Self::SendingNow | Self::Unavailable | Self::Busy | Self::Timeout)
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTimeout,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            other => Self::Http(other),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.entry().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = self.entry();
        let errors: &[FieldError] = if let Self::Invalid(errors) = self { errors } else { &[] };
        let mut response = HttpResponse::build(status);
        response
            .insert_header((CONTENT_TYPE, MEDIA_TYPE))
            .insert_header((CACHE_CONTROL, "no-store"));
        match self {
            Self::Unauthorized => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"welcomat\""));
            }
            // RFC 9110 §11.6.1: a 401 says how to authenticate; here, with what the body carries.
            Self::InvalidCredential => {
                response.insert_header((WWW_AUTHENTICATE, "Invitation realm=\"welcomat\""));
            }
            Self::MethodNotAllowed(allow) => {
                response.insert_header((ALLOW, *allow));
            }
            retry if retry.is_worth_a_retry() => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        let problem = Problem {
            r#type: format!("urn:welcomat:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            code,
            errors,
        };
        response.body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the store cannot answer");
                Self::Unavailable
            }
            StoreError::Busy => Self::Busy,
            StoreError::Inconsistent { .. } | StoreError::Database(_) => {
                tracing::error!(%error, "the store failed");
                Self::Internal
            }
        }
    }
}

/// Gives the errors that the HTTP library answers by itself the shape of all others.
pub async fn for_plain_errors<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !is_error || kind.is_some_and(|kind| !kind.starts_with("text/plain")) {
        return Ok(response);
    }
    let problem = ApiError::of_status(response.status()).error_response();
    Ok(response.into_response(problem))
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    async fn body(error: &ApiError) -> serde_json::Value {
        let bytes = to_bytes(error.error_response().into_body()).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_problem_has_every_member() {
        let error = ApiError::Invalid(vec![FieldError::new("email", "is required")]);
        let problem = body(&error).await;
        assert_eq!(problem["type"], "urn:welcomat:problem:validation_failed");
        assert_eq!(problem["title"], "Unprocessable Entity");
        assert_eq!(problem["status"], 422);
        assert_eq!(problem["code"], "validation_failed");
        assert_eq!(problem["errors"][0]["field"], "email");
        assert_eq!(problem["errors"][0]["message"], "is required");
    }

    #[tokio::test]
    async fn errors_without_fields_have_no_list() {
        assert_eq!(body(&ApiError::NotFound).await.get("errors"), None);
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let header = |error: ApiError, name| error.error_response().headers().contains_key(name);
        assert!(header(ApiError::Unauthorized, WWW_AUTHENTICATE));
        assert!(header(ApiError::MethodNotAllowed("GET"), ALLOW));
        assert!(header(ApiError::Busy, RETRY_AFTER));
    }
}
