//! How this contract tells errors: all that is wrong with a request as 400 with a list, anything
//! else as `{"message": …}`.

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
    /// What is wrong with path or body: all of it.
    Invalid(Vec<String>),
}

/// Any error but 400.
#[derive(Serialize, ToSchema)]
#[schema(as = UsersOrganizationsError)]
pub struct Message {
    /// The status in words, or a sentence for people.
    #[schema(example = "Forbidden")]
    message: String,
}

/// All that is wrong with a request.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsersOrganizationsInvalid)]
pub struct Invalid {
    /// Always this.
    #[schema(example = 400)]
    status_code: u16,
    /// One text for each problem, in the order of the fields.
    #[schema(example = json!(["scope: must be 1 or 2", "permissions.manage[1]: must be an integer"]))]
    message: Vec<String>,
    /// Always this.
    #[schema(example = "Bad Request")]
    error: &'static str,
}

/// Tells an error that any request can meet.
pub fn answer(error: &ApiError) -> HttpResponse {
    let status = match error.status_code() {
        // This contract has no 422.
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            return invalid(vec![error.to_string()]);
        }
        status => status,
    };
    headers::of_error(error, status).json(Message { message: message(error, status) })
}

fn message(error: &ApiError, status: StatusCode) -> String {
    match status {
        // Those that its clients know say no more than their name.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::CONFLICT
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            status.canonical_reason().unwrap_or_default().to_owned()
        }
        _ => error.to_string(),
    }
}

fn invalid(message: Vec<String>) -> HttpResponse {
    HttpResponse::BadRequest().json(Invalid { status_code: 400, message, error: "Bad Request" })
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
            Self::Invalid(messages) => write!(f, "{} fields are missing or wrong", messages.len()),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Api(error) => answer(error).status(),
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Api(error) => answer(error),
            Self::Invalid(messages) => invalid(messages.clone()),
        }
    }
}
