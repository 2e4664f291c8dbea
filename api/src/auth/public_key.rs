//! Reads a set of public keys (RFC 7517 §5) and keeps those that may check tokens.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

/// An issuer has a handful: one in use, the next and the last.
const MAX_KEYS: usize = 100;

/// RFC 7518 §3.3 asks for 2048 bits; beyond 4096 a check takes too long to be done for strangers.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A key with the one algorithm it is for. Its `Debug` shows nothing of the key.
#[derive(Debug)]
pub(super) struct PublicKey {
    pub id: Option<String>,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// Reads the keys of a set. Those that are of no use here are left out, as RFC 7517 §5 advises; a
/// set without any other is refused, for it can only be a mistake. The error ends a sentence.
pub(super) fn read_keys(document: &[u8]) -> Result<Vec<PublicKey>, String> {
    let document: Document = serde_json::from_slice(document)
        .map_err(|error| format!("is no JSON Web Key Set: {error}"))?;
    if document.keys.len() > MAX_KEYS {
        return Err(format!("holds more than {MAX_KEYS} keys"));
    }
    let keys: Vec<_> = document.keys.into_iter().filter_map(read_key).collect();
    if keys.is_empty() {
        return Err("holds no public key for RS256, ES256 or EdDSA".into());
    }
    Ok(keys)
}

fn read_key(value: Value) -> Option<PublicKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let algorithm = algorithm(&jwk.algorithm)?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let common = jwk.common;
    let is_for_signatures = common.public_key_use.is_none_or(|u| u == PublicKeyUse::Signature);
    let may_verify = common.key_operations.is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    let stated = common.key_algorithm.is_none_or(|stated| stated == KeyAlgorithm::from(algorithm));
    (is_for_signatures && may_verify && stated && is_sound(&key, algorithm)).then_some(PublicKey {
        id: common.key_id,
        algorithm,
        key,
    })
}

/// A shared secret (`oct`) in a public document is none, so it has no algorithm here.
fn algorithm(parameters: &AlgorithmParameters) -> Option<Algorithm> {
    match parameters {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            Some(Algorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        _ => None,
    }
}

/// Whether the key has the right size and is one at all. The library looks at that only when it
/// checks a token, and a short Ed25519 key makes it panic.
fn is_sound(key: &DecodingKey, algorithm: Algorithm) -> bool {
    let size_fits = match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => {
            RSA_BYTES.contains(&n.iter().skip_while(|byte| **byte == 0).count())
        }
        // A point is a marker and two coordinates.
        DecodingKeyKind::SecretOrDer(bytes) if algorithm == Algorithm::ES256 => bytes.len() == 65,
        DecodingKeyKind::SecretOrDer(bytes) => bytes.len() == 32,
    };
    size_fits && jsonwebtoken::crypto::verify("", b"", key, algorithm).is_ok()
}
