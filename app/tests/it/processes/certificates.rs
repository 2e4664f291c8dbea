//! Servers whose certificate is not to be believed: nothing is said to them, nothing fails for it, the
//! doctor and the log say what to do, and it heals as soon as the certificate does.

use super::TURN;
use super::fleet::Fleet;
use super::process::{LOG_FILE, until_logged};
use crate::cli::welcomat;
use crate::harness::block_on;
use crate::servers::{FreshDatabase, eventually, variable};
use crate::tls_front::{AUTHORITY, Shown, TlsFront};

/// Whatever cannot be reached is tried again soon.
const HASTE: [(&str, &str); 3] = [
    ("WELCOMAT_RETRY_PAUSES", "500ms"),
    ("WELCOMAT_RETRY_BREAKER_MIN", "200ms"),
    ("WELCOMAT_RETRY_BREAKER_MAX", "1s"),
];
const EXPIRED: &str = "expired on 2020-02-01: renew it there";
const ELSEWHERE: &str = "is for mail.example.com, not for 127.0.0.1: name the server so in ";
const UNTRUSTED: &str = "is signed by nobody whom this machine trusts: if it is the right one, name its \
                         authority in ";

#[test]
fn mails_wait_for_a_mail_server_that_shows_a_good_certificate() {
    const COUNT: usize = 5;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        let front = TlsFront::before(&fleet.sink.url(), Shown::Expired).await;
        let url = front.url(&fleet.sink.url(), "smtps", &format!("ca={AUTHORITY}"));
        let log = fleet.file("log");
        fleet.add_api().await;
        fleet.add_worker_with(&[("WELCOMAT_MAIL_URL", &url), (LOG_FILE, log.to_str().unwrap())]);
        fleet.invite(0..COUNT).await;
        let words = ["mail cannot be sent at present", "certificate of the mail server", EXPIRED];
        until_logged(&log, &words).await;
        in_detail(&fleet, EXPIRED).await;
        let mail = [("WELCOMAT_MAIL_URL", url.as_str())];
        says_bad("mail server", &mail, &["certificate of the mail server", EXPIRED]);
        front.show(Shown::Elsewhere);
        in_detail(&fleet, ELSEWHERE).await;
        says_bad("mail server", &mail, &[ELSEWHERE, "mail.url"]);
        front.show(Shown::Good);
        let strange = front.url(&fleet.sink.url(), "smtps", "");
        let strange = [("WELCOMAT_MAIL_URL", strange.as_str())];
        says_bad("mail server", &strange, &[UNTRUSTED, "mail.url, with ?ca="]);
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.failed, tally.repeated), (COUNT, 0, 0));
        says_good("mail server", &mail, "encrypted");
        fleet.end().await;
    });
}

#[test]
fn jobs_wait_for_a_broker_that_shows_a_good_certificate() {
    const COUNT: usize = 5;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        let front = TlsFront::before(&fleet.amqp, Shown::Expired).await;
        let url = front.url(&fleet.amqp, "amqps", &format!("ca={AUTHORITY}"));
        let log = fleet.file("log");
        fleet.set("WELCOMAT_BROKER_URL", &url);
        fleet.set(LOG_FILE, log.to_str().unwrap());
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..COUNT).await;
        until_logged(&log, &["ERROR", "certificate of the broker", EXPIRED]).await;
        let prefix = ("WELCOMAT_BROKER_PREFIX", fleet.prefix.as_str());
        let broker = [("WELCOMAT_BROKER_URL", url.as_str()), prefix];
        says_bad("broker", &broker, &["certificate of the broker", EXPIRED]);
        front.show(Shown::Elsewhere);
        says_bad("broker", &broker, &[ELSEWHERE, "broker.url"]);
        assert_eq!(fleet.sink.count(), 0);
        front.show(Shown::Good);
        let strange = front.url(&fleet.amqp, "amqps", "");
        let strange = [("WELCOMAT_BROKER_URL", strange.as_str()), prefix];
        says_bad("broker", &strange, &[UNTRUSTED, "broker.url, with ?ca="]);
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.failed, tally.repeated), (COUNT, 0, 0));
        says_good("broker", &broker, "what is published is confirmed");
        fleet.end().await;
    });
}

