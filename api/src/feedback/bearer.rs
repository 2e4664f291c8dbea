//! Secrets that are sent along as they are.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use domain::SecretHash;

/// Whether the one `Authorization` of a request is `scheme` with what `expected` says. Takes the same time
/// however much of it is right.
pub fn is(headers: &HeaderMap, scheme: &str, expected: &str) -> bool {
    let mut values = headers.get_all(AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((given_scheme, given)) = value.to_str().ok().and_then(|text| text.split_once(' '))
    else {
        return false;
    };
    given_scheme.eq_ignore_ascii_case(scheme)
        && SecretHash::of_exact(given.trim()) == SecretHash::of_exact(expected)
}
