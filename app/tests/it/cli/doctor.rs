//! `welcomat doctor` finds what stands between an invitation and its mail, and says what to do.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};

use super::{Call, Said, welcomat};
use crate::harness::{Stack, TestApp, block_on};
use crate::servers::{FreshDatabase, unique, variable};
use crate::smtp_sink::SmtpSink;

pub fn doctor(folder: &std::path::Path, arguments: &str) -> Call {
    welcomat(&format!("doctor --output json {arguments}"))
        .env("WELCOMAT_DATA_DIR", folder.to_str().unwrap())
}

/// The findings about something.
pub fn about(said: &Said, what: &str) -> Vec<Value> {
    let found: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let all = found["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["what"] == what).cloned().collect()
}

pub fn one(said: &Said, what: &str) -> (String, String) {
    let found = about(said, what);
    assert_eq!(found.len(), 1, "{what}: {said:?}");
    let text = |name: &str| found[0][name].as_str().unwrap().to_owned();
    assert_eq!(text("verdict") == "good", found[0]["next_step"].is_null(), "{found:?}");
    (text("verdict"), text("detail"))
}

#[test]
fn with_nothing_set_up_everything_is_well_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let said = doctor(&folder.path().join("new"), "").run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(one(&said, "database").0, "good");
    assert_eq!(one(&said, "broker"), ("good".to_owned(), "inside the process".to_owned()));
    assert_eq!(one(&said, "mail server").0, "doubtful", "mail reaches nobody");
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is made");
    let text = welcomat("doctor").env("WELCOMAT_DATA_DIR", folder.path().to_str().unwrap()).run();
    assert!(text.good().contains("→ set mail.url"), "text for people");
}

#[test]
fn a_wrong_setting_is_the_first_thing_to_be_said() {
    let said = doctor("/nonexistent".as_ref(), "").env("WELCOMAT_MAIL_URL", "smtp://").run();
    assert_eq!(said.code, 1, "{said:?}");
    let (verdict, detail) = one(&said, "settings");
    assert_eq!(verdict, "bad");
    assert!(detail.contains("mail"), "{detail}");
}

#[test]
fn what_cannot_be_reached_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on port 1.
    let said = doctor(folder.path(), "--dns 127.0.0.1:1")
        .env("WELCOMAT_DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
        .env("WELCOMAT_BROKER_URL", "amqp://127.0.0.1:1/%2f")
        .env("WELCOMAT_MAIL_URL", "smtp://127.0.0.1:1?tls=none")
        .env("WELCOMAT_MAIL_FROM", "a@example.com")
        .run();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("4 things are wrong"), "{said:?}");
    for what in ["seal keys", "database", "broker", "mail server"] {
        assert_eq!(one(&said, what).0, "bad", "{what}");
    }
    for what in ["SPF", "DMARC", "MX"] {
        assert_eq!(one(&said, what).0, "doubtful", "{what}: nothing is known");
    }
}

#[test]
fn a_whole_service_is_well() {
    block_on(async {
        let mut app = TestApp::start(Stack::Distributed).await;
        let folder = tempfile::tempdir().unwrap();
        let smtp = app.sink().url();
        let dns = Dns::start();
        let said =
            doctor(folder.path(), &format!("--dns {} --send-to ann@example.com", dns.address))
                .env("WELCOMAT_DATABASE_URL", &app.database_url)
                .env("WELCOMAT_BROKER_URL", &variable("TEST_AMQP_URL"))
                .env("WELCOMAT_BROKER_PREFIX", app.broker_prefix.as_deref().unwrap())
                .env("WELCOMAT_MAIL_URL", &smtp)
                .env("WELCOMAT_MAIL_FROM", "Acme <invitations@good.example>")
                .env("WELCOMAT_SEAL_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                .run();
        assert_eq!(said.code, 0, "{said:?}");
        for what in ["seal keys", "database", "clock", "broker", "mail", "SPF", "DMARC", "MX"] {
            assert_eq!(one(&said, what).0, "good", "{what}: {said:?}");
        }
        let broker = one(&said, "broker").1;
        assert!(broker.starts_with("RabbitMQ "), "{broker}");
        let queues = about(&said, "queue");
        assert_eq!(queues.len(), 3, "{queues:?}");
        assert!(queues.iter().all(|queue| queue["verdict"] == "good"), "{queues:?}");
        let mails = app.mails_to("ann@example.com").await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].subject, "Welcomat can send mail");
    });
}