#[test]
fn a_database_is_believed_only_with_a_good_certificate() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let plain = FreshDatabase::create().await;
        let front = TlsFront::before(&plain.url, Shown::Good).await;
        let through = |options: &str| front.url(&plain.url, "postgres", options);
        let verified = through(&format!("sslmode=verify-full&sslrootcert={AUTHORITY}"));
        let (strange, unverified) = (through("sslmode=verify-full"), through("sslmode=require"));
        let mut fleet = Fleet::over(Some(plain), variable("TEST_AMQP_URL"), &HASTE).await;
        fleet.set("WELCOMAT_DATABASE_URL", &verified);
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..5).await;
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.repeated), (5, 0));
        let bad = |url: &str, words: &[&str]| {
            says_bad("database", &[("WELCOMAT_DATABASE_URL", url)], words);
            for program in ["api", "worker"] {
                ends_with(program, url, words);
            }
        };
        bad(&strange, &[UNTRUSTED, "database.url, with ?sslrootcert="]);
        front.show(Shown::Expired);
        bad(&verified, &["the certificate of the database", EXPIRED]);
        front.show(Shown::Elsewhere);
        bad(&verified, &[ELSEWHERE, "database.url"]);
        // It hides what is said, and asks nobody who listens: so the manual of PostgreSQL has it.
        says_good("database", &[("WELCOMAT_DATABASE_URL", &unverified)], "tables up to date");
        front.show(Shown::Good);
        says_good("database", &[("WELCOMAT_DATABASE_URL", &verified)], "tables up to date");
        fleet.end().await;
    });
}

#[test]
fn an_authority_that_is_not_there_is_named_at_the_start() {
    let url = "amqps://127.0.0.1:1/?ca=/nowhere/ca.pem";
    let words = "the file /nowhere/ca.pem that broker.url names with ca= cannot be used: ";
    says_bad("broker", &[("WELCOMAT_BROKER_URL", url)], &[words]);
}

/// Whoever looks at a mail is told the same, and none has failed.
async fn in_detail(fleet: &Fleet, words: &str) {
    eventually(&format!("a mail waits, for {words:?}"), async || {
        let delivery = fleet.detail(0).await["deliveries"][0].clone();
        assert_ne!(delivery["status"], "failed", "{delivery}");
        delivery.to_string().contains(words).then_some(())
    })
    .await;
}

/// What the doctor finds about this, with these settings.
fn found(what: &str, env: &[(&str, &str)]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let call = welcomat("doctor --output json --dns 127.0.0.1:1")
        .env("WELCOMAT_DATA_DIR", folder.path().to_str().unwrap())
        .env("WELCOMAT_MAIL_FROM", "a@example.com");
    let said = env.iter().fold(call, |call, (name, value)| call.env(name, value)).run();
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let mut about = found["findings"].as_array().unwrap().iter();
    about.find(|finding| finding["what"] == what).unwrap_or_else(|| panic!("{said:?}")).clone()
}

fn says_bad(what: &str, env: &[(&str, &str)], words: &[&str]) {
    let found = found(what, env);
    assert_eq!(found["verdict"], "bad", "{found}");
    let detail = found["detail"].as_str().unwrap();
    assert!(words.iter().all(|word| detail.contains(word)), "{words:?}: {found}");
    assert!(found["next_step"].is_string(), "{found}");
}

fn says_good(what: &str, env: &[(&str, &str)], words: &str) {
    let found = found(what, env);
    assert_eq!(found["verdict"], "good", "{found}");
    assert!(found["detail"].as_str().unwrap().contains(words), "{found}");
}

/// A program does not start, and its last line has these words.
fn ends_with(program: &str, database: &str, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let said = welcomat(program)
        .env("WELCOMAT_DATA_DIR", folder.path().to_str().unwrap())
        .env("WELCOMAT_DATABASE_URL", database)
        .env("WELCOMAT_BROKER_URL", "amqp://127.0.0.1:1")
        .env("WELCOMAT_SEAL_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .env("WELCOMAT_HTTP_BIND", "127.0.0.1:0")
        .run();
    let last = said.last_line();
    let words = words.iter().chain(&["\"welcomat doctor\" says what to do"]);
    words.for_each(|word| assert!(last.contains(word), "{word}: {said:?}"));
}
