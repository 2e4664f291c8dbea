//! What becomes of mails after they were sent: what providers tell, who may tell it, and what follows.

mod amazon;
mod arf;
mod commands;
mod dsn;
mod forged;
mod providers;
mod states;
mod suppressions;

use std::sync::atomic::{AtomicU64, Ordering};

use app::http::Answer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};

use amazon::{Amazon, TOPIC};

const LOGIN: &str = "postmark:a password of the tests";
const MAILGUN_KEY: &str = "key-of-the-tests-0123456789";
const DSN_SECRET: &str = "the-secret-of-bounce-mails";
/// What stands before the point in the DER form of a public key on P-256.
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// The product, with everybody who may tell it something.
pub struct World {
    pub app: TestApp,
    pub amazon: Amazon,
    sendgrid: EcdsaKeyPair,
}

impl World {
    pub async fn start(stack: Stack) -> Self {
        Self::start_with(stack, &[]).await
    }

    pub async fn start_with(stack: Stack, env: &[(&'static str, &str)]) -> Self {
        let amazon = Amazon::start().await;
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let sendgrid =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        let sendgrid = sendgrid.unwrap();
        let mut key: Vec<u8> = unhex(P256);
        key.extend_from_slice(sendgrid.public_key().as_ref());
        let key = STANDARD.encode(key);
        let own = [
            ("WELCOMAT_FEEDBACK_SES_TOPICS", TOPIC),
            ("WELCOMAT_FEEDBACK_SENDGRID_KEY", &key),
            ("WELCOMAT_FEEDBACK_POSTMARK_LOGIN", LOGIN),
            ("WELCOMAT_FEEDBACK_MAILGUN_KEY", MAILGUN_KEY),
            ("WELCOMAT_FEEDBACK_DSN_SECRET", DSN_SECRET),
        ];
        let env: Vec<_> = own.into_iter().chain(env.iter().copied()).collect();
        let app = TestApp::start_with_amazon(stack, &env, amazon.stand_in()).await;
        Self { app, amazon, sendgrid }
    }

    /// Invites somebody whose mail is sent; gives the invitation's path and what names its mail.
    pub async fn sent(&self, email: &str) -> (String, String) {
        let (invitation, _) = self.app.invite_and_receive(email).await;
        let mark = self.mark(&invitation).await;
        (invitation, mark)
    }

    /// What is left of the `@` in the Message-ID.
    pub async fn mark(&self, invitation: &str) -> String {
        let id = text(&self.app.get(invitation).await["delivery"]["message_id"]);
        id.trim_start_matches('<').split('@').next().unwrap().to_owned()
    }

    /// Posts a payload about a mail, as its provider does; gives how many deliveries it changed.
    pub async fn tell(&self, payload: &str, mark: &str) -> u64 {
        let answer = self.post(payload, mark).await;
        assert_eq!(answer.status, 200, "{payload}: {}", answer.text());
        answer.json()["changed"].as_u64().unwrap()
    }

    pub async fn post(&self, payload: &str, mark: &str) -> Answer {
        let body = read(payload).replace("$ID", mark);
        match payload.split('_').next().unwrap() {
            "ses" => self.post_ses(&self.amazon.notification(&body)).await,
            "sendgrid" => {
                let time = self.app.clock.now().timestamp().to_string();
                let signature = self.sign_sendgrid(&time, &body);
                self.post_sendgrid(&time, &signature, &body).await
            }
            "postmark" => self.post_postmark(LOGIN, &body).await,
            "mailgun" => {
                let now = self.app.clock.now().timestamp();
                self.send("mailgun", "application/json", &[], &sign_mailgun(now, &body)).await
            }
            other => panic!("nobody is called {other}"),
        }
    }

    pub async fn post_ses(&self, message: &Value) -> Answer {
        self.send("ses", "text/plain; charset=UTF-8", &[], &message.to_string()).await
    }

    pub fn sign_sendgrid(&self, time: &str, body: &str) -> String {
        let signed = format!("{time}{body}");
        let signature = self.sendgrid.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        STANDARD.encode(signature)
    }

    pub async fn post_sendgrid(&self, time: &str, signature: &str, body: &str) -> Answer {
        let headers = [
            ("X-Twilio-Email-Event-Webhook-Signature", signature),
            ("X-Twilio-Email-Event-Webhook-Timestamp", time),
        ];
        self.send("sendgrid", "application/json", &headers, body).await
    }

    pub async fn post_postmark(&self, login: &str, body: &str) -> Answer {
        let login = format!("Basic {}", STANDARD.encode(login));
        self.send("postmark", "application/json", &[("Authorization", &login)], body).await
    }

    pub async fn post_dsn(&self, secret: &str, mail: &str) -> Answer {
        let secret = format!("Bearer {secret}");
        self.send("dsn", "message/rfc822", &[("Authorization", &secret)], mail).await
    }

    pub async fn send(
        &self,
        way: &str,
        media_type: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("Content-Type", media_type));
        let nobody = self.app.client.clone().with_key(None);
        let path = format!("/v1/events/{way}");
        nobody.send("POST", &path, &headers, body.as_bytes()).await.unwrap()
    }

    /// The organization's suppressed addresses, newest first, each with its reason.
    pub async fn suppressed(&self) -> Vec<(String, String)> {
        let path = format!("/v1/organizations/{}/suppressions", self.app.organization);
        let page = self.app.get(&path).await;
        let entry = |entry: &Value| (text(&entry["email"]), text(&entry["reason"]));
        page["data"].as_array().unwrap().iter().map(entry).collect()
    }
}

/// A payload of a provider.
pub fn read(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/bounces/payloads");
    let file = if name.contains('.') { name.to_owned() } else { format!("{name}.json") };
    std::fs::read_to_string(format!("{folder}/{file}")).unwrap()
}

/// With Mailgun's signature of that second, and a token of its own.
pub fn sign_mailgun(seconds: i64, body: &str) -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let token = format!("{:050x}", LAST.fetch_add(1, Ordering::Relaxed));
    let key = hmac::Key::new(hmac::HMAC_SHA256, MAILGUN_KEY.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}{token}").as_bytes());
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
    let digits = tag.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let signature: String = digits.collect();
    let mut body: Value = serde_json::from_str(body).unwrap();
    body["signature"] =
        json!({ "timestamp": seconds.to_string(), "token": token, "signature": signature });
    body.to_string()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}
