//! How this contract tells errors: `{"error": "…"}` with one of its page's statuses.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::headers;
use crate::problem::ApiError;

/// Why a request is not answered as it wishes.
#[derive(Debug)]
pub enum Refusal {
    /// What any request can meet.
    Api(ApiError),
    /// What is wrong with the body.
    Invalid(String),
}

/// One sentence.
#[derive(Serialize, ToSchema)]
#[schema(as = DoitError)]
pub struct Sentence {
    /// For people.
    #[schema(example = "email is required")]
    error: String,
}

/// Tells an error that any request can meet.
pub fn answer(error: &ApiError) -> HttpResponse {
    headers::of_error(error, status(error)).json(Sentence { error: sentence(error) })
}

/// The page's statuses, and what no client of it can get by doing as the page says.
fn status(error: &ApiError) -> StatusCode {
    match error.status_code() {
        StatusCode::UNAUTHORIZED => StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN => StatusCode::FORBIDDEN,
        StatusCode::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::TOO_MANY_REQUESTS => StatusCode::TOO_MANY_REQUESTS,
        other if other.is_client_error() => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn sentence(error: &ApiError) -> String {
    match error {
        ApiError::Unauthorized => "Invalid API key".to_owned(),
        ApiError::Forbidden | ApiError::InstanceOnly => {
            "The API key is not that of an admin of this organization".to_owned()
        }
        ApiError::AlreadyMember => "The user already belongs to the organization".to_owned(),
        ApiError::Invalid(fields) => {
            let fields = fields.iter().map(|error| format!("{} {}", error.field, error.message));
            fields.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(f),
            Self::Invalid(error) => f.write_str(error),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Api(error) => status(error),
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Api(error) => answer(error),
            Self::Invalid(error) => {
                HttpResponse::BadRequest().json(Sentence { error: error.clone() })
            }
        }
    }
}
