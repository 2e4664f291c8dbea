//! A stand-in for Amazon SNS: a certificate, signatures with its key, and a server for both.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{SecondsFormat, Utc};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:bounces";
pub const CERTIFICATE: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem";
pub const CONFIRM: &str =
    "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37";

/// Runs until it is dropped.
pub struct Amazon {
    address: SocketAddr,
    key: RsaKeyPair,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Amazon {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(listener, asked.clone()));
        let key = PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("keys/sns.key")).unwrap();
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
        Self { address, key, asked, serving }
    }

    pub fn stand_in(&self) -> api::Amazon {
        api::Amazon::StandIn(format!("http://{}/", self.address).parse().unwrap())
    }

    /// The paths that were asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A signed notification with this content.
    pub fn notification(&self, content: &str) -> Value {
        self.signed(json!({
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Event Notification",
            "Message": content,
            "Timestamp": now(),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        }))
    }

    /// A signed request to confirm a subscription.
    pub fn subscription(&self, topic: &str, confirm: &str) -> Value {
        self.signed(json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": "2336412f37",
            "TopicArn": topic,
            "Message": "You have chosen to subscribe to the topic.",
            "SubscribeURL": confirm,
            "Timestamp": now(),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
        }))
    }

    /// The same message with a signature that fits.
    pub fn signed(&self, mut message: Value) -> Value {
        let fields: &[&str] = match message["Type"].as_str() {
            Some("Notification") => {
                &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
            }
            _ => {
                &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
            }
        };
        let signed: String = fields
            .iter()
            .filter_map(|name| Some(format!("{name}\n{}\n", message[name].as_str()?)))
            .collect();
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        message["Signature"] = STANDARD.encode(signature).into();
        message
    }
}

/// As SNS writes it.
#[expect(clippy::disallowed_methods, reason = "Amazon has a clock of its own")]
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Drop for Amazon {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or_default() == 0 {
                break;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let body = if path.contains(".pem") { include_str!("keys/sns.pem") } else { "<ok/>" };
        asked.lock().unwrap().push(path);
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
