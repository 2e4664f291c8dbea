//! No secret lies about: not in a log, however much is logged, not in an error, the database or the
//! broker; and no log holds a whole address.

mod embedded;
mod needles;
mod production;

use app::http::Client;
use serde_json::{Value, json};

use super::CHOSEN;
use crate::harness::{JWT_SECRET, KEY, SESSION_SECRET, text};
use crate::mail::TestMail;
use needles::Needles;

/// Every byte different: what is found is this key and no other.
const SEAL_KEY: &str = "c2VhbC1rZXktc2VhbC1rZXktc2VhbC1rZXktMTIzNDU=";
const FIRST_PASSWORD: &str = "Given-By-Goldleaf-7!";
/// Longer than a password may be.
const LONG: &str = concat!(
    "much-too-long-a-password-0123456789-0123456789-0123456789-0123456789-0123456789-",
    "0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-"
);
const PEOPLE: [&str; 3] = ["ann", "bob", "eve"];

/// The settings that hold secrets, with those that both ways of running share.
fn env(format: &str, folder: &std::path::Path) -> Vec<(&'static str, String)> {
    vec![
        ("WELCOMAT_DATA_DIR", folder.display().to_string()),
        ("WELCOMAT_SEAL_KEYS", format!("k1:{SEAL_KEY}")),
        ("WELCOMAT_JWT_SECRET", JWT_SECRET.to_owned()),
        ("WELCOMAT_SESSION_TOKEN_SECRET", SESSION_SECRET.to_owned()),
        ("WELCOMAT_BOOTSTRAP_API_KEY", KEY.to_owned()),
        ("WELCOMAT_HTTP_WORKERS", "1".to_owned()),
        ("WELCOMAT_WORKER_CONCURRENCY", "2".to_owned()),
        ("WELCOMAT_LOG_FORMAT", format.to_owned()),
        ("WELCOMAT_LOG_FILTER", "trace".to_owned()),
    ]
}

/// What a run has to keep to itself.
struct Run {
    secrets: Needles,
    addresses: Needles,
    invitations: String,
    /// All answers that told an error.
    errors: String,
    domain: String,
}

impl Run {
    async fn new(client: &Client) -> Self {
        let me = client.get("/v1/me").await.unwrap().json();
        let organization = text(&me["organization"]["id"]);
        let domain = format!("{}.example", crate::servers::unique("d").replace('_', ""));
        let (mut secrets, mut addresses) = (Needles::default(), Needles::default());
        for (what, secret) in [
            ("seal key", SEAL_KEY),
            ("JWT secret", JWT_SECRET),
            ("session secret", SESSION_SECRET),
            ("API key", KEY),
            ("chosen password", CHOSEN),
            ("first password", FIRST_PASSWORD),
            ("long password", LONG),
        ] {
            secrets.add(what, secret);
        }
        for person in PEOPLE {
            addresses.add(person, &format!("{person}@{domain}"));
        }
        let invitations = format!("/v1/organizations/{organization}/invitations");
        Self { secrets, addresses, invitations, errors: String::new(), domain }
    }

    fn email(&self, person: &str) -> String {
        format!("{person}@{}", self.domain)
    }

    /// Invites in each way that has a secret, and makes a key.
    async fn invite_all(&mut self, client: &Client) {
        let body = json!({"email": self.email("ann"), "first_name": "Ann"});
        self.post(client, &self.invitations.clone(), &body, 201).await;
        let body = json!({"email": self.email("bob")});
        self.post(client, "/iam/v1/users/invite", &body, 201).await;
        let eve = json!({"email": self.email("eve"), "password": FIRST_PASSWORD});
        let body = json!({ "emailAddresses": [eve] });
        self.post(client, "/organization/users/invite", &body, 200).await;
        let made = self.post(client, "/v1/api-keys", &json!({"name": "CI"}), 201).await;
        self.secrets.add("made key", &text(&made["key"]));
    }

    /// The mail's secrets count from now on.
    fn received(&mut self, mail: &TestMail, password: bool) {
        self.secrets.add("token", &mail.token());
        if password {
            self.secrets.add("temporary password", &mail.password());
        }
    }

