//! What a bearer token says about its holder, and whether it says it here and now.

use std::time::Duration;

use adapters::settings::JwtSettings;
use adapters::store::OrganizationKey;
use domain::{KeyRole, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::token_error::TokenError;

/// OpenID Connect Core §2 allows no longer subject.
const MAX_SUBJECT_CHARACTERS: usize = 255;

/// The holder of a token, in the words of its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: who asks, 1 to 255 characters.
    pub subject: String,
    /// `org`: the organization to act in.
    pub organization: OrganizationKey,
    /// `role`: [`KeyRole::Member`] unless it is `admin`.
    pub role: KeyRole,
}

/// The claims as they stand in the token (RFC 7519 §4.1, and ours).
#[derive(Deserialize)]
pub(super) struct BearerPayload {
    sub: Option<String>,
    iss: Option<String>,
    aud: Option<Audience>,
    org: Option<Value>,
    role: Option<Value>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What tokens must say, apart from who asks.
pub(super) struct Expected {
    issuer: Option<String>,
    audience: Option<String>,
    leeway: Duration,
}

/// The times of a token, in seconds since 1970; fractions are allowed (RFC 7519 §2).
pub(super) struct Validity {
    pub expires: f64,
    pub not_before: Option<f64>,
    pub issued: Option<f64>,
}

impl Expected {
    pub fn new(settings: &JwtSettings) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            leeway: settings.leeway,
        }
    }

    /// Checks what the token says and takes from it what is asked for here.
    pub fn accept(&self, payload: BearerPayload, now: Timestamp) -> Result<Claims, TokenError> {
        let expires = payload.exp.ok_or(TokenError::Claim("exp"))?;
        let validity = Validity { expires, not_before: payload.nbf, issued: payload.iat };
        validity.check(now, self.leeway)?;
        if self.issuer.is_some() && self.issuer != payload.iss {
            return Err(TokenError::Claim("iss"));
        }
        if !self.is_for_us(payload.aud.as_ref()) {
            return Err(TokenError::Claim("aud"));
        }
        Ok(Claims {
            subject: payload.sub.filter(|sub| is_subject(sub)).ok_or(TokenError::Claim("sub"))?,
            organization: payload
                .org
                .as_ref()
                .and_then(organization)
                .ok_or(TokenError::Claim("org"))?,
            role: match payload.role.as_ref().and_then(Value::as_str) {
                Some("admin") => KeyRole::Admin,
                _ => KeyRole::Member,
            },
        })
    }

    fn is_for_us(&self, audience: Option<&Audience>) -> bool {
        match (&self.audience, audience) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(us), Some(Audience::One(one))) => us == one,
            (Some(us), Some(Audience::Several(several))) => several.contains(us),
        }
    }
}

impl Validity {
    /// Whether `now` lies between the times, give or take the leeway.
    pub fn check(&self, now: Timestamp, leeway: Duration) -> Result<(), TokenError> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds fit until the year 287396")]
        let now = now.timestamp_millis() as f64 / 1000.0;
        let leeway = leeway.as_secs_f64();
        // "On or after" its expiry a token must be refused (RFC 7519 §4.1.4).
        if now >= self.expires + leeway {
            return Err(TokenError::Expired);
        }
        // A token from the future was made by a wrong clock, or to outlive the right one.
        if [self.not_before, self.issued].into_iter().flatten().any(|from| from > now + leeway) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

/// It is stored and logged, which control characters would spoil.
fn is_subject(text: &str) -> bool {
    (1..=MAX_SUBJECT_CHARACTERS).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
}

fn organization(claim: &Value) -> Option<OrganizationKey> {
    let Some(text) = claim.as_str() else {
        return claim.as_i64().map(OrganizationKey::Number);
    };
    match text.parse() {
        Ok(id) => Some(OrganizationKey::Id(id)),
        Err(_) => number(text).map(OrganizationKey::Number),
    }
}

/// An integer as text: digits only, for `+1` or ` 1` would be a second spelling of one number.
pub(super) fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
