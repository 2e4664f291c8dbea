//! The settings about signed tokens (JWT): whose signatures count, and what a token must say.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};
use url::Url;

use super::source::Leaves;
use super::values::Problem;
use super::{SettingsError, duration, redact};
use crate::download::is_loopback;

/// HS256 needs a secret of at least the size of its hash (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;

/// What a bearer token must be.
#[derive(Clone, Serialize)]
pub struct JwtSettings {
    /// The secret of HS256 tokens; without it they are refused.
    #[serde(serialize_with = "redact::serialize_option")]
    pub secret: Option<String>,
    /// What the claim `iss` must be, if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What the claim `aud` must be or hold, if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How far the clocks of issuer and service may differ.
    #[serde(serialize_with = "duration::serialize")]
    pub leeway: Duration,
    /// The age at which the key set is loaded again.
    #[serde(serialize_with = "duration::serialize")]
    pub jwks_refresh: Duration,
}

/// Where the public keys of the issuer are (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// `https://…`, or `http://…` on this machine.
    Url(Url),
    /// A file.
    File(PathBuf),
}

impl JwtSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            secret: values.text("jwt.secret", secret)?,
            issuer: values.optional("jwt.issuer")?,
            audience: values.optional("jwt.audience")?,
            leeway: values.duration("jwt.leeway")?,
            jwks_refresh: values.duration("jwt.jwks_refresh")?,
        })
    }
}

/// A secret for HS256, if there is one.
pub(super) fn secret(text: &str) -> Result<Option<String>, Problem> {
    match text.len() {
        0 => Ok(None),
        MIN_SECRET_BYTES.. => Ok(Some(text.to_owned())),
        short => Err(format!(
            "must have at least {MIN_SECRET_BYTES} bytes, not {short}: HS256 is as weak as its \
             secret is short"
        )),
    }
}

/// A URL or a path, if there is one.
pub(super) fn jwks(text: &str) -> Result<Option<JwksSource>, Problem> {
    const WANTED: &str = "must be an https:// URL without user and password (http:// is for \
                          localhost only) or the path of a file";
    if text.trim_start().starts_with('{') {
        return Err("must be a URL or the path of a file, not the keys themselves".into());
    }
    if text.is_empty() {
        return Ok(None);
    }
    if !text.contains("://") {
        return Ok(Some(JwksSource::File(text.into())));
    }
    let url = Url::parse(text).ok().filter(|url| url.username().is_empty());
    match url.filter(|url| url.password().is_none()) {
        Some(url) if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) => {
            Ok(Some(JwksSource::Url(url)))
        }
        _ => Err(WANTED.into()),
    }
}

impl fmt::Display for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "{url}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Serialize for JwksSource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Debug for JwtSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "JwtSettings", self)
    }
}
