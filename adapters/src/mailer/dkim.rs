//! DKIM (RFC 6376): reads the key once, says what is signed.

use lettre::Message;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm,
    DkimSigningKey,
};
use lettre::message::header::HeaderName;

use super::MailerError;
use crate::settings::DkimSettings;

/// Signs messages for one domain.
#[derive(Debug)]
pub(super) struct Signer(DkimConfig);

/// All that a reader sees or a machine acts on; what is not listed could be changed on the way.
const SIGNED: [&str; 8] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
];

impl Signer {
    pub(super) fn new(settings: &DkimSettings) -> Result<Self, MailerError> {
        let selector = dns_name("mail.dkim.selector", &settings.selector)?;
        let domain = dns_name("mail.dkim.domain", &settings.domain)?;
        // Relaxed: relays refold headers and trim spaces, which must not break the signature.
        let relaxed = DkimCanonicalization {
            header: DkimCanonicalizationType::Relaxed,
            body: DkimCanonicalizationType::Relaxed,
        };
        let headers = SIGNED.map(HeaderName::new_from_ascii_str).to_vec();
        let key = read_key(&settings.key)?;
        Ok(Self(DkimConfig::new(selector, domain, key, headers, relaxed)))
    }

    pub(super) fn sign(&self, message: &mut Message) {
        message.sign(&self.0);
    }
}

fn read_key(key: &str) -> Result<DkimSigningKey, MailerError> {
    let key = key.trim();
    let algorithm = if key.starts_with("-----BEGIN RSA PRIVATE KEY-----") {
        DkimSigningAlgorithm::Rsa
    } else if key.starts_with("-----BEGIN") {
        return Err(MailerError::DkimKeyForm);
    } else {
        DkimSigningAlgorithm::Ed25519
    };
    // The error names the step that failed and holds nothing of the key.
    DkimSigningKey::new(key, algorithm).map_err(|error| MailerError::DkimKey(error.to_string()))
}

/// The value goes into a header as it is, so it may hold only what a DNS name can.
fn dns_name(setting: &'static str, value: &str) -> Result<String, MailerError> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if !value.is_empty() && value.len() <= 253 && value.bytes().all(known) {
        Ok(value.to_owned())
    } else {
        Err(MailerError::DkimName(setting))
    }
}

#[cfg(test)]
mod tests {
    use super::Signer;
    use crate::settings::DkimSettings;

    fn error(key: &str) -> String {
        let settings = DkimSettings {
            selector: "s1".to_owned(),
            domain: "example.com".to_owned(),
            key: key.to_owned(),
        };
        Signer::new(&settings).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_key_is_explained() {
        assert!(error("-----BEGIN PRIVATE KEY-----\nx").contains("openssl rsa -traditional"));
        assert!(error("-----BEGIN RSA PRIVATE KEY-----\nx").contains("rsa decode error"));
        assert!(error("c2hvcnQ=").contains("ed25519 decode error"));
        assert!(error("*").contains("base64 decode error"));
    }
}
