//! How this contract tells errors: `{"detail": …}`, a list of what is wrong or one sentence.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::Value;

use crate::problem::ApiError;

/// Why a request is not answered as it wishes.
#[derive(Debug)]
pub enum Refusal {
    /// What any request can meet.
    Api(ApiError),
    /// What is wrong with the body: all of it.
    Invalid(Vec<Detail>),
}

/// One thing that is wrong, in Pydantic's form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detail {
    /// A stable word.
    pub r#type: &'static str,
    /// Where: `body`, then the field or the position.
    pub loc: Vec<Value>,
    /// For people.
    pub msg: String,
    /// What was given.
    pub input: Value,
    /// What the message is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

#[derive(Serialize)]
struct Body<T> {
    detail: T,
}

/// Tells an error that any request can meet.
pub fn answer(error: &ApiError) -> HttpResponse {
    let status = match error.status_code() {
        // Where it cannot be the body's fields, this contract has no 422.
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    let mut response = HttpResponse::build(status);
    response.insert_header(("Cache-Control", "no-store"));
    if matches!(error, ApiError::Unauthorized) {
        response.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    if error.is_worth_a_retry() {
        response.insert_header((RETRY_AFTER, "1"));
    }
    response.json(Body { detail: detail(error) })
}

fn detail(error: &ApiError) -> String {
    match error {
        ApiError::Unauthorized => "Not authenticated".to_owned(),
        ApiError::Forbidden | ApiError::InstanceOnly => {
            "Not enough permissions: an admin of this organization can invite".to_owned()
        }
        ApiError::NotFound => "Organization not found".to_owned(),
        ApiError::MethodNotAllowed(_) => "Method Not Allowed".to_owned(),
        ApiError::AlreadyMember => "User is already a member of this organization".to_owned(),
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
            Self::Invalid(details) => write!(f, "{} fields are missing or wrong", details.len()),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Api(error) => answer(error).status(),
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Api(error) => answer(error),
            Self::Invalid(details) => HttpResponse::UnprocessableEntity()
                .insert_header(("Cache-Control", "no-store"))
                .json(Body { detail: details }),
        }
    }
}
