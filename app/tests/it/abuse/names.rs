//! Names that are advertisements: an invitation bears the operator's name, whoever caused it.

use app::http::Client;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{CHOSEN, JSON};
use crate::harness::{JWT_SECRET, Stack, TestApp, text};
use crate::mail::TestMail;

on_both_stacks!(
    a_name_that_links_is_refused,
    a_name_that_nobody_could_read_is_refused,
    honest_names_are_taken,
    a_name_that_is_taken_all_the_same_links_nothing,
    a_contract_takes_any_name_and_the_mail_links_nothing,
);

const LINKS: [&str; 9] = [
    "evil.com",
    "Win at evil.com",
    "https://evil.example/x",
    "hxxp://evil",
    "evil[.]com",
    "evil\u{FF0E}com",
    "www.evil",
    "call 1.800.555.0199",
    "+1 800 555 0199",
];
const UNREADABLE: [&str; 10] = [
    "Acme\r\nBcc: b@example.com",
    "Acme\u{0}",
    "Acme\u{1b}[31m",
    "Acme\u{2028}",
    "\u{202E}emcA",
    "\u{2066}Acme\u{2069}",
    "Ac\u{200B}me",
    "A\u{300}\u{301}\u{302}\u{303}\u{304}cme",
    "🚀🚀",
    " ",
];
const HONEST: [&str; 8] = [
    "J.R. Smith",
    "Dr. No",
    "St. Mary's",
    "Acme Inc.",
    "GmbH & Co. KG",
    "O'Neil-Šťastný",
    "王秀英",
    "Team 🚀",
];

/// Every place where our own API takes a name that mails show: client, method, path, body, field.
fn places(app: &TestApp, name: &str) -> [(Client, &'static str, String, Value, &'static str); 4] {
    let (own, operator) = (app.client.clone(), app.operator());
    let organization = format!("/v1/organizations/{}", app.organization);
    let person = |field: &str| json!({"email": "ann@example.com", (field): name});
    [
        (own.clone(), "POST", app.invitations(), person("first_name"), "first_name"),
        (own.clone(), "POST", app.invitations(), person("last_name"), "last_name"),
        (own, "PATCH", organization, json!({ "name": name }), "name"),
        (operator, "POST", "/v1/organizations".to_owned(), json!({ "name": name }), "name"),
    ]
}

async fn refused_everywhere(app: &TestApp, names: &[&str]) {
    let before = app.get(&format!("/v1/organizations/{}", app.organization)).await;
    for name in names {
        for (client, method, path, body, field) in places(app, name) {
            let body = body.to_string();
            let answer = client.send(method, &path, &[JSON], body.as_bytes()).await.unwrap();
            assert_eq!(answer.status, 422, "{method} {path} {name:?}: {}", answer.text());
            assert_eq!(answer.json()["errors"][0]["field"], field, "{name:?}");
        }
    }
    assert_eq!(app.get(&format!("/v1/organizations/{}", app.organization)).await, before);
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
    assert!(app.mails().await.is_empty());
}

async fn a_name_that_links_is_refused(stack: Stack) {
    refused_everywhere(&TestApp::start(stack).await, &LINKS).await;
}

async fn a_name_that_nobody_could_read_is_refused(stack: Stack) {
    let app = TestApp::start(stack).await;
    refused_everywhere(&app, &UNREADABLE).await;
    refused_everywhere(&app, &[&"a".repeat(65)]).await;
}

async fn honest_names_are_taken(stack: Stack) {
    let app = TestApp::start(stack).await;
    for (number, name) in HONEST.iter().enumerate() {
        let body = json!({
            "email": format!("n{number}@example.com"), "first_name": name, "last_name": name,
        });
        let answer = app.post(&body).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        app.until(answer.header("location").unwrap(), "sent").await;
        let mail = &app.mails_to(&format!("n{number}@example.com")).await[0];
        assert!(mail.text.contains(&format!("Hello {name},")), "{}", mail.text);
    }
}

/// Nothing in the mail but our own link can be clicked.
fn links_nothing(mail: &TestMail) {
    let whole = mail.source.replace("=\r\n", "");
    for bad in ["evil.com", "evil.example", "//evil", "555.0199"] {
        assert!(!mail.text.contains(bad) && !whole.contains(bad), "{bad} in {}", mail.text);
    }
    assert!(mail.text.contains("evil.\u{2060}com"), "still readable: {}", mail.text);
}

async fn a_name_that_is_taken_all_the_same_links_nothing(stack: Stack) {
    let app = TestApp::start_with_settings(stack, &[("WELCOMAT_NAMES_LINKS", "defang")]).await;
    let (path, name) = (format!("/v1/organizations/{}", app.organization), "Win at evil.com");
    let rename = json!({ "name": name }).to_string();
    let renamed = app.client.send("PATCH", &path, &[JSON], rename.as_bytes()).await.unwrap();
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!(name)));
    let body = json!({
        "email": "ann@example.com", "first_name": "http://evil.example/x",
        "last_name": "1.800.555.0199", "role": "evil.com",
    });
    let answer = app.post(&body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    app.until(answer.header("location").unwrap(), "sent").await;
    links_nothing(&app.mails_to("ann@example.com").await[0]);
}

async fn a_contract_takes_any_name_and_the_mail_links_nothing(stack: Stack) {
    let app = TestApp::start_with_settings(stack, &[]).await;
    let path = format!("/api/v1/users/invite/{}", app.organization);
    let body = json!({"first_name": "Win", "last_name": "evil.com", "email": "eve@example.com"});
    let headers = [JSON, ("Prefer", "wait=30")];
    let body = body.to_string();
    let invited = app.client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
    assert_eq!(
        (invited.status, &invited.json()["user"]["full_name"]),
        (200, &json!("Win evil.com"))
    );
    // Who has such a name invites others by it.
    let token = app.mails_to("eve@example.com").await[0].token();
    let accept = json!({"token": token, "password": CHOSEN});
    let (_, joined) = app.act("/v1/invitations/accept", &accept).await;
    let claims = json!({
        "sub": text(&joined["user_id"]), "org": app.organization, "role": "admin",
        "exp": app.clock.now().timestamp() + 600,
    });
    let secret = EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let token = encode(&Header::default(), &claims, &secret).unwrap();
    let eve = app.client.clone().with_key(Some(token));
    let body = json!({"email": "ann@example.com"});
    let answer = eve.post(&app.invitations(), &body).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    app.until(answer.header("location").unwrap(), "sent").await;
    let mail = &app.mails_to("ann@example.com").await[0];
    assert!(mail.text.contains("has invited you"), "{}", mail.text);
    links_nothing(mail);
}
