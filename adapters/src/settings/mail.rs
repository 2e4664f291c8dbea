//! The section `mail`: whom to hand mails to, as whom, and how patiently.

use std::fmt;
use std::time::Duration;

use lettre::message::Mailbox;
use serde::Serialize;

use super::source::Leaves;
use super::values::{Problem, starts_with_any};
use super::{SettingsError, duration, redact};
use crate::return_path::ReturnPath;

/// Sending mail.
#[derive(Clone, Serialize)]
pub struct MailSettings {
    /// `capture:`, `smtp://…` or `smtps://…`.
    #[serde(serialize_with = "redact::serialize_url")]
    pub url: String,
    /// An address, or a name and an address.
    pub from: String,
    /// Where bounces go, if not to `from`.
    #[serde(serialize_with = "serialize_return_path", skip_serializing_if = "Option::is_none")]
    pub return_path: Option<ReturnPath>,
    /// Who carries the mails on, if it needs a header of its own.
    pub provider: MailProvider,
    /// The name for EHLO, if not that of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// After so many mails a connection is closed.
    pub max_per_connection: u32,
    /// How long a connection is kept without a mail.
    #[serde(serialize_with = "duration::serialize")]
    pub max_idle: Duration,
    /// How long a connection is kept at all.
    #[serde(serialize_with = "duration::serialize")]
    pub max_age: Duration,
    /// How long to wait in each phase.
    pub timeouts: MailTimeouts,
    /// How mails are signed, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dkim: Option<DkimSettings>,
}

/// Who carries the mails on. Some replace the Message-ID, and tell of a mail by what it says in a header of
/// their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailProvider {
    /// Somebody who leaves the Message-ID as it is, or tells what it was: Amazon SES and Mailgun, too.
    #[serde(rename = "")]
    Any,
    /// Postmark.
    Postmark,
    /// `SendGrid`.
    Sendgrid,
}

/// How long to wait in each phase of an SMTP conversation.
#[derive(Debug, Clone, Serialize)]
pub struct MailTimeouts {
    /// Until the connection stands.
    #[serde(serialize_with = "duration::serialize")]
    pub connect: Duration,
    /// For the greeting and the answer to a command.
    #[serde(serialize_with = "duration::serialize")]
    pub command: Duration,
    /// For the answer to DATA.
    #[serde(serialize_with = "duration::serialize")]
    pub data: Duration,
    /// For writing the mail.
    #[serde(serialize_with = "duration::serialize")]
    pub body: Duration,
    /// For the answer to the final dot.
    #[serde(serialize_with = "duration::serialize")]
    pub final_dot: Duration,
}

/// How mails are signed.
#[derive(Clone, Serialize)]
pub struct DkimSettings {
    /// The name of the key in DNS.
    pub selector: String,
    /// The domain that signs.
    pub domain: String,
    /// A PEM (RSA) or the base64 of an Ed25519 seed.
    #[serde(serialize_with = "redact::serialize_secret")]
    pub key: String,
}

impl MailSettings {
    /// The domain of the sender's address: the right side of every Message-ID.
    pub fn domain(&self) -> &str {
        let (_, domain) = self.from.rsplit_once('@').unwrap_or(("", "localhost.localdomain"));
        domain.trim_end_matches(['>', ' '])
    }

    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            url: values
                .text("mail.url", |t| starts_with_any(t, &["capture:", "smtp://", "smtps://"]))?,
            from: values.text("mail.from", |text| match text.parse::<Mailbox>() {
                Ok(_) => Ok(text.to_owned()),
                Err(_) => {
                    Err("must be an address, or a name and an address in angle brackets".into())
                }
            })?,
            return_path: values.text("mail.return_path", |text| match text {
                "" => Ok(None),
                address => ReturnPath::parse(address).map(Some),
            })?,
            provider: values.text("mail.provider", provider)?,
            helo: values.optional("mail.helo")?,
            max_per_connection: values.number("mail.max_per_connection", 1..=10_000)?,
            max_idle: values.duration("mail.max_idle")?,
            max_age: values.duration("mail.max_age")?,
            timeouts: MailTimeouts {
                connect: values.duration("mail.timeouts.connect")?,
                command: values.duration("mail.timeouts.command")?,
                data: values.duration("mail.timeouts.data")?,
                body: values.duration("mail.timeouts.body")?,
                final_dot: values.duration("mail.timeouts.final_dot")?,
            },
            dkim: DkimSettings::read(values)?,
        })
    }
}

fn provider(text: &str) -> Result<MailProvider, Problem> {
    match text {
        "" => Ok(MailProvider::Any),
        "postmark" => Ok(MailProvider::Postmark),
        "sendgrid" => Ok(MailProvider::Sendgrid),
        _ => Err(format!("must be postmark, sendgrid or empty, not {text:?}")),
    }
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn serialize_return_path<S: serde::Serializer>(
    path: &Option<ReturnPath>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.as_ref().map(ReturnPath::to_string).unwrap_or_default())
}

impl DkimSettings {
    /// All three keys make a signature, none makes none; some of them are a mistake.
    fn read(values: &Leaves) -> Result<Option<Self>, SettingsError> {
        const KEYS: [&str; 3] = ["mail.dkim.selector", "mail.dkim.domain", "mail.dkim.key"];
        let [selector, domain, key] = KEYS.map(|key| values.optional(key));
        let found = [selector?, domain?, key?];
        let missing = KEYS.iter().zip(&found).find_map(|(key, v)| v.is_none().then_some(*key));
        match (found, missing) {
            ([None, None, None], _) => Ok(None),
            ([Some(selector), Some(domain), Some(key)], _) => {
                Ok(Some(Self { selector, domain, key }))
            }
            (_, missing) => Err(values.refuse(
                missing.unwrap_or("mail.dkim.key"),
                "is missing: mail.dkim needs selector, domain and key",
            )),
        }
    }
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "MailSettings", self)
    }
}

impl fmt::Debug for DkimSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "DkimSettings", self)
    }
}
