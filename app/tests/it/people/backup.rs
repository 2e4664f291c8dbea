//! A backup of a running service, restored elsewhere: what was accepted before it is there, what waits is
//! sent, and what was sent is not sent again.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use app::http::Client;
use serde_json::{Value, json};

use crate::abuse::service::Service;
use crate::harness::{KEY, block_on, text};
use crate::servers::{FreshDatabase, eventually, remove_queues, unique, variable};
use crate::smtp_sink::SmtpSink;

const SEAL_KEYS: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// How many wait for their mail when the backup is made.
const WAITING: usize = 20;

fn env(folder: &Path, mail: &str) -> Vec<(&'static str, String)> {
    vec![
        ("WELCOMAT_DATA_DIR", folder.display().to_string()),
        ("WELCOMAT_SEAL_KEYS", SEAL_KEYS.to_owned()),
        ("WELCOMAT_BOOTSTRAP_API_KEY", KEY.to_owned()),
        ("WELCOMAT_MAIL_URL", mail.to_owned()),
        ("WELCOMAT_HTTP_WORKERS", "1".to_owned()),
        ("WELCOMAT_WORKER_RESCUE_INTERVAL", "200ms".to_owned()),
        // Whoever had a mail in hand when the backup was made is not waited for long.
        ("WELCOMAT_WORKER_LEASE", "12s".to_owned()),
        ("WELCOMAT_MAIL_TIMEOUTS_CONNECT", "2s".to_owned()),
        ("WELCOMAT_MAIL_TIMEOUTS_COMMAND", "2s".to_owned()),
        ("WELCOMAT_MAIL_TIMEOUTS_DATA", "2s".to_owned()),
        ("WELCOMAT_MAIL_TIMEOUTS_BODY", "2s".to_owned()),
        ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "4s".to_owned()),
        // What the old broker had is missed soon.
        ("WELCOMAT_WORKER_REQUEUE_AFTER", "2s".to_owned()),
        // Nor whoever had a job to publish.
        ("WELCOMAT_RELAY_LOCK", "4s".to_owned()),
        ("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "2s".to_owned()),
        ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "500ms".to_owned()),
        ("WELCOMAT_RETRY_PAUSES", "200ms".to_owned()),
        ("WELCOMAT_RETRY_BREAKER_MIN", "50ms".to_owned()),
        ("WELCOMAT_RETRY_BREAKER_MAX", "300ms".to_owned()),
    ]
}

/// Where a service is before its backup.
struct Before {
    path: String,
    /// A link that was mailed and not used.
    open: String,
    /// What the API showed of all.
    shown: Value,
}

