//! Which keys of a set may check tokens, and which files stop the start.

use api::{TokenError, TokenVerifier};
use serde_json::{Value, json};

use crate::signing::{JWKS, changed, now, settings, signed_by, verifier_with_keys};

fn key(index: usize) -> Value {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    jwks["keys"][index].clone()
}

/// A set of the key that is looked at and one that makes the set usable.
fn set(looked_at: &Value, index: usize) -> String {
    json!({"keys": [looked_at, key((index + 1) % 3)]}).to_string()
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_left_out() {
    let kids = ["rsa", "p256", "ed25519"];
    let modulus = key(0)["n"].as_str().unwrap().to_owned();
    for (index, changes) in [
        (0, json!({"use": "enc"})),
        (0, json!({"alg": "RS512"})),
        (0, json!({"alg": "PS256"})),
        (0, json!({"alg": "HS256"})),
        (0, json!({"alg": "made up"})),
        (0, json!({"key_ops": ["encrypt"]})),
        (0, json!({"kid": "other"})),
        (0, json!({"kid": null})),
        (0, json!({"kty": "oct", "k": modulus})),
        (0, json!({"kty": "made up"})),
        (0, json!({"n": modulus[..172]})),
        (0, json!({"n": modulus.repeat(3)})),
        (0, json!({"n": "no base64!"})),
        (1, json!({"crv": "P-384"})),
        (1, json!({"crv": "secp256k1"})),
        (1, json!({"y": key(1)["x"]})),
        (1, json!({"y": null})),
        (1, json!({"x": "AAAA"})),
        (2, json!({"crv": "P-256"})),
        (2, json!({"x": "AAAA"})),
        (2, json!({"x": ""})),
    ] {
        let verifier = verifier_with_keys(&set(&changed(&key(index), &changes), index), &[]);
        let refused = verifier.verify(&signed_by(kids[index]), now()).await;
        assert_eq!(refused, Err(TokenError::UnknownKey), "{changes}");
        let neighbour = signed_by(kids[(index + 1) % 3]);
        assert!(verifier.verify(&neighbour, now()).await.is_ok(), "{changes}");
    }
}

#[tokio::test]
async fn keys_need_not_state_more_than_what_they_are() {
    let kids = ["rsa", "p256", "ed25519"];
    for (index, kid) in kids.iter().enumerate() {
        for changes in [
            json!({"use": null, "alg": null}),
            json!({"use": null, "key_ops": ["verify"]}),
            json!({"x5t": "AAAA", "made up": [1]}),
        ] {
            let verifier = verifier_with_keys(&set(&changed(&key(index), &changes), index), &[]);
            assert!(verifier.verify(&signed_by(kid), now()).await.is_ok(), "{kid} {changes}");
        }
    }
}

#[test]
fn a_key_file_of_no_use_stops_the_start_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let many = json!({"keys": vec![key(0); 101]}).to_string();
    let secret_only = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).to_string();
    let long = format!("{JWKS}{}", " ".repeat(256 * 1024));
    let no_key = "holds no public key for RS256, ES256 or EdDSA";
    for (name, content, problem) in [
        ("empty", "", "is no JSON Web Key Set: "),
        ("text", "hush", "is no JSON Web Key Set: "),
        ("object", "{}", "is no JSON Web Key Set: "),
        ("none", "{\"keys\": []}", no_key),
        ("secret", &secret_only, no_key),
        ("many", &many, "holds more than 100 keys"),
        ("long", &long, "is longer than 262144 bytes"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
        let sentence = refused(&folder.path().join(name));
        assert!(sentence.starts_with(problem), "{sentence}");
        assert!(!sentence.contains("hush"), "{sentence}");
    }
    assert!(refused(&folder.path().join("missing")).starts_with("cannot be read: No such file"));
    assert_eq!(refused(folder.path()), "is no regular file");
}

/// The sentence after its beginning, which names the file.
fn refused(path: &std::path::Path) -> String {
    let path = path.to_str().unwrap();
    let error = TokenVerifier::new(&settings(&[("JWKS", path)])).unwrap_err().to_string();
    error.strip_prefix(&format!("jwks names the file {path}, which ")).unwrap().to_owned()
}
