//! `Idempotency-Key`: however often a request is repeated, it has its effect once.

use app::http::Answer;
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    a_repeat_is_answered_as_the_first_time,
    a_key_is_good_for_one_request,
    fifty_at_once_make_one_invitation,
);

async fn post(app: &TestApp, key: &str, email: &str) -> Answer {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let body = json!({"email": email}).to_string();
    app.client.send("POST", &app.invitations(), &headers, body.as_bytes()).await.unwrap()
}

async fn a_repeat_is_answered_as_the_first_time(stack: Stack) {
    let app = TestApp::start(stack).await;
    let first = post(&app, "k1", "ann@example.com").await;
    app.until(first.header("location").unwrap(), "sent").await;
    let second = post(&app, "k1", "ann@example.com").await;
    assert_eq!((first.status, second.status), (201, 201), "{}", second.text());
    assert_eq!(second.json()["id"], first.json()["id"]);
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}

async fn a_key_is_good_for_one_request(stack: Stack) {
    let app = TestApp::start(stack).await;
    assert_eq!(post(&app, "k1", "ann@example.com").await.status, 201);
    let other = post(&app, "k1", "bob@example.com").await;
    assert_eq!(
        (other.status, text(&other.json()["code"]).as_str()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(post(&app, "two words", "bob@example.com").await.status, 400);
    assert_eq!(post(&app, "k2", "bob@example.com").await.status, 201);
}

async fn fifty_at_once_make_one_invitation(stack: Stack) {
    let app = TestApp::start(stack).await;
    let answers = join_all((0..50).map(|_| post(&app, "k1", "ann@example.com"))).await;
    let mut ids: Vec<String> = Vec::new();
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text());
        ids.push(text(&answer.json()["id"]));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    app.until(answers[0].header("location").unwrap(), "sent").await;
    assert_eq!(app.get(&app.invitations()).await["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.mails().await.len(), 1);
}
