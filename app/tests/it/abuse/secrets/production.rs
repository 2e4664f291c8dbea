//! API and worker as in production: their logs, PostgreSQL, and RabbitMQ's queue and disk.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::json;

use super::{PEOPLE, Run, env};
use crate::abuse::service::Service;
use crate::harness::block_on;
use crate::mail::TestMail;
use crate::servers::{FreshDatabase, eventually, remove_queues, unique, variable};

const PLANTED: &str = "planted-to-be-found";

#[test]
fn api_and_worker_keep_their_secrets_to_themselves() {
    block_on(async {
        for format in ["text", "json"] {
            keeps_its_secrets(format).await;
        }
    });
}

async fn keeps_its_secrets(format: &str) {
    let database = FreshDatabase::create().await;
    let (prefix, password) = (unique("secrets"), unique("dbpassword"));
    let folder = tempfile::tempdir().unwrap();
    let mut env = env(format, folder.path());
    // The server of the tests believes everybody.
    let with_password = database.url.replace("postgres@", &format!("postgres:{password}@"));
    let mut smtp: url::Url = variable("TEST_SMTP_URL").parse().unwrap();
    smtp.query_pairs_mut().append_pair("ca", &variable("TEST_SMTP_CA"));
    env.push(("WELCOMAT_DATABASE_URL", with_password));
    env.push(("WELCOMAT_BROKER_URL", variable("TEST_AMQP_URL")));
    env.push(("WELCOMAT_BROKER_PREFIX", prefix.clone()));
    env.push(("WELCOMAT_MAIL_URL", smtp.to_string()));
    let service =
        Service::start(&[("welcomat-api", &[]), ("welcomat-worker", &[])], folder.path(), &env)
            .await;
    let client = service.client.clone();
    let mut run = Run::new(&client).await;
    run.secrets.add("database password", &password);
    for log_in in
        ["\0guest\0guest", "\\0guest\\0guest", "\\u{0}guest", "\\u0000guest", "guest:guest"]
    {
        run.secrets.add("broker log-in", log_in);
    }
    run.secrets.add("SMTP log-in", "\0tester\0secret");
    run.secrets.add("SMTP log-in in an address", "tester:secret");
    let broker = Tap::open(&prefix).await;
    let body = json!({"email": "plant@planted.example", "metadata": {"note": PLANTED}});
    run.post(&client, &run.invitations.clone(), &body, 201).await;
    run.invite_all(&client).await;
    for person in PEOPLE {
        let mail = received(&run.email(person)).await;
        run.received(&mail, person != "eve");
        if person == "ann" {
            run.accept(&client, &mail).await;
        }
    }
    run.forge_lines(&client).await;
    let metrics = client.get("/metrics").await.unwrap();
    assert!(metrics.text().contains("welcomat_invitations_created_total"), "{}", metrics.text());
    assert!(run.secrets.found_in(&metrics.body).is_empty(), "{}", metrics.text());
    assert!(run.addresses.found_in(&metrics.body).is_empty(), "{}", metrics.text());
    run.check_words(&service.stop(), format);

    run.secrets.add("planted", PLANTED);
    let dump = dump(&database.url).await;
    assert_eq!(run.secrets.found_in(dump.as_bytes()), ["planted"], "and no secret");
    broker.plant().await;
    let messages = broker.messages().await;
    assert_eq!(run.secrets.found_in(&messages), ["planted"], "and no secret");
    assert!(run.addresses.found_in(&messages).is_empty(), "a message names a row, nobody");
    for file in files_of_the_broker() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let mut found = run.secrets.found_in(&bytes);
        found.retain(|what| *what != "planted");
        assert!(found.is_empty(), "{}: {found:?}", file.display());
        assert!(run.addresses.found_in(&bytes).is_empty(), "{}", file.display());
    }
    broker.close().await;
    remove_queues(&variable("TEST_AMQP_URL"), &prefix).await;
    database.remove().await;
}

/// The mail to that address, once it is in the mailbox.
async fn received(address: &str) -> TestMail {
    let folder = Path::new(&variable("TEST_SMTP_MAILDIR")).join("new");
    eventually("the mail arrives", async || {
        let mails = std::fs::read_dir(&folder).unwrap().map(|mail| mail.unwrap().path());
        let mut mails = mails.filter_map(|path| std::fs::read_to_string(path).ok());
        let delivered = format!("Delivered-To: {address}\r\n");
        mails.find(|mail| mail.contains(&delivered)).map(|mail| TestMail::received(address, &mail))
    })
    .await
}

/// All rows of all tables, as text; bytes are hexadecimal there.
async fn dump(url: &str) -> String {
    let database = Database::connect(url).await.unwrap();
    let read = async |sql: String| {
        let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        let text = |row: sea_orm::QueryResult| row.try_get::<String>("", "text").unwrap();
        rows.unwrap().into_iter().map(text).collect::<Vec<_>>()
    };
    let tables = "SELECT table_name::text AS text FROM information_schema.tables \
                  WHERE table_schema = 'public'";
    let mut dump = String::new();
    let tables = read(tables.to_owned()).await;
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        for row in read(format!("SELECT t::text AS text FROM \"{table}\" t")).await {
            dump.push_str(&row);
        }
    }
    database.close().await.unwrap();
    dump
}

/// A queue of our own behind the exchange of the jobs.
struct Tap {
    connection: Connection,
    channel: Channel,
    queue: String,
}

impl Tap {
    async fn open(prefix: &str) -> Self {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&variable("TEST_AMQP_URL"), properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("{prefix}.tap");
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.unwrap();
        let exchange = format!("{prefix}.jobs.v1");
        // The API declares it as soon as it has connected.
        eventually("the exchange is there", async || {
            let channel = connection.create_channel().await.unwrap();
            let (queue, exchange) = (queue.as_str().into(), exchange.as_str().into());
            let options = QueueBindOptions::default();
            channel
                .queue_bind(queue, exchange, "email".into(), options, FieldTable::default())
                .await
                .ok()
        })
        .await;
        Self { connection, channel, queue }
    }

    /// A message that the search has to find.
    async fn plant(&self) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let queue = self.queue.as_str().into();
        self.channel
            .basic_publish("".into(), queue, options, PLANTED.as_bytes(), properties)
            .await
            .unwrap();
    }

    /// All that has come, up to the planted one.
    async fn messages(&self) -> Vec<u8> {
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let (queue, tag) = (self.queue.as_str().into(), "tap".into());
        let mut consumer =
            self.channel.basic_consume(queue, tag, options, FieldTable::default()).await.unwrap();
        let (mut bytes, mut count) = (Vec::new(), 0);
        loop {
            let message = consumer.next().await.unwrap().unwrap();
            bytes.extend_from_slice(format!("{:?}", message.properties).as_bytes());
            bytes.extend_from_slice(&message.data);
            if message.data == PLANTED.as_bytes() {
                break;
            }
            count += 1;
        }
        assert!(count > PEOPLE.len(), "{count} jobs");
        bytes
    }

    async fn close(self) {
        self.connection.close(200, "done".into()).await.unwrap();
    }
}

/// What the broker has written, unless it runs in a container of its own.
fn files_of_the_broker() -> Vec<PathBuf> {
    let servers = PathBuf::from(variable("TEST_SERVERS_DIR"));
    let mut folders = vec![servers.parent().unwrap().join("rabbitmq/mnesia")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}
