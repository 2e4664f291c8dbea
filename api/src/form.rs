//! Takes the fields of a form that a browser posts.

use actix_web::HttpRequest;
use actix_web::web::Payload;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Reads the body as a `T`.
pub async fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, ApiError> {
    parse(&crate::body::read(request, payload, MEDIA_TYPE).await?)
}

/// The same, of a body that may have another number of bytes than the settings say of all.
pub async fn read_up_to<T: DeserializeOwned>(
    limit: usize,
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, ApiError> {
    parse(&crate::body::read_up_to(limit, request, payload, MEDIA_TYPE).await?)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    // The error would repeat what was typed.
    serde_urlencoded::from_str(text)
        .map_err(|_| ApiError::BadRequest("The form is not complete.".to_owned()))
}
