//! The whole product inside the test process, with a database, a broker and mails of its own.

use std::net::TcpListener;
use std::thread::JoinHandle;

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::webhooks::Names;
use api::Amazon;
use app::http::{Answer, Client};
use app::parts::Parts;
use app::service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::mail::TestMail;
use crate::servers::{FreshDatabase, eventually, remove_queues, unique, variable};
use crate::smtp_sink::SmtpSink;

/// The key of the first admin.
pub const KEY: &str = "wlc_test0test0test0test0test0";
/// A key for every organization.
pub const INSTANCE_KEY: &str = "wlc_instance0test0test0test00";

/// What tokens for the API are signed with.
pub const JWT_SECRET: &str = "a secret of the tests, 32 bytes or more";
/// Signs the session tokens of the contract that wants them.
pub const SESSION_SECRET: &str = "a session secret of more than 32 bytes";
/// A second path below which that contract is served.
pub const PREFIX: &str = "/main";

/// What the product runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// `SQLite`, memory broker, captured mail.
    Embedded,
    /// `PostgreSQL`, `RabbitMQ`, SMTP.
    Distributed,
}

/// A running product.
pub struct TestApp {
    /// Speaks with the admin's key.
    pub client: Client,
    /// Where the service listens, without a slash at the end.
    pub url: String,
    /// The organization's id.
    pub organization: String,
    /// The service's clock, which a test may turn.
    pub clock: Clock,
    pub database_url: String,
    /// What the names of this test's queues begin with, if it has a RabbitMQ.
    pub broker_prefix: Option<String>,
    sink: Option<SmtpSink>,
    shutdown: CancellationToken,
    service: Option<JoinHandle<()>>,
    /// Where an embedded database is.
    pub folder: TempDir,
}

/// The world outside, as far as a test can make it another one.
#[derive(Default)]
struct Outside {
    names: Names,
    amazon: Amazon,
}

struct Cleanup {
    database: Option<FreshDatabase>,
    prefix: Option<String>,
}

