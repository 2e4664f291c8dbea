//! The four public invite APIs: what their pages show, and every edge that contracts.md settles.

mod doit;
mod goldleaf;
mod jobsim;
mod pages;
pub mod users_organizations;

use app::http::{Answer, Client};
use serde_json::Value;

/// One row of a contract's table: what is sent, and what has to be in the answer.
pub struct Case {
    /// What is special about it.
    pub what: &'static str,
    /// The body, as text: not all of them are JSON.
    pub body: String,
    /// The status it gets.
    pub status: u16,
    /// JSON pointers into the answer and what stands there.
    pub has: Vec<(&'static str, Value)>,
}

/// A row of a table.
pub fn case<const N: usize>(
    what: &'static str,
    body: impl Into<Body>,
    status: u16,
    has: [(&'static str, Value); N],
) -> Case {
    Case { what, body: body.into().0, status, has: has.into() }
}

/// A body as text.
pub struct Body(String);

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Sends each row's body; gives the answers, in order.
pub async fn check(
    client: &Client,
    path: &str,
    headers: &[(&str, &str)],
    cases: &[Case],
) -> Vec<Answer> {
    let mut answers = Vec::new();
    for case in cases {
        let answer = client.send("POST", path, headers, case.body.as_bytes()).await.unwrap();
        let body = answer.json();
        assert_eq!(answer.status, case.status, "{}: {}", case.what, answer.text());
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{}: no native problem",
            case.what
        );
        for (pointer, value) in &case.has {
            assert_eq!(body.pointer(pointer), Some(value), "{} {pointer}: {body}", case.what);
        }
        answers.push(answer);
    }
    answers
}

/// The headers of a JSON body.
pub const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
