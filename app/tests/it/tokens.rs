//! Tokens of a product's own sign-in in place of API keys.

use app::http::Client;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::harness::{JWT_SECRET, Stack, TestApp, text};

on_both_stacks!(
    a_token_acts_in_its_organization_with_its_role,
    a_token_names_its_organization_by_id_or_number,
    tokens_that_say_or_prove_too_little_open_nothing,
    tokens_of_an_issuer_with_public_keys_open_what_they_say,
    the_audit_log_names_who_the_token_speaks_for,
);

fn signed(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn claims(app: &TestApp, changes: &Value) -> Value {
    let mut claims = json!({
        "sub": "somebody", "org": app.organization, "role": "admin",
        "exp": app.clock.now().timestamp() + 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Whoever has a token that says so.
pub fn holder(app: &TestApp, changes: &Value) -> Client {
    let token = signed(&claims(app, changes), JWT_SECRET);
    app.client.clone().with_key(Some(token))
}

/// A token that speaks for the first admin.
pub async fn token_of_admin(app: &TestApp) -> String {
    let me = app.get("/v1/me").await;
    signed(&claims(app, &json!({ "sub": me["user"]["id"] })), JWT_SECRET)
}

/// A token of a user who is a member of that organization.
pub fn token_of(app: &TestApp, user: &Value, organization: &str) -> Client {
    holder(app, &json!({ "sub": user, "org": organization, "role": "member" }))
}

async fn a_token_acts_in_its_organization_with_its_role(stack: Stack) {
    let app = TestApp::start(stack).await;
    let body = json!({"email": "ann@example.com"});
    for role in [json!("member"), json!("owner"), Value::Null] {
        let reader = holder(&app, &json!({ "role": role }));
        assert_eq!(reader.get(&app.invitations()).await.unwrap().status, 200);
        assert_eq!(reader.post(&app.invitations(), &body).await.unwrap().status, 403, "{role}");
    }
    let admin = holder(&app, &json!({}));
    assert_eq!(admin.post(&app.invitations(), &body).await.unwrap().status, 201);
    let (other, _) = app.other_organization().await;
    let theirs = format!("/v1/organizations/{other}/invitations");
    assert_eq!(admin.get(&theirs).await.unwrap().status, 404);
    let contract = format!("/api/v1/users/invite/{other}");
    let answer = admin.post(&contract, &json!({})).await.unwrap();
    assert_eq!(answer.status, 403, "a contract tells another organization's token so");
    let made = admin.post("/v1/organizations", &json!({"name": "Mine"})).await.unwrap();
    assert_eq!(text(&made.json()["code"]), "instance_key_required");
}

async fn a_token_names_its_organization_by_id_or_number(stack: Stack) {
    let app = TestApp::start(stack).await;
    let number = app.get("/v1/me").await["organization"]["number"].clone();
    for org in [json!(app.organization), number.clone(), number.to_string().into()] {
        let me = holder(&app, &json!({ "org": org })).get("/v1/me").await.unwrap().json();
        assert_eq!(me["organization"]["id"], app.organization, "{org}");
    }
    for org in [json!("01890a5d-ac96-774b-bcce-b302099a8057"), json!(99), json!("Acme")] {
        let answer = holder(&app, &json!({ "org": org })).get("/v1/me").await.unwrap();
        assert_eq!(answer.status, 401, "{org}");
    }
}

async fn tokens_that_say_or_prove_too_little_open_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let now = app.clock.now().timestamp();
    for changes in [
        json!({"exp": now - 120}),
        json!({"exp": null}),
        json!({"nbf": now + 120}),
        json!({"sub": ""}),
        json!({"org": null}),
    ] {
        let answer = holder(&app, &changes).get("/v1/me").await.unwrap();
        assert_eq!(answer.status, 401, "{changes}");
        assert_eq!(text(&answer.json()["code"]), "unauthorized");
    }
    let good = signed(&claims(&app, &json!({})), JWT_SECRET);
    let [_, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    // {"alg":"none"}
    let none = "eyJhbGciOiJub25lIn0";
    for token in [
        signed(&claims(&app, &json!({})), "another secret of at least 32 bytes!"),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        good.replace(signature, &signature.chars().rev().collect::<String>()),
    ] {
        let answer = app.client.clone().with_key(Some(token)).get("/v1/me").await.unwrap();
        assert_eq!(answer.status, 401);
    }
}

async fn tokens_of_an_issuer_with_public_keys_open_what_they_say(stack: Stack) {
    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/tests/tokens/keys");
    let set = format!("{KEYS}/jwks.json");
    let settings = [("WELCOMAT_JWKS", set.as_str()), ("WELCOMAT_JWT_AUDIENCE", "welcomat")];
    let app = TestApp::start_with_settings(stack, &settings).await;
    let pem = |name: &str| std::fs::read(format!("{KEYS}/{name}.pem")).unwrap();
    let keys = [
        (Algorithm::RS256, "rsa", EncodingKey::from_rsa_pem(&pem("rsa")).unwrap()),
        (Algorithm::ES256, "p256", EncodingKey::from_ec_pem(&pem("p256")).unwrap()),
        (Algorithm::EdDSA, "ed25519", EncodingKey::from_ed_pem(&pem("ed25519")).unwrap()),
    ];
    let good = claims(&app, &json!({"aud": "welcomat"}));
    let foreign = claims(&app, &json!({"aud": "another service"}));
    for (algorithm, kid, key) in &keys {
        let header = Header { kid: Some((*kid).to_owned()), ..Header::new(*algorithm) };
        for (claims, status) in [(&good, 200), (&foreign, 401)] {
            let token = encode(&header, claims, key).unwrap();
            let holder = app.client.clone().with_key(Some(token));
            assert_eq!(holder.get("/v1/me").await.unwrap().status, status, "{kid}: {claims}");
        }
    }
    // A public key is no secret: taken for one, it would open everything to everybody.
    let confused = Header { kid: Some("rsa".to_owned()), ..Header::new(Algorithm::HS256) };
    let public = EncodingKey::from_secret(&std::fs::read(&set).unwrap());
    let token = encode(&confused, &good, &public).unwrap();
    let holder = app.client.clone().with_key(Some(token));
    assert_eq!(holder.get("/v1/me").await.unwrap().status, 401);
}

async fn the_audit_log_names_who_the_token_speaks_for(stack: Stack) {
    let app = TestApp::start(stack).await;
    let me = app.get("/v1/me").await;
    let actor = async |subject: &Value, email: &str| {
        let holder = holder(&app, &json!({ "sub": subject }));
        let seen = holder.get("/v1/me").await.unwrap().json()["user"].clone();
        let made = holder.post(&app.invitations(), &json!({ "email": email })).await.unwrap();
        let invitation = app.get(made.header("location").unwrap()).await;
        (seen, text(&invitation["events"][0]["actor"]))
    };
    let user = &me["user"];
    let known = format!("user:{} token", text(&user["id"]));
    assert_eq!(actor(&user["id"], "a@example.com").await, (user.clone(), known.clone()));
    let number = user["number"].to_string().into();
    assert_eq!(actor(&number, "b@example.com").await, (user.clone(), known));
    let stranger = actor(&json!("auth0|5f7c"), "c@example.com").await;
    assert_eq!(stranger, (Value::Null, "token:auth0|5f7c".to_owned()));
}