/// Runs a test.
pub fn block_on(test: impl Future<Output = ()>) {
    runtime().block_on(test);
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl TestApp {
    /// Starts the product with the stack's own way of mail.
    pub async fn start(stack: Stack) -> Self {
        Self::start_with(stack, stack == Stack::Distributed, &[], Outside::default()).await
    }

    /// Starts the product with an SMTP server that the test can command, and these settings.
    pub async fn start_with_settings(stack: Stack, env: &[(&'static str, &str)]) -> Self {
        Self::start_with(stack, true, env, Outside::default()).await
    }

    /// Starts the product with an SMTP server that the test can command.
    pub async fn start_with_smtp(stack: Stack) -> Self {
        Self::start_with(stack, true, &[], Outside::default()).await
    }

    /// Starts the product in a world where names have other addresses.
    pub async fn start_with_names(
        stack: Stack,
        env: &[(&'static str, &str)],
        names: Names,
    ) -> Self {
        Self::start_with(stack, true, env, Outside { names, ..Outside::default() }).await
    }

    /// Starts the product in a world where Amazon's pages are on another server.
    pub async fn start_with_amazon(
        stack: Stack,
        env: &[(&'static str, &str)],
        amazon: Amazon,
    ) -> Self {
        Self::start_with(stack, true, env, Outside { amazon, ..Outside::default() }).await
    }

    async fn start_with(
        stack: Stack,
        smtp: bool,
        own: &[(&'static str, &str)],
        outside: Outside,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let sink = if smtp { Some(SmtpSink::start().await) } else { None };
        let mut cleanup = Cleanup { database: None, prefix: None };
        let mut env = scaled_timers();
        env.push(("WELCOMAT_DATA_DIR", folder.path().display().to_string()));
        env.extend(sink.as_ref().map(|sink| ("WELCOMAT_MAIL_URL", sink.url())));
        if stack == Stack::Distributed {
            let database = FreshDatabase::create().await;
            let prefix = unique("test");
            env.push(("WELCOMAT_DATABASE_URL", database.url.clone()));
            env.push(("WELCOMAT_BROKER_URL", variable("TEST_AMQP_URL")));
            env.push(("WELCOMAT_BROKER_PREFIX", prefix.clone()));
            cleanup = Cleanup { database: Some(database), prefix: Some(prefix) };
        }
        // What a test sets counts more than what is set for all.
        env.retain(|(name, _)| !own.iter().any(|(another, _)| another == name));
        env.extend(own.iter().map(|&(name, value)| (name, value.to_owned())));
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut settings = Settings::load(None, env).unwrap();
        let listener = service::listen(&mut settings).unwrap();
        let address = settings.http.bind;
        let database_url = settings.database.url.clone();
        let broker_prefix = cleanup.prefix.clone();
        let shutdown = CancellationToken::new();
        let (clock, service) = serve(settings, outside, listener, shutdown.clone(), cleanup).await;
        let client = Client::new(address, Some(KEY.to_owned()));
        let me = eventually("the service answers", async || client.get("/v1/me").await.ok()).await;
        assert_eq!(me.status, 200, "{}", me.text());
        let organization = text(&me.json()["organization"]["id"]);
        Self {
            client,
            url: format!("http://{address}"),
            organization,
            clock,
            database_url,
            broker_prefix,
            sink,
            shutdown,
            service: Some(service),
            folder,
        }
    }

    /// The SMTP server of this test.
    pub fn sink(&mut self) -> &mut SmtpSink {
        self.sink.as_mut().expect("started with SMTP")
    }

    /// Speaks with the key for the whole instance.
    pub fn operator(&self) -> Client {
        self.client.clone().with_key(Some(INSTANCE_KEY.to_owned()))
    }

    /// Makes another organization; gives its id and a client with its admin's key.
    pub async fn other_organization(&self) -> (String, Client) {
        let operator = self.operator();
        let made = operator.post("/v1/organizations", &json!({"name": "Other"})).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
        let id = text(&made.json()["id"]);
        let wanted = json!({"name": "first", "organization_id": id});
        let key = operator.post("/v1/api-keys", &wanted).await.unwrap();
        assert_eq!(key.status, 201, "{}", key.text());
        let key = text(&key.json()["key"]);
        (id, self.client.clone().with_key(Some(key)))
    }

    /// The path of the organization's invitations.
    pub fn invitations(&self) -> String {
        format!("/v1/organizations/{}/invitations", self.organization)
    }

    /// Posts an invitation, whatever comes of it.
    pub async fn post(&self, body: &Value) -> Answer {
        self.client.post(&self.invitations(), body).await.unwrap()
    }

    /// Invites somebody; gives the invitation's own path.
    pub async fn invite(&self, email: &str) -> String {
        let answer = self.post(&json!({ "email": email })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.header("location").expect("a Location").to_owned()
    }

    /// Reads a resource that must be there.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(path).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Posts without a body that matters; gives status and body.
    pub async fn act(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(path, body).await.unwrap();
        (answer.status, answer.json())
    }

    /// Waits until the invitation's delivery is in this state; gives the invitation.
    pub async fn until(&self, invitation: &str, status: &str) -> Value {
        eventually(&format!("{invitation} becomes {status}"), async || {
            let found = self.get(invitation).await;
            (found["delivery"]["status"] == status).then_some(found)
        })
        .await
    }

    /// All mails so far to this recipient, oldest first.
    pub async fn mails_to(&self, email: &str) -> Vec<TestMail> {
        let mut mails = self.mails().await;
        mails.retain(|mail| mail.to == email);
        mails
    }

    /// All mails so far, oldest first.
    pub async fn mails(&self) -> Vec<TestMail> {
        if let Some(sink) = &self.sink {
            return sink.mails();
        }
        let messages = self.get("/inbox/messages").await;
        messages.as_array().unwrap().iter().rev().map(TestMail::captured).collect()
    }

    /// Invites somebody and waits for the mail; gives the invitation's path and the mail.
    pub async fn invite_and_receive(&self, email: &str) -> (String, TestMail) {
        let invitation = self.invite(email).await;
        self.until(&invitation, "sent").await;
        let mut mails = self.mails_to(email).await;
        assert_eq!(mails.len(), 1, "one mail to {email}");
        (invitation, mails.remove(0))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
        let ended = self.service.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("started").expect("the service ends well");
        }
    }
}

/// A thread and a runtime of its own: a test that blocks does not hold up the service.
async fn serve(
    settings: Settings,
    outside: Outside,
    listener: TcpListener,
    shutdown: CancellationToken,
    cleanup: Cleanup,
) -> (Clock, JoinHandle<()>) {
    let (send, receive) = tokio::sync::oneshot::channel();
    let service = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut parts = Parts::assemble(settings).await.unwrap();
            parts.names = outside.names;
            parts.amazon = outside.amazon;
            parts.bootstrap().await.unwrap();
            assert!(send.send(parts.store.clock().clone()).is_ok(), "the test waits for it");
            let served = service::run(&parts, listener, shutdown).await;
            let amqp = parts.settings.broker.url.clone();
            drop(parts);
            if let Some(prefix) = &cleanup.prefix {
                remove_queues(&amqp, prefix).await;
            }
            if let Some(database) = cleanup.database {
                database.remove().await;
            }
            served.unwrap();
        });
    });
    (receive.await.expect("the service starts"), service)
}

/// Everything that takes minutes in production takes fractions of a second here.
fn scaled_timers() -> Vec<(&'static str, String)> {
    let settings = [
        ("WELCOMAT_HTTP_BIND", "127.0.0.1:0"),
        ("WELCOMAT_HTTP_WORKERS", "1"),
        ("WELCOMAT_HTTP_SHUTDOWN_GRACE", "1s"),
        ("WELCOMAT_BOOTSTRAP_API_KEY", KEY),
        ("WELCOMAT_BOOTSTRAP_INSTANCE_KEY", INSTANCE_KEY),
        ("WELCOMAT_JWT_SECRET", JWT_SECRET),
        ("WELCOMAT_SESSION_TOKEN_SECRET", SESSION_SECRET),
        ("WELCOMAT_CONTRACTS_USERS_ORGANIZATIONS_PREFIX", PREFIX),
        ("WELCOMAT_DATABASE_MAX_CONNECTIONS", "8"),
        ("WELCOMAT_WORKER_CONCURRENCY", "4"),
        ("WELCOMAT_WORKER_RESCUE_INTERVAL", "200ms"),
        ("WELCOMAT_WORKER_SHUTDOWN_GRACE", "5s"),
        ("WELCOMAT_RETRY_PAUSES", "200ms"),
        ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "500ms"),
        ("WELCOMAT_RETRY_BREAKER_MIN", "50ms"),
        ("WELCOMAT_RETRY_BREAKER_MAX", "300ms"),
        ("WELCOMAT_RELAY_IDLE_POLL", "100ms"),
        ("WELCOMAT_RELAY_BUSY_POLL", "20ms"),
        ("WELCOMAT_INVITATION_EXPIRY_SWEEP", "100ms"),
    ];
    settings.map(|(name, value)| (name, value.to_owned())).into()
}

/// The text of a JSON string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text but {value}")).to_owned()
}
