//! Takes the fields of a form that a browser posts.

use actix_web::HttpRequest;
use actix_web::web::Payload;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;

/// Reads the body as a `T`.
pub async fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, ApiError> {
    let text = crate::body::read(request, payload, "application/x-www-form-urlencoded").await?;
    // The error would repeat what was typed.
    serde_urlencoded::from_str(&text)
        .map_err(|_| ApiError::BadRequest("The form is not complete.".to_owned()))
}
