//! Keys: where they may stand, what they look like, and what a wrong one is told.

use serde_json::{Value, json};

use super::{JSON, refusal};
use crate::harness::{KEY, Stack, TestApp, text};

on_both_stacks!(
    a_key_counts_in_its_header_alone,
    a_key_is_shown_once,
    every_useless_key_is_told_the_same,
    an_idempotency_key_has_a_form,
    an_idempotency_key_belongs_to_its_organization,
    what_means_something_to_a_database_is_text,
);

async fn a_key_counts_in_its_header_alone(stack: Stack) {
    let app = TestApp::start(stack).await;
    let stranger = app.client.clone().with_key(None);
    for path in ["?api_key=", "?access_token=", "?key=", "?Authorization=Bearer%20", "/"] {
        let answer = stranger.get(&format!("/v1/me{path}{KEY}")).await.unwrap();
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.text().contains(KEY), "{}", answer.text());
    }
    let cookie = format!("key={KEY}; Authorization=Bearer {KEY}");
    let basic = "Basic d2xjX3Rlc3Q6";
    let bare = KEY.to_owned();
    let twice = [("Authorization", "Bearer x"), ("Authorization", "Bearer y")];
    for headers in [
        &[("Cookie", cookie.as_str())][..],
        &[("X-Api-Key", KEY)],
        &[("Authorization", basic)],
        &[("Authorization", &bare)],
        &twice,
    ] {
        let answer = stranger.send("GET", "/v1/me", headers, b"").await.unwrap();
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(!answer.text().contains(KEY), "{}", answer.text());
    }
}

async fn a_key_is_shown_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (status, made) = app.act("/v1/api-keys", &json!({"name": "CI"})).await;
    assert_eq!(status, 201, "{made}");
    let key = text(&made["key"]);
    // What secret scanners are told to look for, and how they rule out chance (docs/authentication.md).
    let random = key.strip_prefix("wlc_").expect("a prefix");
    let alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    assert!(random.len() == 32 && random.chars().all(|c| alphabet.contains(c)), "{key}");
    assert_eq!(
        app.client.clone().with_key(Some(key.clone())).get("/v1/me").await.unwrap().status,
        200
    );
    for path in ["/v1/api-keys", "/v1/me", &app.invitations()] {
        let answer = app.client.get(path).await.unwrap();
        assert!(!answer.text().contains(&random[..12]), "{path}: {}", answer.text());
    }
}

async fn every_useless_key_is_told_the_same(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, made) = app.act("/v1/api-keys", &json!({"name": "old"})).await;
    let revoke = format!("/v1/api-keys/{}", text(&made["id"]));
    assert_eq!(app.client.send("DELETE", &revoke, &[], b"").await.unwrap().status, 204);
    let mut first = None;
    let nearly = format!("{}x", &KEY[..KEY.len() - 1]);
    for key in [
        None,
        Some(text(&made["key"])),
        Some("wlc_".to_owned()),
        Some(nearly),
        Some(KEY.to_uppercase()),
        Some("x".repeat(7000)),
        Some("eyJhbGciOiJub25lIn0.e30.".to_owned()),
        Some("' OR 1=1 --".to_owned()),
    ] {
        let answer =
            app.client.clone().with_key(key.clone()).get(&app.invitations()).await.unwrap();
        let mut headers = answer.headers.clone();
        headers.retain(|(name, _)| name != "date");
        let said = (answer.status, headers, answer.text());
        assert_eq!(said.0, 401, "{key:?}");
        assert_eq!(first.get_or_insert(said.clone()), &said, "{key:?}");
    }
}

async fn an_idempotency_key_has_a_form(stack: Stack) {
    let app = TestApp::start(stack).await;
    let body = json!({"email": "ann@example.com"}).to_string();
    let (long, longest) = ("k".repeat(256), "k".repeat(255));
    let post = async |keys: &[&str]| {
        let mut headers = vec![JSON];
        headers.extend(keys.iter().map(|key| ("Idempotency-Key", *key)));
        app.client.send("POST", &app.invitations(), &headers, body.as_bytes()).await.unwrap()
    };
    for keys in
        [&[""][..], &[" "], &[&long], &["two words"], &["schlüssel"], &["a", "b"], &["a\tb"]]
    {
        let answer = post(keys).await;
        assert_eq!(refusal(&answer), (400, "bad_idempotency_key".to_owned()), "{keys:?}");
    }
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
    assert_eq!(post(&[&longest]).await.status, 201);
}

async fn an_idempotency_key_belongs_to_its_organization(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, theirs) = app.other_organization().await;
    let body = json!({"email": "ann@example.com"}).to_string();
    let headers = [JSON, ("Idempotency-Key", "k1")];
    let ours =
        app.client.send("POST", &app.invitations(), &headers, body.as_bytes()).await.unwrap();
    let path = format!("/v1/organizations/{other}/invitations");
    let second = theirs.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
    assert_eq!((ours.status, second.status), (201, 201), "{}", second.text());
    assert_eq!(second.header("idempotency-replayed"), None);
    assert_ne!(ours.json()["id"], second.json()["id"]);
}

/// Texts that end a statement, match everything, or are no text to a C program.
const META: [&str; 9] = [
    "'; DROP TABLE invitation; --",
    "\" OR \"\"=\"",
    "1) OR (1=1",
    "%",
    "_",
    "a%' OR '1'='1",
    "\\",
    "$1",
    "*",
];

async fn what_means_something_to_a_database_is_text(stack: Stack) {
    let app = TestApp::start(stack).await;
    app.invite_and_receive("a1@example.com").await;
    for (number, meta) in META.into_iter().enumerate() {
        let body = json!({
            "email": format!("n{number}@example.com"), "first_name": meta, "metadata": {(meta): meta},
        });
        let answer = app.post(&body).await;
        assert_eq!(answer.status, 201, "{meta}: {}", answer.text());
        let found = app.get(answer.header("location").unwrap()).await;
        assert_eq!((&found["first_name"], &found["metadata"][meta]), (&json!(meta), &json!(meta)));
    }
    // As parts of addresses and of filters: nothing is found that was not asked for.
    for (email, found) in [
        ("a1@example.com", 1),
        ("%25@example.com", 0),
        ("_1@example.com", 0),
        ("a%25@example.com", 0),
    ] {
        let list = app.get(&format!("{}?email={email}", app.invitations())).await;
        assert_eq!(list["data"].as_array().map(Vec::len), Some(found), "{email}: {list}");
    }
    for meta in ["'%20OR%201=1", "%25", "%00", "%27;--", "..%2f.."] {
        for path in [
            format!("{}/{meta}", app.invitations()),
            format!("/v1/organizations/{meta}"),
            format!("/v1/organizations/{}/members/{meta}", app.organization),
        ] {
            let answer = app.client.get(&path).await.unwrap();
            assert!([404, 405].contains(&answer.status), "{path}: {}", answer.text());
        }
        let page = app.client.get(&format!("{}?cursor={meta}", app.invitations())).await.unwrap();
        assert_eq!(page.status, 422, "{meta}: {}", page.text());
    }
    let all = app.get(&format!("{}?limit=100", app.invitations())).await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(META.len() + 1));
    assert_ne!(all["data"][0]["id"], Value::Null);
}
