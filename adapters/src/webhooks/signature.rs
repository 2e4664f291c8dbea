//! The secret of an endpoint, and the signature that proves that a request is ours
//! (Standard Webhooks, symmetric signatures `v1`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Timestamp, WebhookDeliveryId, WebhookId};
use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::seal::{SealError, SealKeys};

/// What signs the requests to one endpoint: 32 random bytes. `Debug` shows nothing of it.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// The specification asks for 24 to 64.
const BYTES: usize = 32;

impl WebhookSecret {
    /// Makes a new one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new(vec![0; BYTES]);
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// As the owner of the endpoint gets it, once.
    pub fn written(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("whsec_{}", STANDARD.encode(&*self.0)))
    }

    /// The form in which it is stored; it opens for this endpoint only.
    pub fn seal(&self, keys: &SealKeys, endpoint: WebhookId, rng: &mut impl CryptoRng) -> Vec<u8> {
        keys.seal(&self.0, &associated_data(endpoint), rng)
    }

    /// Reads what [`WebhookSecret::seal`] made.
    pub fn open(keys: &SealKeys, sealed: &[u8], endpoint: WebhookId) -> Result<Self, SealError> {
        keys.open(sealed, &associated_data(endpoint)).map(Self)
    }

    /// The signature of one request: over its id, its time and every byte of its body.
    pub fn sign(&self, id: WebhookDeliveryId, at: Timestamp, body: &[u8]) -> String {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

fn associated_data(endpoint: WebhookId) -> Vec<u8> {
    format!("webhook|{endpoint}").into_bytes()
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> SealKeys {
        SealKeys::parse(&format!("k1:{}=", "A".repeat(43))).unwrap()
    }

    fn endpoint(last: u8) -> WebhookId {
        format!("01890a5d-ac96-774b-bcce-b3020000000{last}").parse().unwrap()
    }

    #[test]
    fn signs_as_others_do() {
        // Made with Python's hmac module; the reference library checks whole requests end to end.
        let secret = WebhookSecret(Zeroizing::new((0..32).collect()));
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let at = Timestamp::from_timestamp(1_614_265_330, 999).unwrap();
        let signature = secret.sign(id, at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, SIGNED);
        assert_eq!(*secret.written(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    }

    const SIGNED: &str = "v1,FbRRYDS4l4dtLrw92SitEQgiEGbbVI88dTMUfojUB2E=";

    #[test]
    fn a_signature_covers_id_time_and_body() {
        let secret = WebhookSecret::generate(&mut crate::rng());
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let [one, two] =
            [1_u128, 2].map(|n| WebhookDeliveryId::from_uuid(uuid::Uuid::from_u128(n)));
        let signed = secret.sign(one, at(5), b"{}");
        assert_eq!(signed, secret.sign(one, at(5), b"{}"));
        for other in [
            secret.sign(two, at(5), b"{}"),
            secret.sign(one, at(6), b"{}"),
            secret.sign(one, at(5), b"{ }"),
        ] {
            assert_ne!(signed, other);
        }
    }

    #[test]
    fn a_sealed_secret_opens_for_its_endpoint_only() {
        let secret = WebhookSecret::generate(&mut crate::rng());
        let sealed = secret.seal(&keys(), endpoint(1), &mut crate::rng());
        let opened = WebhookSecret::open(&keys(), &sealed, endpoint(1)).unwrap();
        assert_eq!(opened.written(), secret.written());
        assert!(WebhookSecret::open(&keys(), &sealed, endpoint(2)).is_err());
        assert!(!format!("{secret:?}").contains(&secret.written()[6..]));
    }
}
