//! Checks `x-session-token`: an HS256 token about the user who acts, beside the bearer token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use adapters::settings::Settings;
use domain::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::claims::{Validity, number};
use super::signature::{read_header, verify_signature};
use super::token_error::TokenError;

/// Checks session tokens; cheap to clone.
#[derive(Clone)]
pub struct SessionTokenVerifier {
    secret: Option<Arc<DecodingKey>>,
    leeway: Duration,
}

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaims {
    /// `userId`: the number of the user who acts.
    pub user: i64,
    /// `sessionId`: the session, as whoever opened it calls it.
    pub session: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionPayload {
    user_id: Option<Value>,
    session_id: Option<String>,
    iat: Option<f64>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

impl SessionTokenVerifier {
    /// Takes over the settings.
    pub fn new(settings: &Settings) -> Self {
        let secret = settings.session_token_secret.as_ref();
        Self {
            secret: secret.map(|text| Arc::new(DecodingKey::from_secret(text.as_bytes()))),
            leeway: settings.jwt.leeway,
        }
    }

    /// Whether any token can be accepted.
    pub fn is_configured(&self) -> bool {
        self.secret.is_some()
    }

    /// Checks `token` as of `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<SessionClaims, TokenError> {
        let secret = self.secret.as_ref().ok_or(TokenError::NotConfigured)?;
        if read_header(token)?.alg != Algorithm::HS256 {
            return Err(TokenError::Algorithm);
        }
        let payload: SessionPayload = verify_signature(token, secret, Algorithm::HS256)?;
        let validity = Validity {
            expires: payload.exp.ok_or(TokenError::Claim("exp"))?,
            not_before: payload.nbf,
            issued: Some(payload.iat.ok_or(TokenError::Claim("iat"))?),
        };
        validity.check(now, self.leeway)?;
        let user = payload.user_id.as_ref().and_then(user).ok_or(TokenError::Claim("userId"))?;
        let session = payload.session_id.filter(|text| !text.is_empty());
        Ok(SessionClaims { user, session: session.ok_or(TokenError::Claim("sessionId"))? })
    }
}

/// Issuers write the number as a number or as text.
fn user(claim: &Value) -> Option<i64> {
    let found = claim.as_str().map_or_else(|| claim.as_i64(), number);
    found.filter(|user| *user >= 0)
}

impl fmt::Debug for SessionTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTokenVerifier").finish_non_exhaustive()
    }
}
