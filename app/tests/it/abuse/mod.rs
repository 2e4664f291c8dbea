//! Abuse and bad input: what somebody may try, and what has to come of it. docs/abuse.md lists all.

mod accounts;
mod bodies;
mod forged;
pub mod headers;
mod keys;
mod links;
mod mails;
mod names;
mod roles;
mod seal_keys;
mod secrets;
pub mod service;
mod slow;
mod tenants;

use app::http::Answer;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{TestApp, text};
use crate::servers::PATIENCE;

/// A password that somebody chooses.
pub const CHOSEN: &str = "correct horse battery staple";
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Opens a connection of its own, for requests that no client would make.
async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Reads until the server closes the connection; a reset counts as an end.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said));
    let _ = reading.await.expect("the server closes the connection");
    String::from_utf8_lossy(&said).into_owned()
}

/// Sends these bytes and nothing else; gives all of the answer.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut stream = connect(app).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    until_closed(&mut stream).await
}

/// The status and `code` of a refusal.
fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, text(&answer.json()["code"]))
}

/// Which events the invitation has seen, oldest first.
async fn events(app: &TestApp, invitation: &str) -> Vec<Value> {
    app.get(invitation).await["events"].as_array().cloned().unwrap_or_default()
}
