//! The `Idempotency-Key` of a request: repeating it has its effect once.

use actix_web::http::header::HeaderMap;
use adapters::store::IdempotencyKey;
use domain::SecretHash;

use crate::problem::ApiError;

const HEADER: &str = "Idempotency-Key";

/// Says that an answer is that of an earlier request.
pub const REPLAYED: (&str, &str) = ("Idempotency-Replayed", "true");

/// The key of a request to `route` with this body, if it has one.
pub fn key(
    headers: &HeaderMap,
    route: &'static str,
    body: &str,
) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut values = headers.get_all(HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let visible = bytes.iter().all(u8::is_ascii_graphic);
    if values.next().is_some() || !visible || !(1..=255).contains(&bytes.len()) {
        return Err(ApiError::BadIdempotencyKey);
    }
    // A line break separates the two, because no route has one.
    let fingerprint = SecretHash::of_exact(&format!("{route}\n{body}"));
    let key = value.to_str().map_err(|_| ApiError::BadIdempotencyKey)?.to_owned();
    Ok(Some(IdempotencyKey { key, route, fingerprint }))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(values: &[&str], body: &str) -> Result<Option<IdempotencyKey>, ApiError> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static("idempotency-key"), value);
        }
        key(&headers, "create", body)
    }

    #[test]
    fn a_request_need_not_have_one() {
        assert!(read(&[], "{}").unwrap().is_none());
    }

    #[test]
    fn takes_1_to_255_visible_ascii_characters() {
        assert_eq!(read(&["a"], "").unwrap().unwrap().key, "a");
        assert!(read(&[&"k".repeat(255)], "").unwrap().is_some());
        for values in [&[""][..], &[&"k".repeat(256)], &["a b"], &["schlüssel"], &["a", "b"]] {
            assert!(matches!(read(values, ""), Err(ApiError::BadIdempotencyKey)), "{values:?}");
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_the_body() {
        let print = |body| read(&["a"], body).unwrap().unwrap().fingerprint;
        assert!(print("{}") == print("{}"));
        assert!(print("{}") != print("{ }"));
    }
}
