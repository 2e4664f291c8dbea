//! The section `feedback`: from whom we hear what became of mails.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::source::Leaves;
use super::values::Problem;
use super::{SettingsError, redact};

/// Whoever knows a shorter secret may have guessed it.
const SHORTEST_SECRET: usize = 16;

/// What stands before the point in the DER form of a public key on P-256 (RFC 5480 §2).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The ways on which feedback comes; each is shut without its own setting.
#[derive(Clone, Serialize)]
pub struct FeedbackSettings {
    /// The topics of Amazon SNS whose notifications of SES count.
    pub ses_topics: Vec<String>,
    /// The public key of `SendGrid`'s signed event webhook, as shown there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sendgrid_key: Option<String>,
    /// The `user:password` that Postmark logs in with.
    #[serde(serialize_with = "redact::serialize_option")]
    pub postmark_login: Option<String>,
    /// Mailgun's webhook signing key.
    #[serde(serialize_with = "redact::serialize_option")]
    pub mailgun_key: Option<String>,
    /// What whoever hands in bounce mails sends as bearer token.
    #[serde(serialize_with = "redact::serialize_option")]
    pub dsn_secret: Option<String>,
    /// How long a body may be.
    pub body_limit_bytes: usize,
}

impl FeedbackSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            ses_topics: values.list("feedback.ses_topics", topic)?,
            sendgrid_key: values.text("feedback.sendgrid_key", public_key)?,
            postmark_login: values.text("feedback.postmark_login", login)?,
            mailgun_key: values.text("feedback.mailgun_key", secret)?,
            dsn_secret: values.text("feedback.dsn_secret", token)?,
            body_limit_bytes: values.number("feedback.body_limit_bytes", 1024..=67_108_864)?,
        })
    }
}

fn topic(text: &str) -> Result<String, Problem> {
    let parts: Vec<_> = text.split(':').collect();
    match parts[..] {
        ["arn", _, "sns", region, account, name] if ![region, account, name].contains(&"") => {
            Ok(text.to_owned())
        }
        _ => Err("must list topics such as arn:aws:sns:eu-central-1:123456789012:bounces".into()),
    }
}

fn login(text: &str) -> Result<Option<String>, Problem> {
    match text.split_once(':') {
        None if text.is_empty() => Ok(None),
        Some((user, password)) if !user.is_empty() && password.len() >= SHORTEST_SECRET => {
            Ok(Some(text.to_owned()))
        }
        _ => {
            Err(format!("must be user:password, the password of at least {SHORTEST_SECRET} bytes"))
        }
    }
}

/// The point of a public key on P-256, from the base64 of its DER form.
pub fn p256_point(key: &str) -> Option<Vec<u8>> {
    let der = STANDARD.decode(key.trim()).ok()?;
    der.strip_prefix(&P256).filter(|point| point.len() == 65).map(<[u8]>::to_vec)
}

fn public_key(text: &str) -> Result<Option<String>, Problem> {
    if text.is_empty() || p256_point(text).is_some() {
        return Ok((!text.is_empty()).then(|| text.to_owned()));
    }
    Err("must be the verification key as SendGrid shows it: a key on P-256 in base64".into())
}

/// What can stand in a header as it is (RFC 6750 §2.1).
fn token(text: &str) -> Result<Option<String>, Problem> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return secret(text);
    }
    Err("must be of visible ASCII characters without spaces".into())
}

fn secret(text: &str) -> Result<Option<String>, Problem> {
    match text.len() {
        0 => Ok(None),
        SHORTEST_SECRET.. => Ok(Some(text.to_owned())),
        _ => Err(format!("must have at least {SHORTEST_SECRET} bytes")),
    }
}

impl fmt::Debug for FeedbackSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "FeedbackSettings", self)
    }
}