async fn invite(client: &Client, path: &str, email: &str) -> Value {
    let answer = client.post(path, &json!({ "email": email })).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn accept(token: &str) -> Value {
    json!({"token": token, "password": "correct horse battery"})
}

/// Somebody has joined, somebody has a link, and many wait because the mail server is away.
async fn lived(client: &Client, sink: &mut SmtpSink) -> Before {
    let me = client.get("/v1/me").await.unwrap().json();
    let path = format!("/v1/organizations/{}/invitations", text(&me["organization"]["id"]));
    for email in ["joined@example.com", "open@example.com"] {
        let made = invite(client, &path, email).await;
        let own = format!("{path}/{}", text(&made["id"]));
        eventually("the mail is sent", async || {
            let found = client.get(&own).await.unwrap().json();
            (found["delivery"]["status"] == "sent").then_some(())
        })
        .await;
    }
    let token =
        |email: &str| sink.mails().into_iter().find(|mail| mail.to == email).unwrap().token();
    let (joined, open) = (token("joined@example.com"), token("open@example.com"));
    let answer = client.post("/v1/invitations/accept", &accept(&joined)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    sink.stop().await;
    for number in 0..WAITING {
        invite(client, &path, &format!("waiting{number}@example.com")).await;
    }
    let shown = client.get(&format!("{path}?limit=100")).await.unwrap().json();
    Before { path, open, shown }
}

/// The restored service does all that was promised before the backup.
async fn goes_on(client: &Client, sink: &SmtpSink, before: &Before) {
    let all = format!("{}?limit=100", before.path);
    let after = eventually("everybody has their mail", async || {
        let page = client.get(&all).await.unwrap().json();
        let rows = page["data"].as_array().unwrap();
        rows.iter().all(|one| one["email_sent"] == true).then(|| page.clone())
    })
    .await;
    let same = |page: &Value| -> Vec<Value> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| json!([row["id"], row["email"], row["status"]])).collect()
    };
    assert_eq!(same(&after), same(&before.shown));
    assert_eq!(sink.mails().len(), WAITING + 2, "nobody has two");
    let answer = client.post("/v1/invitations/accept", &accept(&before.open)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Runs a client of the test server as an operator would.
fn postgres(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/test/postgres");
    let server: PathBuf = Path::new(&variable("TEST_SERVERS_DIR")).join("../postgres");
    let mut child = Command::new(script)
        .arg(program)
        .arg(server)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

#[test]
fn a_dump_of_a_running_service_goes_on_elsewhere() {
    block_on(async {
        let (folder, mut sink) = (tempfile::tempdir().unwrap(), SmtpSink::start().await);
        let (database, restored) = (FreshDatabase::create().await, FreshDatabase::create().await);
        let prefixes = [unique("test"), unique("test")];
        let programs = |url: &str, prefix: &str| {
            [
                ("WELCOMAT_DATABASE_URL", url.to_owned()),
                ("WELCOMAT_BROKER_URL", variable("TEST_AMQP_URL")),
                ("WELCOMAT_BROKER_PREFIX", prefix.to_owned()),
            ]
        };
        let own = programs(&database.url, &prefixes[0]);
        let settings = env(folder.path(), &sink.url());
        let running = Service::start(
            &[("welcomat-api", &own), ("welcomat-worker", &own)],
            folder.path(),
            &settings,
        )
        .await;
        let before = lived(&running.client.clone(), &mut sink).await;
        let dump = postgres("pg_dump", &["--format=custom", name(&database.url)], b"");
        running.stop();

        let target = format!("--dbname={}", name(&restored.url));
        postgres("pg_restore", &["--exit-on-error", &target], &dump);
        sink.start_again().await;
        let elsewhere = tempfile::tempdir().unwrap();
        // A broker that has nothing of what the old one had.
        let own = programs(&restored.url, &prefixes[1]);
        let settings = env(elsewhere.path(), &sink.url());
        let service = Service::start(
            &[("welcomat-api", &own), ("welcomat-worker", &own)],
            elsewhere.path(),
            &settings,
        )
        .await;
        goes_on(&service.client, &sink, &before).await;
        service.stop();
        for prefix in &prefixes {
            remove_queues(&variable("TEST_AMQP_URL"), prefix).await;
        }
        database.remove().await;
        restored.remove().await;
    });
}

/// `welcomat backup` of the database in the folder.
fn back_up(folder: &Path, url: Option<&str>, file: &Path) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_welcomat"));
    command.env_clear().env("WELCOMAT_DATA_DIR", folder);
    command.envs(url.map(|url| ("WELCOMAT_DATABASE_URL", url)));
    command.arg("backup").arg(file).output().unwrap()
}

#[test]
fn a_copy_of_an_embedded_service_in_use_goes_on_elsewhere() {
    block_on(async {
        let (folder, mut sink) = (tempfile::tempdir().unwrap(), SmtpSink::start().await);
        let settings = env(folder.path(), &sink.url());
        let running = Service::start(&[("welcomat serve", &[])], folder.path(), &settings).await;
        let before = lived(&running.client.clone(), &mut sink).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("welcomat.db");
        let made = back_up(folder.path(), None, &copy);
        assert!(made.status.success(), "{made:?}");
        assert!(String::from_utf8_lossy(&made.stdout).contains("seal.key"), "{made:?}");
        let refusals = [
            (back_up(folder.path(), None, &copy), "name a new file"),
            (back_up(folder.path(), Some("postgres://x/y"), &copy), "pg_dump"),
            (back_up(Path::new("/nowhere"), None, &copy), "there is no database"),
        ];
        for (output, why) in refusals {
            assert_eq!(output.status.code(), Some(1));
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains(why), "{said}");
        }
        // What comes after the backup is not in it.
        invite(&running.client, &before.path, "after@example.com").await;
        running.stop();

        sink.start_again().await;
        let settings = env(elsewhere.path(), &sink.url());
        let service = Service::start(&[("welcomat serve", &[])], elsewhere.path(), &settings).await;
        goes_on(&service.client, &sink, &before).await;
        service.stop();
    });
}
