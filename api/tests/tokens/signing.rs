//! Makes tokens, honest ones and others, with the test keys beside this file.

use adapters::settings::Settings;
use api::TokenVerifier;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// When all of this happens, in seconds since 1970.
pub const NOW: i64 = 1_790_000_000;
pub const SECRET: &str = "a test secret of more than 32 bytes";
pub const ORGANIZATION: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// The public halves of the keys in `keys`.
pub const JWKS: &str = include_str!("keys/jwks.json");

pub fn now() -> Timestamp {
    Timestamp::from_timestamp(NOW, 0).unwrap()
}

/// The settings that these variables make.
pub fn settings(env: &[(&str, &str)]) -> Settings {
    let env = env.iter().map(|(name, value)| (format!("WELCOMAT_{name}"), (*value).to_owned()));
    Settings::load(None, env).unwrap()
}

pub fn verifier(env: &[(&str, &str)]) -> TokenVerifier {
    TokenVerifier::new(&settings(env)).unwrap()
}

/// A verifier with these keys, and whatever else is set.
pub fn verifier_with_keys(jwks: &str, more: &[(&str, &str)]) -> TokenVerifier {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), jwks).unwrap();
    let mut env = vec![("JWKS", file.path().to_str().unwrap())];
    env.extend(more);
    verifier(&env)
}

/// Claims that are accepted.
pub fn claims() -> Value {
    json!({"sub": "auth0|7", "org": ORGANIZATION, "role": "admin", "exp": NOW + 300})
}

/// The same with some of them replaced, or left out where the replacement is null.
pub fn claims_with(changes: &Value) -> Value {
    changed(&claims(), changes)
}

pub fn changed(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// The three test keys by their `kid`, with the algorithm of each.
pub fn signer(kid: &str) -> (EncodingKey, Algorithm) {
    match kid {
        "rsa" => {
            let pem = include_bytes!("keys/rsa.pem");
            (EncodingKey::from_rsa_pem(pem).unwrap(), Algorithm::RS256)
        }
        "p256" => {
            let pem = include_bytes!("keys/p256.pem");
            (EncodingKey::from_ec_pem(pem).unwrap(), Algorithm::ES256)
        }
        "ed25519" => {
            let pem = include_bytes!("keys/ed25519.pem");
            (EncodingKey::from_ed_pem(pem).unwrap(), Algorithm::EdDSA)
        }
        other => panic!("no key is called {other}"),
    }
}

/// An accepted token of one of the test keys.
pub fn signed_by(kid: &str) -> String {
    let (key, algorithm) = signer(kid);
    sign(&json!({"alg": format!("{algorithm:?}"), "kid": kid}), &claims(), &key, algorithm)
}

pub fn signed_by_secret(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    sign(&json!({"alg": "HS256", "typ": "JWT"}), claims, &key, Algorithm::HS256)
}

/// Signs whatever header and claims with a key, as `algorithm`.
pub fn sign(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64(&header.to_string()), base64(&claims.to_string()));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

pub fn base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}
