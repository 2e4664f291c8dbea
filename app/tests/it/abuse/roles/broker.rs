//! A broker of its own with what `deploy/rabbitmq/definitions.json` says, and an operator beside.

use std::path::{Path, PathBuf};
use std::process::Command;

use adapters::broker::{Broker, Outgoing};
use adapters::settings::Settings;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::job::JobV1;
use domain::{DeliveryId, Job, OutboxId};
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::servers::{unique, variable};

const DEFINITIONS: &str = include_str!("../../../../../deploy/rabbitmq/definitions.json");
const PASSWORD: &str = "a-password-of-the-tests";
const JOBS: &str = "welcomat.email.v1";
const DEAD: &str = "welcomat.dead.v1";
const WEBHOOKS: &str = "welcomat.webhook.v1";
const EXCHANGE: &str = "welcomat.jobs.v1";
const EVENTS: &str = "welcomat.events.v1";

/// What somebody may try with a log-in.
#[derive(Debug, Clone, Copy)]
enum Try {
    Read(&'static str),
    Consume(&'static str),
    Write(&'static str, &'static str),
    MakeQueue,
    MakeExchange,
    DeleteQueue(&'static str),
}

const FORBIDDEN: [(&str, Try); 16] = [
    ("api", Try::Read(JOBS)),
    ("api", Try::Read(DEAD)),
    ("api", Try::Consume(DEAD)),
    ("api", Try::Consume(WEBHOOKS)),
    ("api", Try::Write("", JOBS)),
    ("api", Try::Write(DEAD, "")),
    ("api", Try::MakeQueue),
    ("api", Try::MakeExchange),
    ("api", Try::DeleteQueue(JOBS)),
    ("worker", Try::Write(EXCHANGE, "email")),
    ("worker", Try::Write("", JOBS)),
    ("worker", Try::Write(EVENTS, "invitation.created")),
    ("worker", Try::Write(DEAD, "")),
    ("worker", Try::MakeQueue),
    ("worker", Try::MakeExchange),
    ("worker", Try::DeleteQueue(DEAD)),
];

pub struct OwnBroker {
    folder: PathBuf,
    address: String,
}

impl OwnBroker {
    pub fn start() -> Self {
        let servers = PathBuf::from(variable("TEST_SERVERS_DIR"));
        let definitions = servers.join(format!("{}.json", unique("definitions")));
        std::fs::write(&definitions, with_passwords().to_string()).unwrap();
        let folder = servers.join(unique("rabbitmq"));
        let url = run("start", &folder, &definitions);
        let (_, address) = url.split_once('@').unwrap();
        let address = address.split('/').next().unwrap().to_owned();
        Self { folder, address }
    }

    /// Where that user logs in.
    pub fn url(&self, user: &str) -> String {
        format!("amqp://welcomat_{user}:{PASSWORD}@{}/welcomat", self.address)
    }

    /// Everything else is refused, and for the reason that the user may not.
    pub async fn refuse_the_rest(&self) {
        for (user, what) in FORBIDDEN {
            let connection = self.connect(user).await;
            let channel = connection.create_channel().await.unwrap();
            let refused = attempt(&channel, what).await.expect_err(&format!("{user}: {what:?}"));
            let said = refused.to_string();
            assert!(
                said.contains("ACCESS_REFUSED") || said.contains("403"),
                "{user} {what:?}: {said}"
            );
            let _ = connection.close(200, "done".into()).await;
        }
        // The same is granted to whoever may: it is no mistake of the test's own.
        let connection = self.connect("operator").await;
        let channel = connection.create_channel().await.unwrap();
        for what in
            [Try::Read(JOBS), Try::Read(DEAD), Try::Write(EXCHANGE, "email"), Try::MakeQueue]
        {
            attempt(&channel, what).await.unwrap_or_else(|error| panic!("{what:?}: {error}"));
        }
        let _ = connection.close(200, "done".into()).await;
    }

    /// The file says the same as the program: it finds nothing that it would have made otherwise.
    pub async fn is_what_the_program_would_declare(&self) {
        let env = [
            ("WELCOMAT_BROKER_URL".to_owned(), self.url("operator")),
            ("WELCOMAT_BROKER_EVENTS".to_owned(), "true".to_owned()),
        ];
        let settings = Settings::load(None, env.into_iter()).unwrap();
        let broker = Broker::connect(&settings.broker).unwrap();
        let id = OutboxId::from_uuid(Uuid::from_u128(1));
        let delivery = DeliveryId::from_uuid(Uuid::from_u128(2));
        let job = Job::V1(JobV1::Email { delivery, generation: 1 });
        let published = broker.publish(&[Outgoing { id, job, trace: None }]).await;
        assert!(published.contains(&id), "declared and published");
        broker.close().await;
    }

    /// A message that is no job, as an operator's mistake would be.
    pub async fn give_up_a_message(&self) {
        let connection = self.connect("operator").await;
        let channel = connection.create_channel().await.unwrap();
        attempt(&channel, Try::Write(DEAD, "")).await.unwrap();
        let _ = connection.close(200, "done".into()).await;
    }

    /// Takes the way to the webhooks' queue away, or gives it back.
    pub async fn lead_to_webhooks(&self, lead: bool) {
        let connection = self.connect("operator").await;
        let channel = connection.create_channel().await.unwrap();
        let (queue, exchange, key) = (WEBHOOKS.into(), EXCHANGE.into(), "webhook".into());
        if lead {
            let options = QueueBindOptions::default();
            channel.queue_bind(queue, exchange, key, options, FieldTable::default()).await.unwrap();
        } else {
            channel.queue_unbind(queue, exchange, key, FieldTable::default()).await.unwrap();
        }
        let _ = connection.close(200, "done".into()).await;
    }

    async fn connect(&self, user: &str) -> Connection {
        Connection::connect(&self.url(user), ConnectionProperties::default()).await.unwrap()
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            run("destroy", &self.folder, Path::new(""));
        }
    }
}

/// Runs a verb of the script; gives what it prints.
fn run(verb: &str, folder: &Path, definitions: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/test/rabbitmq");
    let mut command = Command::new(script);
    command.arg(verb).arg(folder).env("RABBITMQ_DEFINITIONS", definitions);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The shipped file has no passwords, with which nobody can log in.
fn with_passwords() -> Value {
    let mut definitions: Value = serde_json::from_str(DEFINITIONS).unwrap();
    let users = definitions["users"].as_array_mut().unwrap();
    assert!(users.iter().all(|user| user["password_hash"] == ""), "no password is shipped");
    let mut operator = users[0].clone();
    operator["name"] = json!("welcomat_operator");
    users.push(operator);
    for user in users {
        // RabbitMQ's own form: a salt of four bytes, then the hash of both.
        let salt = *b"salt";
        let hash = Sha256::digest([&salt[..], PASSWORD.as_bytes()].concat());
        user["password_hash"] = json!(BASE64.encode([&salt[..], &hash[..]].concat()));
    }
    definitions["permissions"].as_array_mut().unwrap().push(json!({
        "user": "welcomat_operator", "vhost": "welcomat",
        "configure": ".*", "write": ".*", "read": ".*",
    }));
    definitions
}

async fn attempt(channel: &Channel, what: Try) -> lapin::Result<()> {
    let none = FieldTable::default;
    match what {
        Try::Read(queue) => {
            channel.basic_get(queue.into(), BasicGetOptions::default()).await.map(drop)
        }
        Try::Consume(queue) => {
            let options = BasicConsumeOptions::default();
            channel.basic_consume(queue.into(), "".into(), options, none()).await.map(drop)
        }
        Try::Write(exchange, key) => {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            let (options, properties) =
                (BasicPublishOptions::default(), BasicProperties::default());
            let publish =
                channel.basic_publish(exchange.into(), key.into(), options, b"x", properties);
            publish.await?.await.map(drop)
        }
        Try::MakeQueue => {
            let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare("welcomat.mine".into(), options, none()).await.map(drop)
        }
        Try::MakeExchange => {
            let options = ExchangeDeclareOptions::default();
            let (name, kind) = ("welcomat.mine".into(), ExchangeKind::Fanout);
            channel.exchange_declare(name, kind, options, none()).await
        }
        Try::DeleteQueue(queue) => {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.map(drop)
        }
    }
}
