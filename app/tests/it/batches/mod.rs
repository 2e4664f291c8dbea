//! Many invitations at once: every format, bad files, all or nothing, retry, cancel, and crashes.

mod atomic;
mod bad_input;
mod broken_off;
#[cfg(feature = "failpoints")]
mod crashes;
mod endless;
mod formats;
mod large;
mod limited;
mod paced;
mod told;

use app::http::{Answer, Client};
use serde_json::Value;

use crate::harness::TestApp;
use crate::servers::{eventually, eventually_within};

/// Thousands of rows by a debug build on a busy machine.
const LONG: std::time::Duration = std::time::Duration::from_mins(5);

pub const CSV: &str = "text/csv";
pub const NDJSON: &str = "application/x-ndjson";
pub const JSON: &str = "application/json";

/// Sends a batch, whatever comes of it.
pub async fn send(app: &TestApp, kind: &str, query: &str, body: &[u8]) -> Answer {
    send_as(&app.client, &app.organization, &[("Content-Type", kind)], query, body).await
}

pub async fn send_as(
    client: &Client,
    organization: &str,
    headers: &[(&str, &str)],
    query: &str,
    body: &[u8],
) -> Answer {
    let path = format!("/v1/organizations/{organization}/batches{query}");
    client.send("POST", &path, headers, body).await.unwrap()
}

/// Sends a partial batch that is taken; gives its path.
pub async fn taken(app: &TestApp, kind: &str, body: &str) -> String {
    let answer = send(app, kind, "", body.as_bytes()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json()["status"], "working");
    answer.header("location").expect("a Location").to_owned()
}

/// Waits until no row waits; gives the batch.
pub async fn finished(app: &TestApp, path: &str) -> Value {
    finished_at(&app.client, path).await
}

pub async fn finished_at(client: &Client, path: &str) -> Value {
    eventually_within(LONG, &format!("{path} is finished"), async || {
        let answer = client.get(path).await.ok()?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        (answer.json()["status"] != "working").then(|| answer.json())
    })
    .await
}

/// Every row as its number, line, address, status and code.
pub async fn rows(app: &TestApp, path: &str) -> Vec<(u64, u64, String, String, String)> {
    let page = app.get(&format!("{path}/rows?limit=100")).await;
    assert_eq!(page["next_cursor"], Value::Null);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |row: &Value| {
        let number = |name: &str| row[name].as_u64().unwrap();
        let [email, status, code] = ["email", "status", "code"].map(|name| text(&row[name]));
        (number("number"), number("line"), email, status, code)
    };
    page["data"].as_array().unwrap().iter().map(row).collect()
}

/// As [`rows`] gives them.
pub fn row(
    number: u64,
    line: u64,
    email: &str,
    status: &str,
    code: &str,
) -> (u64, u64, String, String, String) {
    (number, line, email.to_owned(), status.to_owned(), code.to_owned())
}

/// Waits until the batch counts so many.
pub async fn until(app: &TestApp, path: &str, group: &str, status: &str, count: u64) -> Value {
    eventually(&format!("{count} {group} are {status}"), async || {
        let found = app.get(path).await;
        (found[group][status] == count).then_some(found)
    })
    .await
}
