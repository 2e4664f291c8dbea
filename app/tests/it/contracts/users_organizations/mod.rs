//! `POST /users-organizations/v1/rs/na/{userId}/invite`: the page's example, and what becomes of
//! the invited person.

mod acting;
mod bodies;

use std::time::Duration;

use app::http::{Answer, Client};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::JSON;
use crate::harness::{PREFIX, SESSION_SECRET, Stack, TestApp, text};

on_both_stacks!(
    the_pages_own_example_is_answered_as_the_page_says,
    a_pending_person_keeps_what_was_recorded_first,
    a_member_is_not_invited_but_a_removed_one_comes_back,
    a_repeated_request_invites_once,
    another_users_request_is_another_request,
    who_was_invited_in_another_way_has_no_scope,
);

/// The number of the organization's first admin, whom the key of the tests belongs to.
pub async fn admin(app: &TestApp) -> i64 {
    app.get("/v1/me").await["user"]["number"].as_i64().unwrap()
}

fn path(user: i64) -> String {
    format!("/users-organizations/v1/rs/na/{user}/invite")
}

/// A session token with those claims.
fn signed(claims: &Value, secret: &str) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// What a good session token of that user says.
fn claims(app: &TestApp, user: i64) -> Value {
    let now = app.clock.now().timestamp();
    json!({"userId": user.to_string(), "sessionId": "s-1", "iat": now, "exp": now + 3600})
}

/// A good session token of that user.
pub fn session(app: &TestApp, user: i64) -> String {
    signed(&claims(app, user), SESSION_SECRET)
}

/// Sends a body as that user.
async fn send_as(
    app: &TestApp,
    (client, user): (&Client, i64),
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let token = session(app, user);
    let headers = [&JSON[..], &[("x-session-token", &token)], headers].concat();
    client.send("POST", &path(user), &headers, body.to_string().as_bytes()).await.unwrap()
}

/// Sends a body as the admin.
async fn send(app: &TestApp, headers: &[(&str, &str)], body: &Value) -> Answer {
    send_as(app, (&app.client, admin(app).await), headers, body).await
}

fn wanted(email: &str) -> Value {
    json!({"email": email, "scope": 1, "permissions": {"group": 5, "read": [4], "manage": [1, 2]}})
}

