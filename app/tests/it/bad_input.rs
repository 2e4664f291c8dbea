//! Bad input: refused with a problem that names the field; nothing is stored, nothing is sent.

use serde_json::{Value, json};

use crate::harness::{Stack, TestApp};

on_both_stacks!(
    bad_addresses_are_refused,
    bad_names_are_refused,
    bad_bodies_are_refused,
    an_internationalized_domain_is_the_same_in_both_forms,
);

/// Posts each body; every one must be refused with `status`, naming `field`.
async fn refused(app: &TestApp, field: &str, bodies: impl IntoIterator<Item = Value>) {
    for body in bodies {
        let answer = app.post(&body).await;
        let problem = answer.json();
        assert_eq!(answer.status, 422, "{body}: {problem}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    nothing_happened(app).await;
}

async fn nothing_happened(app: &TestApp) {
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
    assert!(app.mails().await.is_empty());
}

async fn bad_addresses_are_refused(stack: Stack) {
    let app = TestApp::start(stack).await;
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_domain = format!("a@{}.com", vec!["b".repeat(60); 5].join("."));
    let addresses = [
        // A1: injection
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@example.com>\r\nRCPT TO:<b@example.com",
        "a\n@example.com",
        "a@example.com\n",
        "\u{0}a@example.com",
        // A2: not one bare address
        "a@example.com,b@example.com",
        "<a@example.com>",
        "A <a@example.com>",
        "@relay.example:a@example.com",
        "a@b@example.com",
        // A3: no full domain
        "a@localhost",
        "a@b",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@",
        "a",
        "",
        " ",
        // A4: quoted or too long
        "\"a b\"@example.com",
        &long_local,
        &long_domain,
        // A5: would need SMTPUTF8
        "ä@example.com",
        "a.@example.com",
        "a..b@example.com",
    ];
    refused(&app, "email", addresses.map(|email| json!({"email": email}))).await;
    let others = [json!({}), json!({"email": null}), json!({"email": 5}), json!({"email": ["a"]})];
    refused(&app, "email", others).await;
}

async fn bad_names_are_refused(stack: Stack) {
    let app = TestApp::start(stack).await;
    let long = "a".repeat(65);
    let stacked = format!("e{}", "\u{301}".repeat(9));
    // A8 line breaks, A9 control characters and separators, A10 what is invisible or misleads
    let names = [
        "Ann\r\nBcc: b@example.com",
        "Ann\nLee",
        "Ann\rLee",
        "Ann\u{0}",
        "Ann\u{7}",
        "Ann\u{85}",
        "Ann\u{2028}",
        "Ann\u{2029}",
        "Ann\u{202E}eeL",
        "Ann\u{2066}",
        "A\u{200B}nn",
        "",
        " ",
        &long,
        &stacked,
    ];
    for field in ["first_name", "last_name"] {
        let body = |name| json!({"email": "ann@example.com", (field): name});
        refused(&app, field, names.map(body)).await;
    }
}

async fn bad_bodies_are_refused(stack: Stack) {
    let app = TestApp::start(stack).await;
    let fits = json!({"email": "ann@example.com"});
    for (field, value) in [
        ("emial", json!("x")),
        ("role", json!("two words")),
        ("role", json!(1)),
        ("locale", json!("english please")),
        ("metadata", json!([])),
        ("metadata", json!({"k": "x".repeat(5000)})),
        ("status", json!("accepted")),
    ] {
        let mut body = fits.clone();
        body[field] = value;
        refused(&app, field, [body]).await;
    }
    let json_type = "application/json";
    let oversize =
        json!({"email": "ann@example.com", "first_name": "x".repeat(40_000)}).to_string();
    for (status, content_type, body) in [
        (400, json_type, "{"),
        (400, json_type, ""),
        (400, json_type, "{\"email\": NaN}"),
        (400, json_type, "{\"email\": \"ann@example.com\"} trailing"),
        (422, json_type, "[]"),
        (422, json_type, "\"ann@example.com\""),
        (422, json_type, "{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}"),
        (415, "text/plain", "{\"email\": \"ann@example.com\"}"),
        (413, json_type, &oversize),
    ] {
        let headers = [("Content-Type", content_type)];
        let path = app.invitations();
        let answer = app.client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, status, "{:.80}: {}", body, answer.text());
        assert!(answer.json()["code"].is_string(), "{}", answer.text());
    }
    let not_utf8 = b"{\"email\": \"ann\xff@example.com\"}";
    let headers = [("Content-Type", json_type)];
    let answer = app.client.send("POST", &app.invitations(), &headers, not_utf8).await.unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    nothing_happened(&app).await;
}

async fn an_internationalized_domain_is_the_same_in_both_forms(stack: Stack) {
    let app = TestApp::start(stack).await;
    let invitation = app.invite("ann@bücher.example").await;
    app.until(&invitation, "sent").await;
    assert_eq!(app.mails().await[0].to, "ann@xn--bcher-kva.example");
    // A6: the same mailbox, whatever its spelling
    for email in ["ann@xn--bcher-kva.example", "ANN@BÜCHER.example"] {
        assert_eq!(app.post(&json!({"email": email})).await.status, 409, "{email}");
    }
}