    /// Asks for things whose names would be lines or colours of a log, if they got there.
    async fn forge_lines(&self, client: &Client) {
        const LINE: &str = "2026-11-24T00:00:00Z ERROR forged";
        for path in [
            "/v1/%1b%5b31mred%0d%0a2026-11-24T00:00:00Z%20ERROR%20forged".to_owned(),
            format!("{}?email=%0d%0a{}", self.invitations, LINE.replace(' ', "%20")),
        ] {
            for value in ["\u{1b}[31mred", "a\u{1b}[2Jb", "%0d%0a", "{\"level\":\"ERROR\"}"] {
                let headers = [("User-Agent", value), ("X-Request-Id", value), ("Prefer", value)];
                // Some of these are no HTTP: the connection may end without an answer.
                let _ = client.send("GET", &path, &headers, b"").await;
            }
        }
        let text = format!("x\r\n{LINE}\n\u{1b}[31m");
        let body =
            json!({"email": text, "first_name": text, "role": text, "metadata": {"k": text}});
        assert_eq!(client.post(&self.invitations, &body).await.unwrap().status, 422);
    }

    /// Answers a mail, after everything that can be done wrong with it.
    async fn accept(&mut self, client: &Client, mail: &TestMail) {
        const ACCEPT: &str = "/v1/invitations/accept";
        let token = mail.token();
        for (body, status) in [
            (json!({"token": token, "password": LONG}), 422),
            (json!({"token": token, "password": [CHOSEN]}), 422),
            (json!({"token": [token], "password": CHOSEN}), 422),
            (json!({"token": token, "passwort": CHOSEN}), 422),
            (
                json!({"email": self.email("ann"), "temporary_password": token, "password": CHOSEN}),
                401,
            ),
            (json!({"email": "bob", "temporary_password": token, "password": CHOSEN}), 422),
        ] {
            self.post(client, ACCEPT, &body, status).await;
        }
        let broken = format!("{{\"token\":\"{token}\",\"password\":\"{CHOSEN}");
        for (path, body) in [
            (ACCEPT.to_owned(), broken.clone()),
            (format!("{ACCEPT}?token={token}"), broken),
            (format!("/i/{token}/accept"), format!("password={LONG}")),
            (format!("/v1/{token}"), String::new()),
        ] {
            let kind = if path.starts_with("/i/") {
                "application/x-www-form-urlencoded"
            } else {
                "application/json"
            };
            let headers = [("Content-Type", kind), ("Idempotency-Key", "a b")];
            let answer = client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
            assert!(answer.status >= 400, "{path}: {}", answer.text());
            // The page's own form posts to where it was found.
            self.errors.push_str(&answer.text().replace(&format!("/i/{token}/"), ""));
        }
        let body = json!({"token": token, "password": CHOSEN});
        self.post(client, ACCEPT, &body, 200).await;
        let wrong = client.clone().with_key(Some(format!("{KEY}x")));
        self.post(&wrong, "/v1/api-keys", &json!({"name": FIRST_PASSWORD}), 401).await;
        let weak = json!({"emailAddresses": [{"email": self.email("eve"), "password": LONG}]});
        self.post(client, "/organization/users/invite", &weak, 400).await;
    }

    async fn post(&mut self, client: &Client, path: &str, body: &Value, status: u16) -> Value {
        let answer = client.post(path, body).await.unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        if status >= 400 {
            self.errors.push_str(&answer.text());
        }
        answer.json()
    }

    /// Errors and logs hold nothing; the logs were complete, and of lines that are whole.
    fn check_words(&self, logs: &[String], format: &str) {
        assert_eq!(
            self.secrets.found_in(self.errors.as_bytes()),
            Vec::<&str>::new(),
            "in an error"
        );
        for log in logs {
            let found =
                [self.secrets.found_in(log.as_bytes()), self.addresses.found_in(log.as_bytes())];
            if let Some(what) = found.concat().first() {
                let line = log.lines().find(|line| {
                    self.secrets.found_in(line.as_bytes()).contains(what)
                        || self.addresses.found_in(line.as_bytes()).contains(what)
                });
                panic!("the log has the {what}: {line:?}");
            }
            assert!(log.contains("TRACE"), "everything was logged");
            assert!(!log.contains('\u{1b}'), "no sign that a terminal obeys");
            for line in log.lines() {
                let whole = match format {
                    "json" => serde_json::from_str::<Value>(line).is_ok(),
                    _ => line.starts_with("20") || line.starts_with("Welcomat is ready"),
                };
                assert!(whole && !line.starts_with("2026-11-24T00:00:00Z"), "{line}");
            }
        }
    }
}