#[test]
fn tables_of_another_version_are_seen() {
    block_on(async {
        let database = FreshDatabase::create().await;
        let folder = tempfile::tempdir().unwrap();
        let look = || {
            doctor(folder.path(), "")
                .env("WELCOMAT_DATABASE_URL", &database.url)
                .env("WELCOMAT_SEAL_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                .run()
        };
        let (verdict, detail) = one(&look(), "database");
        assert_eq!(verdict, "doubtful", "{detail}");
        assert!(detail.contains("still to be taken"), "{detail}");
        let migrate = welcomat("migrate").env("WELCOMAT_DATABASE_URL", &database.url);
        migrate.env("WELCOMAT_DATA_DIR", folder.path().to_str().unwrap()).run().good();
        assert_eq!(one(&look(), "database").0, "good");
        let db = sea_orm::Database::connect(database.url.clone()).await.unwrap();
        for (step, verdict, code) in [
            ("m20990101_000001_add_something", "doubtful", 0),
            ("m20990102_000002_contract_something", "bad", 1),
        ] {
            let newer = format!("INSERT INTO seaql_migrations VALUES ('{step}', 0)");
            sea_orm::ConnectionTrait::execute_unprepared(&db, &newer).await.unwrap();
            let said = look();
            let (found, detail) = one(&said, "database");
            assert_eq!((found.as_str(), said.code), (verdict, code), "{detail}");
            assert!(detail.contains(step), "{detail}");
        }
        sea_orm::ConnectionTrait::execute_unprepared(
            &db,
            "DELETE FROM seaql_migrations WHERE version LIKE 'm2099%'; \
             DO $$ BEGIN EXECUTE 'ALTER DATABASE \"' || current_database() || \
             '\" SET default_transaction_read_only = on'; END $$",
        )
        .await
        .unwrap();
        let (verdict, detail) = one(&look(), "database");
        assert!(verdict == "bad" && detail.contains("read-only"), "{detail}");
        db.close().await.unwrap();
        database.remove().await;
    });
}

#[test]
fn a_queue_that_is_not_as_it_should_be_is_named() {
    block_on(async {
        let (prefix, url) = (unique("test"), variable("TEST_AMQP_URL"));
        let name = format!("{prefix}.email.v1");
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare(name.as_str().into(), durable, FieldTable::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let said = doctor(folder.path(), "")
            .env("WELCOMAT_BROKER_URL", &url)
            .env("WELCOMAT_BROKER_PREFIX", &prefix)
            .run();
        let (verdict, detail) = one(&said, "broker");
        assert_eq!((verdict.as_str(), said.code), ("bad", 1), "{said:?}");
        assert!(detail.contains("once it is removed"), "{detail}");
        connection.close(200, "done".into()).await.unwrap();
        crate::servers::remove_queues(&url, &prefix).await;
    });
}

#[test]
fn a_sender_that_nobody_would_believe_is_seen() {
    block_on(async {
        let sink = SmtpSink::start().await;
        let dns = Dns::start();
        let folder = tempfile::tempdir().unwrap();
        let said = doctor(folder.path(), &format!("--dns {}", dns.address))
            .env("WELCOMAT_MAIL_URL", &sink.url())
            .env("WELCOMAT_MAIL_FROM", "Acme <invitations@bad.example>")
            .env("WELCOMAT_MAIL_DKIM_SELECTOR", "s1")
            .env("WELCOMAT_MAIL_DKIM_DOMAIN", "bad.example")
            .env("WELCOMAT_MAIL_DKIM_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .run();
        let verdicts = ["SPF", "DKIM", "DMARC", "MX"].map(|what| one(&said, what).0);
        assert_eq!(verdicts, ["bad", "bad", "doubtful", "doubtful"], "{said:?}");
        assert!(one(&said, "SPF").1.contains("2 SPF records"), "{said:?}");
        assert_eq!(said.code, 1, "{said:?}");
        let found = about(&said, "DKIM");
        assert!(found[0]["next_step"].as_str().unwrap().contains("public half"), "{found:?}");
        assert_eq!(found[0]["detail"], json!("s1._domainkey.bad.example has no key"));
    });
}

/// A DNS server that knows a good domain and a bad one.
struct Dns {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Dns {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let (address, stop) = (socket.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut query = [0; 512];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut query) else { continue };
                socket.send_to(&answer(&query[..length]), from).unwrap();
            }
        });
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

const MX: u16 = 15;

/// The question with its answers behind it (RFC 1035 §4.1).
fn answer(query: &[u8]) -> Vec<u8> {
    let (mut name, mut at) = (Vec::new(), 12);
    while query[at] > 0 {
        let end = at + 1 + usize::from(query[at]);
        name.push(String::from_utf8_lossy(&query[at + 1..end]).into_owned());
        at = end;
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let texts: &[&str] = match (name.join(".").as_str(), kind) {
        ("good.example", MX) => &["mx.good.example"],
        ("good.example", _) => &["v=spf1 -all", "something else"],
        ("_dmarc.good.example", _) => &["v=DMARC1; p=reject"],
        ("bad.example", 16) => &["v=spf1 -all", "v=spf1 +all"],
        ("s1._domainkey.bad.example", _) => &["v=DKIM1; p="],
        _ => &[],
    };
    let mut message = query[..at + 5].to_vec();
    message[2..4].copy_from_slice(&[0x81, 0x80]);
    message[6..12].copy_from_slice(&[0, octet(texts.len()), 0, 0, 0, 0]);
    for text in texts {
        let mut data = Vec::new();
        if kind == MX {
            data.extend([0, 10]);
            for label in text.split('.').chain([""]) {
                data.push(octet(label.len()));
                data.extend(label.bytes());
            }
        } else {
            data.push(octet(text.len()));
            data.extend(text.bytes());
        }
        // The name of the question, the kind, the class IN, a minute to live.
        message.extend([0xc0, 12]);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend([0, octet(data.len())]);
        message.extend(data);
    }
    message
}

/// No part of an answer is longer.
fn octet(length: usize) -> u8 {
    u8::try_from(length).unwrap()
}
