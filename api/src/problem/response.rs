//! How an error is told: as problem details (RFC 9457).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use serde::Serialize;

use super::{ApiError, FieldError};

const MEDIA_TYPE: &str = "application/problem+json";

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
