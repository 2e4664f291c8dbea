//! Checks bearer tokens (RFC 7519): by a shared secret (HS256) or by the issuer's public keys
//! (RS256, ES256, EdDSA).
//!
//! The key decides the algorithm, never the token: a secret checks HS256 and nothing else, a public
//! key the one algorithm of its kind. Keys that a token brings along or points at (`jwk`, `jku`,
//! `x5u`, `x5c`) are ignored (RFC 8725 §3.1, §3.10).

use std::fmt;
use std::sync::Arc;

use adapters::settings::Settings;
use domain::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::claims::{Claims, Expected};
use super::jwks::KeySet;
use super::signature::{read_header, verify_signature};
use super::token_error::{TokenConfigError, TokenError};

/// Checks bearer tokens; cheap to clone.
#[derive(Clone)]
pub struct TokenVerifier(Arc<Inner>);

struct Inner {
    secret: Option<DecodingKey>,
    keys: Option<KeySet>,
    expected: Expected,
}

impl TokenVerifier {
    /// Takes over the settings. A key set in a file is read at once, one behind a URL when it is
    /// needed or by [`TokenVerifier::load_ahead`].
    pub fn new(settings: &Settings) -> Result<Self, TokenConfigError> {
        let jwt = &settings.jwt;
        let source = settings.jwks.clone();
        if source.is_some() && jwt.audience.is_none() {
            tracing::warn!("jwks without jwt.audience: a token for another service counts, too");
        }
        Ok(Self(Arc::new(Inner {
            secret: jwt.secret.as_ref().map(|text| DecodingKey::from_secret(text.as_bytes())),
            keys: source.map(|source| KeySet::open(source, jwt.jwks_refresh)).transpose()?,
            expected: Expected::new(jwt),
        })))
    }

    /// Whether any token can be accepted.
    pub fn is_configured(&self) -> bool {
        self.0.secret.is_some() || self.0.keys.is_some()
    }

    /// Begins to load a key set that is behind a URL, so that the first token need not wait for it
    /// and the log soon says if it is not there. Needs a tokio runtime.
    pub fn load_ahead(&self) {
        if let Some(keys) = &self.0.keys {
            keys.load_ahead();
        }
    }

    /// Checks `token` as of `now`; may wait for the issuer's keys, 5 seconds at most.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let Inner { secret, keys, expected } = &*self.0;
        let header = read_header(token)?;
        let payload = match header.alg {
            // Some issuers name the secret by a `kid` as well; there is only one.
            Algorithm::HS256 => {
                let secret = secret.as_ref().ok_or(TokenError::NotConfigured)?;
                verify_signature(token, secret, Algorithm::HS256)?
            }
            wanted @ (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA) => {
                let keys = keys.as_ref().ok_or(TokenError::NotConfigured)?;
                let key = keys.find(wanted, header.kid.as_deref()).await?;
                verify_signature(token, &key.key, key.algorithm)?
            }
            _ => return Err(TokenError::Algorithm),
        };
        expected.accept(payload, now)
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier").finish_non_exhaustive()
    }
}
