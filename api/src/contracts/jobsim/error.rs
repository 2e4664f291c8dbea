//! How this contract tells errors: `{"detail": …}`, a list of what is wrong or one sentence.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::contracts::headers;
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
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = JobsimDetail)]
pub struct Detail {
    /// A stable word.
    #[schema(example = "missing")]
    pub r#type: &'static str,
    /// Where: `body`, then the field or the position.
    #[schema(example = json!(["body", "email"]))]
    pub loc: Vec<Value>,
    /// For people.
    #[schema(example = "Field required")]
    pub msg: String,
    /// What was given.
    #[schema(value_type = Value, example = json!({}))]
    pub input: Value,
    /// What the message is made of.
    #[schema(value_type = Object, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// One sentence.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsimError)]
pub struct Sentence {
    /// For people.
    #[schema(example = "Not authenticated")]
    detail: String,
}

/// All that is wrong with a body.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsimInvalid)]
pub struct Details<'a> {
    /// In the order of the fields.
    #[schema(example = json!([{
        "type": "missing", "loc": ["body", "email"], "msg": "Field required", "input": {},
    }]))]
    detail: &'a [Detail],
}

/// Tells an error that any request can meet.
pub fn answer(error: &ApiError) -> HttpResponse {
    let status = match error.status_code() {
        // Where it cannot be the body's fields, this contract has no 422.
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    headers::of_error(error, status).json(Sentence { detail: detail(error) })
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
            Self::Invalid(details) => {
                HttpResponse::UnprocessableEntity().json(Details { detail: details })
            }
        }
    }
}
