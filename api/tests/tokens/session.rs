//! The header `x-session-token`: what it must say, and what is refused.

use api::{SessionClaims, SessionTokenVerifier, TokenError};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::signing::{
    NOW, SECRET, changed, now, settings, sign, signed_by, signed_by_secret, signer,
};

fn verifier() -> SessionTokenVerifier {
    SessionTokenVerifier::new(&settings(&[("SESSION_TOKEN_SECRET", SECRET)]))
}

/// As in the contract's example.
fn session() -> Value {
    let (iat, exp) = (NOW - 60, NOW + 86_340);
    json!({"userId": "1234567890", "sessionId": "abcdef123456", "iat": iat, "exp": exp})
}

#[test]
fn all_four_claims_are_required_and_read() {
    let verifier = verifier();
    let session_id = || String::from("abcdef123456");
    let expected = SessionClaims { user: 1_234_567_890, session: session_id() };
    assert_eq!(verifier.verify(&signed_by_secret(&session()), now()), Ok(expected));
    let [user, id] = ["userId", "sessionId"].map(|name| Err(TokenError::Claim(name)));
    let [iat, exp] = ["iat", "exp"].map(|name| Err(TokenError::Claim(name)));
    for (said, outcome) in [
        (json!({"userId": 7}), Ok(7)),
        (json!({"userId": "7"}), Ok(7)),
        (json!({"userId": "07"}), Ok(7)),
        (json!({"userId": "-7"}), user),
        (json!({"userId": -7}), user),
        (json!({"userId": 7.5}), user),
        (json!({"userId": ""}), user),
        (json!({"userId": "seven"}), user),
        (json!({"userId": "99999999999999999999"}), user),
        (json!({"userId": null}), user),
        (json!({"sessionId": null}), id),
        (json!({"sessionId": ""}), id),
        (json!({"sessionId": 7}), Err(TokenError::Malformed)),
        (json!({"iat": null}), iat),
        (json!({"iat": NOW + 61}), Err(TokenError::NotYetValid)),
        (json!({"nbf": NOW + 61}), Err(TokenError::NotYetValid)),
        (json!({"exp": null}), exp),
        (json!({"exp": NOW - 59}), Ok(1_234_567_890)),
        (json!({"exp": NOW - 60}), Err(TokenError::Expired)),
    ] {
        let token = signed_by_secret(&changed(&session(), &said));
        assert_eq!(verifier.verify(&token, now()).map(|claims| claims.user), outcome, "{said}");
    }
}

#[test]
fn only_hs256_with_our_secret_counts() {
    let verifier = verifier();
    let other = EncodingKey::from_secret(b"another secret of more than 32 bytes");
    let ours = EncodingKey::from_secret(SECRET.as_bytes());
    let (rsa, _) = signer("rsa");
    for (name, key, algorithm, refused) in [
        ("HS256", &other, Algorithm::HS256, TokenError::Signature),
        ("HS512", &ours, Algorithm::HS512, TokenError::Algorithm),
        ("RS256", &rsa, Algorithm::RS256, TokenError::Algorithm),
        ("none", &ours, Algorithm::HS256, TokenError::Malformed),
    ] {
        let token = sign(&json!({"alg": name}), &session(), key, algorithm);
        assert_eq!(verifier.verify(&token, now()), Err(refused), "{name}");
    }
    assert_eq!(verifier.verify(&signed_by("rsa"), now()), Err(TokenError::Algorithm));
    assert_eq!(verifier.verify("", now()), Err(TokenError::Malformed));
    assert_eq!(verifier.verify(&"x".repeat(8193), now()), Err(TokenError::TooLong));
}

#[test]
fn without_a_secret_no_session_token_counts() {
    let nothing = SessionTokenVerifier::new(&settings(&[("JWT_SECRET", SECRET)]));
    let token = signed_by_secret(&session());
    assert_eq!(nothing.verify(&token, now()), Err(TokenError::NotConfigured));
    assert!(!nothing.is_configured() && verifier().is_configured());
    assert_eq!(format!("{:?}", verifier()), "SessionTokenVerifier { .. }");
}
