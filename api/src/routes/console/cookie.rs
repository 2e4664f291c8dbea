//! The cookie of a session (RFC 6265): the browser alone reads it, and sends it to the console alone.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::SecretHash;

use crate::state::AppState;

/// A working day and some; then the key is asked for again.
pub const VALID_FOR: Duration = Duration::from_hours(12);

const NAME: &str = "welcomat_console";
/// Long enough to be none that we gave out.
const LONGEST: usize = 128;

/// The value of `Set-Cookie` for a new session.
pub fn set(state: &AppState, token: &str) -> String {
    cookie(state, token, VALID_FOR)
}

/// The value of `Set-Cookie` that makes the browser forget it.
pub fn forget(state: &AppState) -> String {
    cookie(state, "", Duration::ZERO)
}

fn cookie(state: &AppState, value: &str, valid_for: Duration) -> String {
    let (path, age) = (&state.public_path, valid_for.as_secs());
    let secure = if state.only_tls { "; Secure" } else { "" };
    format!("{NAME}={value}; Path={path}console; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

/// The token of the session in a request.
pub fn read(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
    let value = cookies.find(|(name, _)| name.trim() == NAME)?.1.trim();
    ((1..=LONGEST).contains(&value.len())).then(|| value.to_owned())
}

/// What the forms of a session carry: whoever cannot read the cookie cannot know it.
pub fn csrf(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(SecretHash::of_exact(&format!("csrf {token}")).to_vec())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn token(line: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static(line));
        read(&headers)
    }

    #[test]
    fn takes_its_own_cookie_among_others() {
        assert_eq!(token("a=b; welcomat_console=xyz; c=d").as_deref(), Some("xyz"));
        assert_eq!(token("welcomat_console="), None);
        assert_eq!(token("other_welcomat_console=xyz"), None);
    }

    #[test]
    fn a_form_carries_what_does_not_tell_the_token() {
        assert_ne!(csrf("xyz"), csrf("xyy"));
        assert!(!csrf("xyz").contains("xyz"));
        assert_eq!(csrf("xyz").len(), 43);
    }
}
