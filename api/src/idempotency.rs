//! The `Idempotency-Key` of a request: repeating it has its effect once.

use actix_web::http::header::HeaderMap;
use adapters::password_hash::PasswordHasher;
use adapters::store::IdempotencyKey;
use domain::{OrganizationId, SecretHash};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

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
    let Some(key) = given(headers)? else { return Ok(None) };
    // A line break separates the two, because no route has one.
    let fingerprint = SecretHash::of_exact(&format!("{route}\n{body}"));
    Ok(Some(IdempotencyKey { key, route, fingerprint }))
}

/// The same for a body that holds passwords which people choose.
///
/// Whoever reads the database knows all of the body but the passwords: from a SHA-256 of it, a weak
/// one could be guessed billions of times a second. So it goes through Argon2id once, as the
/// passwords themselves do for their users' rows, and a guess costs here what it costs there. That
/// needs no key which would have to be kept, rotated and shared by all processes, and unlike a
/// fingerprint without the passwords it tells a request with a new password from a repeat. What
/// salts it is known again when the request is repeated, and nobody else's.
pub async fn key_of_passwords(
    headers: &HeaderMap,
    route: &'static str,
    organization: OrganizationId,
    body: Zeroizing<String>,
    hasher: &PasswordHasher,
) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = given(headers)? else { return Ok(None) };
    let salt = Sha256::digest(format!("{organization}\n{route}\n{key}")).into();
    let derived = hasher.derive(body, salt).await.map_err(|error| {
        tracing::error!(%error, "the fingerprint of a request cannot be made");
        ApiError::Internal
    })?;
    let fingerprint = SecretHash::from_bytes(&derived).ok_or(ApiError::Internal)?;
    Ok(Some(IdempotencyKey { key, route, fingerprint }))
}

/// The key itself, if the request has one.
pub fn given(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let visible = bytes.iter().all(u8::is_ascii_graphic);
    if values.next().is_some() || !visible || !(1..=255).contains(&bytes.len()) {
        return Err(ApiError::BadIdempotencyKey);
    }
    value.to_str().map(|key| Some(key.to_owned())).map_err(|_| ApiError::BadIdempotencyKey)
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

    #[tokio::test]
    async fn the_fingerprint_of_passwords_is_slow_and_belongs_to_its_organization_and_key() {
        let hasher = PasswordHasher::new(1);
        let print = async |organization: u128, key: &'static str, body: &str| {
            let mut headers = HeaderMap::new();
            headers
                .insert(HeaderName::from_static("idempotency-key"), HeaderValue::from_static(key));
            let organization = OrganizationId::from_uuid(uuid::Uuid::from_u128(organization));
            let body = Zeroizing::new(body.to_owned());
            let made = key_of_passwords(&headers, "create", organization, body, &hasher).await;
            made.unwrap().unwrap().fingerprint
        };
        let first = print(1, "k", "{}").await;
        assert!(first == print(1, "k", "{}").await);
        for other in [print(2, "k", "{}").await, print(1, "l", "{}").await, print(1, "k", "").await]
        {
            assert!(first != other);
        }
        assert!(first != SecretHash::of_exact("create\n{}"), "not the fast one");
    }
}
