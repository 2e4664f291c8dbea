//! Bearer tokens: who is accepted, by which algorithm, until when, and everything that is refused.

use adapters::store::OrganizationKey;
use api::{Claims, TokenError, TokenVerifier};
use domain::{KeyRole, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::key_server::{Answer, KeyServer};
use crate::signing::{
    JWKS, NOW, ORGANIZATION, SECRET, base64, claims, claims_with, now, sign, signed_by,
    signed_by_secret, signer, verifier, verifier_with_keys,
};

/// A verifier that knows the secret and all three keys.
fn complete() -> TokenVerifier {
    verifier_with_keys(JWKS, &[("JWT_SECRET", SECRET)])
}

async fn refusal(verifier: &TokenVerifier, token: &str) -> TokenError {
    verifier.verify(token, now()).await.expect_err(token)
}

#[tokio::test]
async fn every_algorithm_is_accepted_with_its_own_key() {
    let verifier = complete();
    for token in
        [signed_by("rsa"), signed_by("p256"), signed_by("ed25519"), signed_by_secret(&claims())]
    {
        let organization = OrganizationKey::Id(ORGANIZATION.parse().unwrap());
        let expected = Claims { subject: "auth0|7".into(), organization, role: KeyRole::Admin };
        assert_eq!(verifier.verify(&token, now()).await, Ok(expected));
    }
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let verifier = complete();
    for token in
        [signed_by("rsa"), signed_by("p256"), signed_by("ed25519"), signed_by_secret(&claims())]
    {
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let other = base64(&claims_with(&json!({"sub": "root"})).to_string());
        let forged = format!("{header}.{other}.{signature}");
        assert_eq!(refusal(&verifier, &forged).await, TokenError::Signature);
        let cut = format!("{header}.{other}.{}", &signature[..40]);
        assert_eq!(refusal(&verifier, &cut).await, TokenError::Signature);
        let unsigned = format!("{header}.{other}.");
        assert_eq!(refusal(&verifier, &unsigned).await, TokenError::Signature);
    }
    let key = EncodingKey::from_secret(b"another secret of more than 32 bytes");
    let foreign = sign(&json!({"alg": "HS256"}), &claims(), &key, Algorithm::HS256);
    assert_eq!(refusal(&verifier, &foreign).await, TokenError::Signature);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let verifier = complete();
    let token = signed_by("rsa");
    let twice = json!({"alg": "HS256"}).to_string().replace('}', ",\"alg\":\"HS256\"}");
    for text in [
        String::new(),
        "..".into(),
        "wlc_some_api_key".into(),
        token.replace('.', ""),
        format!("{token}.{token}"),
        format!("{token}.x"),
        format!(" {token}"),
        format!("{}.e30.x", base64("[]")),
        format!("{}.e30.x", base64("{}")),
        format!("{}.e30.x", base64(&twice)),
    ] {
        assert_eq!(refusal(&verifier, &text).await, TokenError::Malformed, "{text}");
    }
    let long = signed_by_secret(&claims_with(&json!({"padding": "x".repeat(8192)})));
    assert_eq!(refusal(&verifier, &long).await, TokenError::TooLong);
}

#[tokio::test]
async fn no_token_is_accepted_without_a_signature() {
    let verifier = complete();
    for name in ["none", "None", "NONE", "nOnE", "", "HS1"] {
        let header = base64(&json!({"alg": name, "typ": "JWT"}).to_string());
        let payload = base64(&claims().to_string());
        for token in [format!("{header}.{payload}."), format!("{header}.{payload}")] {
            assert_eq!(refusal(&verifier, &token).await, TokenError::Malformed, "{name}");
        }
    }
}

#[tokio::test]
async fn no_other_algorithm_is_accepted_even_with_a_right_signature() {
    let verifier = complete();
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    let (rsa, _) = signer("rsa");
    for (key, algorithm) in [
        (&secret, Algorithm::HS384),
        (&secret, Algorithm::HS512),
        (&rsa, Algorithm::RS384),
        (&rsa, Algorithm::RS512),
        (&rsa, Algorithm::PS256),
        (&rsa, Algorithm::PS384),
        (&rsa, Algorithm::PS512),
    ] {
        let header = json!({"alg": format!("{algorithm:?}"), "kid": "rsa"});
        let token = sign(&header, &claims(), key, algorithm);
        assert_eq!(refusal(&verifier, &token).await, TokenError::Algorithm, "{algorithm:?}");
    }
}

/// The classic: the public key, which everybody has, taken for a shared secret.
#[tokio::test]
async fn a_public_key_is_never_a_secret() {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let modulus = jwks["keys"][0]["n"].as_str().unwrap();
    for public in [modulus.to_owned(), JWKS.to_owned(), jwks["keys"][0].to_string()] {
        let key = EncodingKey::from_secret(public.as_bytes());
        let header = json!({"alg": "HS256", "kid": "rsa"});
        let token = sign(&header, &claims(), &key, Algorithm::HS256);
        assert_eq!(refusal(&complete(), &token).await, TokenError::Signature);
        let keys_only = verifier_with_keys(JWKS, &[]);
        assert_eq!(refusal(&keys_only, &token).await, TokenError::NotConfigured);
    }
}

#[tokio::test]
async fn a_key_is_for_one_algorithm() {
    let verifier = complete();
    for (claimed, kid, by) in [
        ("RS256", "p256", "p256"),
        ("RS256", "ed25519", "rsa"),
        ("ES256", "rsa", "p256"),
        ("ES256", "ed25519", "ed25519"),
        ("EdDSA", "p256", "ed25519"),
        ("EdDSA", "nobody", "ed25519"),
        ("EdDSA", "", "ed25519"),
    ] {
        let (key, algorithm) = signer(by);
        let token = sign(&json!({"alg": claimed, "kid": kid}), &claims(), &key, algorithm);
        assert_eq!(refusal(&verifier, &token).await, TokenError::UnknownKey, "{claimed} {kid}");
    }
}

#[tokio::test]
async fn keys_that_a_token_brings_along_do_not_count() {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let verifier = verifier_with_keys(&json!({"keys": [jwks["keys"][0]]}).to_string(), &[]);
    let server = KeyServer::start(Answer::Document(JWKS.into()));
    let (key, algorithm) = signer("ed25519");
    for extra in [
        json!({"jwk": jwks["keys"][2]}),
        json!({"jku": server.url()}),
        json!({"x5u": server.url()}),
        json!({"jku": server.url(), "kid": "ed25519"}),
    ] {
        let mut header = json!({"alg": "EdDSA"});
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let token = sign(&header, &claims(), &key, algorithm);
        assert_eq!(refusal(&verifier, &token).await, TokenError::UnknownKey, "{header}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_header_that_demands_extensions_is_refused() {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for (crit, refused) in [
        (json!(["exp"]), TokenError::Critical),
        (json!(["b64"]), TokenError::Critical),
        (json!([]), TokenError::Critical),
        (json!("b64"), TokenError::Malformed),
    ] {
        let header = json!({"alg": "HS256", "crit": crit, "b64": true});
        let token = sign(&header, &claims(), &key, Algorithm::HS256);
        assert_eq!(refusal(&complete(), &token).await, refused, "{crit}");
    }
}

#[tokio::test]
async fn a_key_without_a_name_is_found_only_where_there_is_no_choice() {
    let (key, algorithm) = signer("ed25519");
    let token = sign(&json!({"alg": "EdDSA"}), &claims(), &key, algorithm);
    assert!(complete().verify(&token, now()).await.is_ok());
    let mut jwks: Value = serde_json::from_str(JWKS).unwrap();
    let mut second = jwks["keys"][2].clone();
    second["kid"] = json!("next");
    jwks["keys"].as_array_mut().unwrap().push(second);
    let verifier = verifier_with_keys(&jwks.to_string(), &[]);
    assert_eq!(refusal(&verifier, &token).await, TokenError::UnknownKey);
    assert!(verifier.verify(&signed_by("ed25519"), now()).await.is_ok());
}

#[tokio::test]
async fn a_token_counts_from_its_beginning_to_its_end_give_or_take_the_leeway() {
    let verifier = verifier(&[("JWT_SECRET", SECRET), ("JWT_LEEWAY", "10s")]);
    for (times, outcome) in [
        (json!({"exp": NOW - 9}), Ok(())),
        (json!({"exp": NOW - 10}), Err(TokenError::Expired)),
        (json!({"exp": 1_789_999_990.5}), Ok(())),
        (json!({"exp": 0}), Err(TokenError::Expired)),
        (json!({"exp": -1}), Err(TokenError::Expired)),
        (json!({"exp": 1e300}), Ok(())),
        (json!({"exp": null}), Err(TokenError::Claim("exp"))),
        (json!({"exp": (NOW + 9).to_string()}), Err(TokenError::Malformed)),
        (json!({"nbf": NOW + 10}), Ok(())),
        (json!({"nbf": NOW + 11}), Err(TokenError::NotYetValid)),
        (json!({"nbf": "soon"}), Err(TokenError::Malformed)),
        (json!({"iat": NOW + 10}), Ok(())),
        (json!({"iat": NOW + 11}), Err(TokenError::NotYetValid)),
        (json!({"iat": NOW - 1_000_000}), Ok(())),
    ] {
        let token = signed_by_secret(&claims_with(&times));
        assert_eq!(verifier.verify(&token, now()).await.map(|_| ()), outcome, "{times}");
    }
    // The time is the caller's: the same token as of other days.
    let token = signed_by_secret(&claims());
    for (day, outcome) in [(0, Ok(())), (1, Err(TokenError::Expired)), (-1, Ok(()))] {
        let then = Timestamp::from_timestamp(NOW + day * 86_400, 0).unwrap();
        assert_eq!(verifier.verify(&token, then).await.map(|_| ()), outcome, "day {day}");
    }
}

#[tokio::test]
async fn issuer_and_audience_count_when_they_are_set() {
    let open = verifier(&[("JWT_SECRET", SECRET)]);
    let strict = verifier(&[
        ("JWT_SECRET", SECRET),
        ("JWT_ISSUER", "https://id.example"),
        ("JWT_AUDIENCE", "welcomat"),
    ]);
    let iss = "https://id.example";
    let [wrong_iss, wrong_aud] = ["iss", "aud"].map(|name| Err(TokenError::Claim(name)));
    for (said, outcome) in [
        (json!({"iss": iss, "aud": "welcomat"}), Ok(())),
        (json!({"iss": iss, "aud": ["other", "welcomat"]}), Ok(())),
        (json!({"iss": iss, "aud": "other"}), wrong_aud),
        (json!({"iss": iss, "aud": ["other"]}), wrong_aud),
        (json!({"iss": iss, "aud": []}), wrong_aud),
        (json!({"iss": iss}), wrong_aud),
        (json!({"iss": "https://id.example/", "aud": "welcomat"}), wrong_iss),
        (json!({"aud": "welcomat"}), wrong_iss),
    ] {
        let token = signed_by_secret(&claims_with(&said));
        assert_eq!(strict.verify(&token, now()).await.map(|_| ()), outcome, "{said}");
        assert!(open.verify(&token, now()).await.is_ok(), "{said}");
    }
}

#[tokio::test]
async fn the_claims_about_the_holder_are_read_strictly() {
    let verifier = verifier(&[("JWT_SECRET", SECRET)]);
    let id = OrganizationKey::Id(ORGANIZATION.parse().unwrap());
    for (org, read) in [
        (json!(ORGANIZATION), Some(id)),
        (json!(7), Some(OrganizationKey::Number(7))),
        (json!("7"), Some(OrganizationKey::Number(7))),
        (json!("+7"), None),
        (json!(" 7"), None),
        (json!(""), None),
        (json!(7.5), None),
        (json!(u64::MAX), None),
        (json!("99999999999999999999"), None),
        (json!("acme"), None),
        (json!([7]), None),
        (json!(null), None),
    ] {
        let token = signed_by_secret(&claims_with(&json!({"org": org})));
        let found = verifier.verify(&token, now()).await.map(|claims| claims.organization);
        assert_eq!(found, read.ok_or(TokenError::Claim("org")), "{org}");
    }
    for (role, read) in [
        (json!("admin"), KeyRole::Admin),
        (json!("Admin"), KeyRole::Member),
        (json!("owner"), KeyRole::Member),
        (json!(["admin"]), KeyRole::Member),
        (json!(null), KeyRole::Member),
    ] {
        let token = signed_by_secret(&claims_with(&json!({"role": role})));
        assert_eq!(verifier.verify(&token, now()).await.unwrap().role, read, "{role}");
    }
    let sub = Err(TokenError::Claim("sub"));
    for (said, outcome) in [
        (json!("é".repeat(255)), Ok(())),
        (json!("é".repeat(256)), sub),
        (json!(""), sub),
        (json!("a\u{0}b"), sub),
        (json!(null), sub),
        (json!(7), Err(TokenError::Malformed)),
    ] {
        let token = signed_by_secret(&claims_with(&json!({"sub": said})));
        assert_eq!(verifier.verify(&token, now()).await.map(|_| ()), outcome, "{said}");
    }
}

#[tokio::test]
async fn without_settings_no_token_is_accepted() {
    let nothing = verifier(&[]);
    assert!(!nothing.is_configured() && complete().is_configured());
    for token in [signed_by_secret(&claims()), signed_by("rsa")] {
        assert_eq!(refusal(&nothing, &token).await, TokenError::NotConfigured);
    }
    assert_eq!(format!("{:?}", complete()), "TokenVerifier { .. }");
}
