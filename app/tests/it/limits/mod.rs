//! Limits: as many as the figure says, then a refusal that says when, and nobody else is in it.

mod contracts;
mod guesses;
mod mails;
mod recipients;
mod standing;

use std::time::Duration;

use app::http::{Answer, Client};
use domain::Window;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};

/// Starts with these limits, at the beginning of a window: it does not end during the test.
async fn start(stack: Stack, limits: &[(&'static str, &str)], window: Window) -> TestApp {
    let app = TestApp::start_with_settings(stack, limits).await;
    next(&app, window);
    app
}

/// Goes on to the next window.
fn next(app: &TestApp, window: Window) {
    app.clock.advance(window.rest(app.clock.now()));
}

/// Invites somebody into an organization, whatever comes of it.
async fn invite(client: &Client, organization: &str, email: &str) -> Answer {
    let path = format!("/v1/organizations/{organization}/invitations");
    client.post(&path, &json!({ "email": email })).await.unwrap()
}

/// The request is refused with this code until some time within the window.
fn assert_limited(answer: &Answer, code: &str, window: Window) {
    let problem = answer.json();
    assert_eq!((answer.status, text(&problem["code"]).as_str()), (429, code), "{problem}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let length = window.length().num_seconds();
    let wait = retry_after(answer).as_secs();
    assert!((1..=length.unsigned_abs()).contains(&wait), "{wait} of {length}");
}

fn retry_after(answer: &Answer) -> Duration {
    let header = answer.header("retry-after").expect("a Retry-After");
    Duration::from_secs(header.parse().expect("in seconds"))
}

/// One number from the database.
async fn ask(app: &TestApp, query: &str) -> i64 {
    let database = Database::connect(&app.database_url).await.unwrap();
    let sqlite = app.database_url.starts_with("sqlite:");
    let backend = if sqlite { DbBackend::Sqlite } else { DbBackend::Postgres };
    let row = database.query_one_raw(Statement::from_string(backend, query)).await.unwrap();
    let number = row.unwrap().try_get_by_index(0).unwrap();
    database.close().await.unwrap();
    number
}

/// How often the audit log has this.
async fn events(app: &TestApp, kind: &str) -> i64 {
    ask(app, &format!("SELECT count(*) FROM event WHERE kind = '{kind}'")).await
}

/// Accepts by the link of a mail.
async fn accept(app: &TestApp, token: &str) -> (u16, Value) {
    let body = json!({"token": token, "password": "correct horse battery staple"});
    app.act("/v1/invitations/accept", &body).await
}
