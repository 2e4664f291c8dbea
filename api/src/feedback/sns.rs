//! Messages of Amazon SNS: whose they are, and that they are.
//!
//! As in <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>. The certificate and
//! the page that confirms a subscription are fetched from hosts of SNS only, and only for topics that the
//! operator has named: everybody can have a topic of their own, whose messages Amazon signs as well. What is
//! not taken comes again for an hour.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::download::{DownloadError, download};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use domain::Timestamp;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use url::Url;
use webpki::EndEntityCert;

use super::is_recent;

/// A certificate has two kilobytes, the answer to a confirmation less.
const MOST_BYTES: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
/// Each region has one certificate at a time.
const MOST_KEYS: usize = 16;

/// An hour, and what an operator may need who lets it come again by hand.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

/// The algorithm identifier of RSA (RFC 3279 §2.3.1) in a public key.
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A message of SNS as it is posted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Notice {
    /// What kind of message.
    pub r#type: String,
    /// The topic's ARN.
    pub topic_arn: String,
    /// The content.
    pub message: String,
    message_id: String,
    timestamp: String,
    signature: String,
    signature_version: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "SubscribeURL")]
    subscribe_url: Option<String>,
}

/// Why a message does not count.
#[derive(Debug, Clone, Copy)]
pub enum Refused {
    /// It is not proven to be Amazon's. Says why.
    Forged(&'static str),
    /// What is needed of Amazon cannot be had at present.
    Unavailable,
}

/// Where what Amazon publishes is fetched from.
#[derive(Debug, Clone, Default)]
pub enum Amazon {
    /// From Amazon.
    #[default]
    Itself,
    /// From a server that stands in for it, under the same paths, for tests.
    StandIn(Url),
}

/// Checks messages; keeps the keys that it has fetched.
pub struct Sns {
    amazon: Amazon,
    keys: Mutex<Vec<(String, Arc<Vec<u8>>)>>,
}

impl Sns {
    /// Knows no key yet.
    pub const fn new(amazon: Amazon) -> Self {
        Self { amazon, keys: Mutex::new(Vec::new()) }
    }

    /// Checks that Amazon signed the message for one of these topics, and lately.
    pub async fn prove(
        &self,
        notice: &Notice,
        topics: &[String],
        now: Timestamp,
    ) -> Result<(), Refused> {
        if !topics.contains(&notice.topic_arn) {
            return Err(Refused::Forged("its topic is not in feedback.ses_topics"));
        }
        let url = of_sns(&notice.signing_cert_url)
            .filter(|url| Path::new(url.path()).extension().is_some_and(|kind| kind == "pem"))
            .ok_or(Refused::Forged("its certificate is not one of Amazon SNS"))?;
        let signature = STANDARD
            .decode(&notice.signature)
            .map_err(|_| Refused::Forged("its signature is not in base64"))?;
        let algorithm = match notice.signature_version.as_str() {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(Refused::Forged("its signature is of an unknown version")),
        };
        let key = self.key(&url).await?;
        UnparsedPublicKey::new(algorithm, key.as_slice())
            .verify(notice.signed().as_bytes(), &signature)
            .map_err(|_| Refused::Forged("its signature is wrong"))?;
        is_recent(notice.timestamp.parse().ok(), GOOD_FOR, now).map_err(Refused::Forged)
    }

    /// Confirms a subscription, as a proven message asks for.
    pub async fn confirm(&self, notice: &Notice) -> Result<(), Refused> {
        let url = notice.subscribe_url.as_deref().and_then(of_sns);
        let url = url.ok_or(Refused::Forged("its SubscribeURL is not one of Amazon SNS"))?;
        self.fetch(url).await.map(drop)
    }

    async fn key(&self, url: &Url) -> Result<Arc<Vec<u8>>, Refused> {
        let known = |keys: &Vec<(String, Arc<Vec<u8>>)>| {
            keys.iter().find(|(from, _)| from == url.as_str()).map(|(_, key)| Arc::clone(key))
        };
        // Nobody panics while holding it; if so, all keys are fetched again.
        if let Some(key) = self.keys.lock().ok().and_then(|keys| known(&keys)) {
            return Ok(key);
        }
        let pem = self.fetch(url.clone()).await?;
        let key = rsa_key(&pem).ok_or(Refused::Forged("its certificate cannot be read"))?;
        let key = Arc::new(key);
        if let Ok(mut keys) = self.keys.lock() {
            if keys.len() >= MOST_KEYS {
                keys.remove(0);
            }
            keys.push((url.to_string(), Arc::clone(&key)));
        }
        Ok(key)
    }

    async fn fetch(&self, url: Url) -> Result<Vec<u8>, Refused> {
        let url = match &self.amazon {
            Amazon::Itself => url,
            Amazon::StandIn(server) => {
                let mut instead = server.clone();
                instead.set_path(url.path());
                instead.set_query(url.query());
                instead
            }
        };
        let fetched = spawn_blocking(move || download(&url, MOST_BYTES, PATIENCE)).await;
        match fetched {
            Ok(Ok(document)) => Ok(document),
            Ok(Err(DownloadError::TooLong(_))) => {
                Err(Refused::Forged("its certificate cannot be read"))
            }
            _ => Err(Refused::Unavailable),
        }
    }
}

impl Notice {
    /// What is signed: names and values, each on a line of its own.
    fn signed(&self) -> String {
        let confirms = self.r#type != "Notification";
        let fields = [
            ("Message", Some(&self.message)),
            ("MessageId", Some(&self.message_id)),
            ("SubscribeURL", self.subscribe_url.as_ref().filter(|_| confirms)),
            ("Subject", self.subject.as_ref().filter(|_| !confirms)),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", self.token.as_ref().filter(|_| confirms)),
            ("TopicArn", Some(&self.topic_arn)),
            ("Type", Some(&self.r#type)),
        ];
        let lines =
            fields.iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", (*value)?)));
        lines.collect()
    }
}

/// A URL on a host of SNS: `https://sns.<region>.amazonaws.com/…`, or `.com.cn`.
fn of_sns(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host.strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let is_region = !region.is_empty()
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (is_region && plain).then_some(url)
}

/// The RSA key (RFC 8017 §A.1.1) in a certificate.
fn rsa_key(pem: &[u8]) -> Option<Vec<u8>> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    let certificate = EndEntityCert::try_from(&certificate).ok()?;
    let info = certificate.subject_public_key_info();
    let at = info.windows(RSA.len()).position(|window| window == RSA)?;
    let bits = info.get(at + RSA.len()..)?;
    // A bit string: its tag, its length in one to three bytes, and that no bit is unused.
    let (&tag, rest) = bits.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let more = if length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    let (&unused, key) = rest.get(more..)?.split_first()?;
    (tag == 0x03 && unused == 0).then(|| key.to_vec())
}

#[cfg(test)]
#[path = "sns_fixture/tests.rs"]
mod tests;
