//! What endpoints are told, how often, and by whom they can tell that it is true.

mod deliver;
#[cfg(feature = "failpoints")]
mod die;
mod exchange;
mod guard;
mod manage;
pub mod receiver;
mod store;

use std::io::Write;
use std::process::{Command, Stdio};

use adapters::webhooks::Names;
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};
use crate::servers::{eventually, variable};

use receiver::{Receiver, Request};

/// An endpoint of a test is on this machine, and is told again soon.
pub const NEAR: [(&str, &str); 5] = [
    ("WELCOMAT_WEBHOOKS_ALLOW_HTTP", "true"),
    ("WELCOMAT_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "true"),
    ("WELCOMAT_WEBHOOKS_PORTS", ""),
    ("WELCOMAT_WEBHOOKS_PAUSES", "200ms"),
    ("WELCOMAT_WEBHOOKS_TIMEOUT", "2s"),
];

/// The product and an endpoint that it tells of events.
pub struct World {
    pub app: TestApp,
    pub receiver: Receiver,
    /// The webhook's own path.
    pub webhook: String,
    pub secret: String,
}

impl World {
    /// With an endpoint that is told of these, or of all.
    pub async fn start(stack: Stack, types: Option<&[&str]>, env: &[(&'static str, &str)]) -> Self {
        let near = NEAR.iter().filter(|(name, _)| env.iter().all(|(own, _)| own != name));
        let env: Vec<_> = near.chain(env).copied().collect();
        let app = TestApp::start_with_names(stack, &env, Names::System).await;
        let receiver = Receiver::start().await;
        let (webhook, secret) = register(&app, &receiver.url(), types).await;
        Self { app, receiver, webhook, secret }
    }

    /// The webhook as the API shows it.
    pub async fn shown(&self) -> Value {
        self.app.get(&self.webhook).await
    }

    /// The log of its deliveries, newest first.
    pub async fn log(&self) -> Vec<Value> {
        let page = self.app.get(&format!("{}/deliveries", self.webhook)).await;
        page["data"].as_array().unwrap().clone()
    }

    /// Waits until the newest delivery about this type stands so.
    pub async fn until(&self, kind: &str, status: &str) -> Value {
        eventually(&format!("{kind} becomes {status}"), async || {
            let log = self.log().await;
            log.into_iter().find(|found| found["type"] == kind && found["status"] == status)
        })
        .await
    }

    /// Posts to a path below the webhook's own.
    pub async fn post(&self, below: &str, body: &Value) -> (u16, Value) {
        self.app.act(&format!("{}/{below}", self.webhook), body).await
    }

    /// Changes the webhook.
    pub async fn patch(&self, change: &Value) -> Value {
        let headers = [("Content-Type", "application/json")];
        let body = change.to_string();
        let answer = self.app.client.send("PATCH", &self.webhook, &headers, body.as_bytes()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

/// Makes a webhook; gives its own path and its secret.
pub async fn register(app: &TestApp, url: &str, types: Option<&[&str]>) -> (String, String) {
    let path = format!("/v1/organizations/{}/webhooks", app.organization);
    let (status, made) = app.act(&path, &json!({ "url": url, "event_types": types })).await;
    assert_eq!(status, 201, "{made}");
    (format!("{path}/{}", text(&made["id"])), text(&made["secret"]))
}

/// What the reference library of Standard Webhooks says of requests, each with a secret.
pub fn verdicts(requests: &[(&str, &Request)]) -> Vec<String> {
    let all = requests.iter().map(|(secret, request)| {
        let headers: serde_json::Map<_, _> =
            request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "secret": secret, "headers": headers, "body": request.body })
    });
    let all = Value::from(all.collect::<Vec<_>>()).to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/test/webhook_verify.py");
    let mut child = Command::new(variable("TEST_WEBHOOKS_PYTHON"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(all.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