/// Accepts the newest invitation to that address.
async fn accept(app: &TestApp, email: &str) {
    let token = app.mails_to(email).await.last().unwrap().token();
    let accept = json!({"token": token, "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
}

/// Invites somebody who joins at once; gives their number.
async fn join(app: &TestApp, body: &Value) -> i64 {
    let invited = send(app, &[("Prefer", "wait=10")], body).await;
    assert_eq!(invited.status, 201, "{}", invited.text());
    accept(app, &text(&body["email"])).await;
    invited.json()["data"]["userId"].as_i64().unwrap()
}

async fn the_pages_own_example_is_answered_as_the_page_says(stack: Stack) {
    let app = TestApp::start(stack).await;
    let user = admin(&app).await;
    // As curl sends it, at the page's own address with its stage.
    let token = session(&app, user);
    let headers = [
        ("User-Agent", "curl/8.14.1"),
        ("Accept", "*/*"),
        ("content-type", "application/json"),
        ("x-session-token", &token),
    ];
    let body = r#"
{
  "email": "test@mail.com",
  "scope": 1,
  "permissions": {
    "group": 0,
    "manage": [
      1,
      2
    ],
    "read": [
      1,
      2
    ]
  },
  "professionId": 1
}
"#;
    let url = format!("{PREFIX}{}", path(user));
    let answer = app.client.send("POST", &url, &headers, body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("x-email-status"), Some("queued"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let data = &answer.json()["data"];
    let number = &data["userId"];
    assert!(number.as_i64().unwrap() > user, "{number} is the invited person");
    let organization = &app.get("/v1/me").await["organization"]["number"];
    let [updated, created] = ["updatedAt", "createdAt"].map(|time| text(&data[time]));
    let expected = format!(
        "{{\"data\":{{\"userId\":{number},\"organizationId\":{organization},\"scope\":1,\
         \"permissions\":{{\"group\":0,\"read\":[1,2],\"manage\":[1,2]}},\"deletedAt\":null,\
         \"updatedAt\":\"{updated}\",\"createdAt\":\"{created}\"}}}}"
    );
    assert_eq!(answer.text(), expected, "the page's keys, in its order");
    for time in [updated, created] {
        let form: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "0000-00-00T00:00:00.000Z", "{time}");
    }
    let members = app.get(&format!("/v1/organizations/{}/members", app.organization)).await;
    let member = &members["data"][1];
    assert_eq!((&member["user_number"], &member["profession_id"]), (number, &json!(1)));
    let invitation = format!("{}/{}", app.invitations(), answer.header("x-invitation-id").unwrap());
    app.until(&invitation, "sent").await;
    assert_eq!(app.mails_to("test@mail.com").await.len(), 1);
}

async fn a_pending_person_keeps_what_was_recorded_first(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wait = [("Prefer", "wait=10")];
    let first = send(&app, &wait, &wanted("ann@example.com")).await;
    assert_eq!(first.header("x-email-status"), Some("sent"));
    assert_eq!(first.header("preference-applied"), Some("wait=10"));
    let other = json!({"email": "ANN@example.com", "scope": 2, "permissions": {"read": [9]}});
    let second = send(&app, &wait, &other).await;
    assert_eq!((second.status, second.json()), (201, first.json()));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1, "inside the cooldown");
    app.clock.advance(Duration::from_mins(6));
    let third = send(&app, &wait, &other).await;
    assert_eq!((third.status, third.json()), (201, first.json()));
    assert_eq!(third.header("x-invitation-id"), first.header("x-invitation-id"));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 2);
}

async fn a_member_is_not_invited_but_a_removed_one_comes_back(stack: Stack) {
    let app = TestApp::start(stack).await;
    let first = send(&app, &[("Prefer", "wait=10")], &wanted("ann@example.com")).await.json();
    accept(&app, "ann@example.com").await;
    let refused = send(&app, &[], &wanted("Ann@Example.com")).await;
    assert_eq!((refused.status, refused.json()), (409, json!({"message": "Conflict"})));
    let members = format!("/v1/organizations/{}/members", app.organization);
    let ann = text(&app.get(&members).await["data"][1]["user_id"]);
    let gone = app.client.send("DELETE", &format!("{members}/{ann}"), &[], b"").await.unwrap();
    assert_eq!(gone.status, 204);
    let again = json!({"email": "ann@example.com", "scope": 2, "permissions": {"group": 3}});
    let back = send(&app, &[], &again).await;
    assert_eq!(back.status, 201, "{}", back.text());
    let (back, first) = (&back.json()["data"], &first["data"]);
    for same in ["userId", "organizationId", "createdAt"] {
        assert_eq!(back[same], first[same], "{same}");
    }
    assert_eq!((&back["scope"], &back["deletedAt"]), (&json!(2), &Value::Null));
    assert_eq!(back["permissions"], json!({"group": 3, "read": [], "manage": []}));
}

async fn a_repeated_request_invites_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let key = [("Idempotency-Key", "k-1")];
    let first = send(&app, &key, &wanted("ann@example.com")).await;
    let again = send(&app, &key, &wanted("ann@example.com")).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, again.json()), (201, first.json()));
    assert_eq!(again.header("x-invitation-id"), first.header("x-invitation-id"));
    let other = send(&app, &key, &wanted("bob@example.com")).await;
    let bad = send(&app, &[("Idempotency-Key", "k 1")], &wanted("bob@example.com")).await;
    for refused in [other, bad] {
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(text(&refused.json()["message"][0]).contains("Idempotency-Key"));
    }
    assert!(app.mails_to("bob@example.com").await.is_empty());
}

async fn another_users_request_is_another_request(stack: Stack) {
    let app = TestApp::start(stack).await;
    let ann = join(&app, &wanted("ann@example.com")).await;
    let key = [("Idempotency-Key", "k-1")];
    let first = send(&app, &key, &wanted("bob@example.com")).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let by_ann = send_as(&app, (&app.client, ann), &key, &wanted("bob@example.com")).await;
    assert_eq!(by_ann.status, 400, "{}", by_ann.text());
    assert!(text(&by_ann.json()["message"][0]).contains("different request"));
}

async fn who_was_invited_in_another_way_has_no_scope(stack: Stack) {
    let app = TestApp::start(stack).await;
    app.invite_and_receive("ann@example.com").await;
    let answer = send(&app, &[], &wanted("ann@example.com")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let data = &answer.json()["data"];
    assert_eq!(data["scope"], Value::Null);
    assert_eq!(data["permissions"], json!({"group": 0, "read": [], "manage": []}));
}
