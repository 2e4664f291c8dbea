//! How an error is told: as problem details (RFC 9457).

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, FieldError};

/// Of every error (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

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

/// Why a request is not answered as it wishes (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem<'a> {
    /// The code as a URN.
    #[schema(example = "urn:welcomat:problem:not_found")]
    r#type: String,
    /// The status in words.
    #[schema(example = "Not Found")]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// What to do next, in a sentence for people.
    #[schema(example = "There is nothing at this address that you can see.")]
    detail: String,
    /// What is wrong, in a word for programs; it does not change.
    #[schema(example = "not_found")]
    code: &'a str,
    /// All fields that are missing or wrong, if it is about fields.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.entry().0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, MEDIA_TYPE));
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
            _ => {}
        }
        if let Some(wait) = self.retry_after() {
            response.insert_header((RETRY_AFTER, whole_seconds(wait)));
        }
        response.body(serde_json::to_vec(&self.problem()).unwrap_or_default())
    }
}

/// For `Retry-After`: seconds, and never too early (RFC 9110 §10.2.3).
pub fn whole_seconds(wait: Duration) -> String {
    let begun = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(begun).to_string()
}

impl ApiError {
    /// The body of the answer.
    pub fn problem(&self) -> Problem<'_> {
        let (status, code) = self.entry();
        Problem {
            r#type: format!("urn:welcomat:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            code,
            errors: match self {
                Self::Invalid(errors)
                | Self::BatchRefused(errors)
                | Self::TemplateInvalid(errors) => errors,
                _ => &[],
            },
        }
    }
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
