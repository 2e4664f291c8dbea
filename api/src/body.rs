//! Reads the body of a request: of the right type, not too long, in time, in UTF-8.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::Payload;
use futures_util::StreamExt;

use crate::problem::ApiError;
use crate::state::State;

/// A body is small and a client that sends one is at it: whoever trickles is cut off.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Reads the whole body, which must be of `media_type` and within the limit of the settings.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    media_type: &'static str,
) -> Result<String, ApiError> {
    let state = request.app_data::<State>().ok_or(ApiError::Internal)?;
    read_up_to(state.body_limit, request, payload, media_type).await
}

/// Reads a body that may have another number of bytes.
pub async fn read_up_to(
    limit: usize,
    request: &HttpRequest,
    payload: Payload,
    media_type: &'static str,
) -> Result<String, ApiError> {
    let bytes = read_bytes(limit, request, payload, media_type).await?;
    String::from_utf8(bytes).map_err(|_| ApiError::BadRequest("The body is not UTF-8.".to_owned()))
}

/// Reads a body that need not be text.
pub async fn read_bytes(
    limit: usize,
    request: &HttpRequest,
    payload: Payload,
    media_type: &'static str,
) -> Result<Vec<u8>, ApiError> {
    let state = request.app_data::<State>().ok_or(ApiError::Internal)?;
    check_type(request.headers(), media_type)?;
    check_length(request.headers(), limit)?;
    let time = BODY_TIME.min(state.request_timeout / 2);
    tokio::time::timeout(time, collect(payload, limit)).await.map_err(|_| ApiError::BodyTimeout)?
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk
            .map_err(|_| ApiError::BadRequest("The body of the request broke off.".to_owned()))?;
        if bytes.len() + chunk.len() > limit {
            return Err(ApiError::TooLarge(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Refuses a body that says it is of another type than `media_type`, or compressed.
pub fn check_type(headers: &HeaderMap, media_type: &'static str) -> Result<(), ApiError> {
    let wrong = ApiError::UnsupportedMediaType(media_type);
    // Nothing is decompressed: a small body that grows without end cannot be sent.
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(wrong);
    }
    let mut values = headers.get_all(CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else { return Err(wrong) };
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
    let charset_fits = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if named && charset_fits { Ok(()) } else { Err(wrong) }
}

/// Refuses a body that announces itself as too long before any of it is read.
fn check_length(headers: &HeaderMap, limit: usize) -> Result<(), ApiError> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    match announced.map(usize::try_from) {
        Some(Ok(length)) if length <= limit => Ok(()),
        None => Ok(()),
        Some(_) => Err(ApiError::TooLarge(limit)),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn accepts(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
        check_type(&headers, "application/json").is_ok()
    }

    #[test]
    fn takes_the_type_with_harmless_parameters() {
        assert!(accepts("application/json"));
        assert!(accepts("Application/JSON; charset=UTF-8"));
    }

    #[test]
    fn refuses_other_types_and_charsets() {
        for value in ["text/plain", "application/jsonp", "application/json; charset=latin1", ""] {
            assert!(!accepts(value), "{value}");
        }
        assert!(check_type(&HeaderMap::new(), "application/json").is_err());
    }

    #[test]
    fn refuses_compressed_bodies() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_type(&headers, "application/json").is_err());
    }

    #[test]
    fn believes_an_announced_length() {
        let mut headers = HeaderMap::new();
        assert!(check_length(&headers, 10).is_ok());
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("10"));
        assert!(check_length(&headers, 10).is_ok());
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("11"));
        assert!(check_length(&headers, 10).is_err());
    }
}
