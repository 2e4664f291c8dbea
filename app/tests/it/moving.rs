//! An embedded service moves to PostgreSQL: nothing is lost, nothing is sent twice, links stay good.

#[cfg(feature = "long-faults")]
mod large;

use std::path::Path;
use std::process::{Command, Output};

use app::http::Client;
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};

use crate::abuse::service::Service;
use crate::harness::{INSTANCE_KEY, KEY, block_on, text};
use crate::servers::{FreshDatabase, eventually, remove_queues, unique, variable};
use crate::smtp_sink::SmtpSink;

const SEAL_KEYS: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// How many wait for their mail while everything moves.
const WAITING: usize = 60;

fn env(folder: &Path, mail: &str) -> Vec<(&'static str, String)> {
    vec![
        ("WELCOMAT_DATA_DIR", folder.display().to_string()),
        ("WELCOMAT_SEAL_KEYS", SEAL_KEYS.to_owned()),
        ("WELCOMAT_BOOTSTRAP_API_KEY", KEY.to_owned()),
        ("WELCOMAT_BOOTSTRAP_INSTANCE_KEY", INSTANCE_KEY.to_owned()),
        ("WELCOMAT_MAIL_URL", mail.to_owned()),
        ("WELCOMAT_HTTP_WORKERS", "1".to_owned()),
        ("WELCOMAT_WORKER_RESCUE_INTERVAL", "200ms".to_owned()),
        ("WELCOMAT_RETRY_PAUSES", "200ms".to_owned()),
        ("WELCOMAT_RETRY_BREAKER_MIN", "50ms".to_owned()),
        ("WELCOMAT_RETRY_BREAKER_MAX", "300ms".to_owned()),
    ]
}

/// `welcomat migrate --from` the database in the folder.
fn migrate(folder: &Path, target: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_welcomat"))
        .env_clear()
        .env("WELCOMAT_DATA_DIR", folder)
        .env("WELCOMAT_DATABASE_URL", target)
        .args(["migrate", "--from"])
        .arg(format!("sqlite://{}", folder.join("welcomat.db").display()))
        .output()
        .unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

async fn invitations(client: &Client) -> String {
    let me = client.get("/v1/me").await.unwrap().json();
    format!("/v1/organizations/{}/invitations", text(&me["organization"]["id"]))
}

async fn invite(client: &Client, path: &str, body: &Value) -> Value {
    let answer = client.post(path, body).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn until(client: &Client, path: &str, status: &str) -> Value {
    eventually(&format!("{path} becomes {status}"), async || {
        let found = client.get(path).await.unwrap().json();
        (found["delivery"]["status"] == status).then_some(found)
    })
    .await
}

#[test]
fn what_an_embedded_service_holds_moves_and_goes_on() {
    block_on(async {
        let (folder, mut sink) = (tempfile::tempdir().unwrap(), SmtpSink::start().await);
        let (database, prefix) = (FreshDatabase::create().await, unique("test"));
        let settings = env(folder.path(), &sink.url());

        // A life before: somebody joined, somebody has a link, some wait.
        let embedded = Service::start(&[("welcomat serve", &[])], folder.path(), &settings).await;
        let client = embedded.client.clone();
        let path = invitations(&client).await;
        for name in ["ann", "bob"] {
            let metadata = json!({"z": [1, 2.50, "ä"], "a": {"y": null, "b": true}});
            let body = json!({"email": format!("{name}@example.com"), "metadata": metadata});
            let made = invite(&client, &path, &body).await;
            until(&client, &format!("{path}/{}", text(&made["id"])), "sent").await;
        }
        let token = |who: &str| {
            let mail = sink.mails().into_iter().find(|mail| mail.to.starts_with(who)).unwrap();
            mail.token()
        };
        let (ann, bob) = (token("ann"), token("bob"));
        let accept = |token: &str| json!({"token": token, "password": "correct horse battery"});
        let joined = client.post("/v1/invitations/accept", &accept(&ann)).await.unwrap();
        assert_eq!(joined.status, 200, "{}", joined.text());
        sink.stop().await;
        for number in 0..WAITING {
            let body = json!({"email": format!("waiting{number}@example.com")});
            invite(&client, &path, &body).await;
        }
        let before = client.get(&format!("{path}?limit=100")).await.unwrap().json();
        embedded.stop();
        leave_some_to_the_broker(folder.path()).await;

        // The move, and once more: what is there already is no obstacle.
        for _ in 0..2 {
            let moved = migrate(folder.path(), &database.url);
            assert!(moved.status.success(), "{moved:?}");
            let told = String::from_utf8(moved.stdout).unwrap();
            let rows = |name: &str| {
                let line = told.lines().find(|line| line.starts_with(&format!("{name} ")));
                line.unwrap().split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
            };
            assert_eq!((rows("invitation"), rows("delivery")), (WAITING + 2, WAITING + 2));
            assert!(told.contains("seal keys"), "{told}");
        }

        // The life after.
        sink.start_again().await;
        let own = [
            ("WELCOMAT_DATABASE_URL", database.url.clone()),
            ("WELCOMAT_BROKER_URL", variable("TEST_AMQP_URL")),
            ("WELCOMAT_BROKER_PREFIX", prefix.clone()),
        ];
        let programs: [(&str, &[_]); 2] = [("welcomat-api", &own), ("welcomat-worker", &own)];
        let elsewhere = tempfile::tempdir().unwrap();
        let settings = env(elsewhere.path(), &sink.url());
        let distributed = Service::start(&programs, elsewhere.path(), &settings).await;
        let client = distributed.client.clone();
        eventually("everybody has their mail", async || {
            let waiting = sink.mails().iter().filter(|mail| mail.to.starts_with("waiting")).count();
            (waiting == WAITING).then_some(())
        })
        .await;
        let all = format!("{path}?limit=100");
        let after = eventually("every mail is reported", async || {
            let page = client.get(&all).await.unwrap().json();
            let all = page["data"].as_array().unwrap().iter();
            all.clone().all(|one| one["email_sent"] == true).then(|| page.clone())
        })
        .await;
        let same = |page: &Value| -> Vec<Value> {
            let rows = page["data"].as_array().unwrap().iter();
            rows.map(|row| json!([row["id"], row["email"], row["status"], row["metadata"]]))
                .collect()
        };
        assert_eq!(same(&after), same(&before));
        assert_eq!(sink.mails().len(), WAITING + 2, "nobody has two");
        // The old link, the old key, and numbers that go on.
        let joined = client.post("/v1/invitations/accept", &accept(&bob)).await.unwrap();
        assert_eq!(joined.status, 200, "{}", joined.text());
        let operator = client.clone().with_key(Some(INSTANCE_KEY.to_owned()));
        let made = operator.post("/v1/organizations", &json!({"name": "Second"})).await.unwrap();
        assert_eq!(
            (made.status, made.json()["number"].as_i64()),
            (201, Some(2)),
            "{}",
            made.text()
        );
        distributed.stop();
        remove_queues(&variable("TEST_AMQP_URL"), &prefix).await;
        database.remove().await;
    });
}

/// Makes of some mails what they are while the broker has their jobs: published, and in nobody's hands.
async fn leave_some_to_the_broker(folder: &Path) {
    let file = format!("sqlite://{}", folder.join("welcomat.db").display());
    let database = Database::connect(file).await.unwrap();
    let some = "SELECT id FROM delivery WHERE status = 'retrying' ORDER BY id LIMIT 20";
    for statement in [
        format!("UPDATE outbox SET published_at = created_at WHERE subject_id IN ({some})"),
        format!(
            "UPDATE delivery SET status = 'queued', next_attempt_at = NULL WHERE id IN ({some})"
        ),
    ] {
        let changed = database.execute_unprepared(&statement).await.unwrap();
        assert!(changed.rows_affected() > 0, "{statement}");
    }
    database.close().await.unwrap();
}

#[test]
fn a_move_that_would_mix_or_lose_something_is_refused() {
    block_on(async {
        let database = FreshDatabase::create().await;
        let folder = tempfile::tempdir().unwrap();
        assert!(refused(&migrate(folder.path(), &database.url)).contains("there is no file"));
        let other = tempfile::tempdir().unwrap();
        for folder in [&folder, &other] {
            let settings = env(folder.path(), "capture:");
            let service =
                Service::start(&[("welcomat serve", &[])], folder.path(), &settings).await;
            service.stop();
        }
        assert!(migrate(folder.path(), &database.url).status.success());
        let occupied = refused(&migrate(other.path(), &database.url));
        assert!(occupied.contains("organizations of its own"), "{occupied}");
        let db = Database::connect(&database.url).await.unwrap();
        db.execute_unprepared("UPDATE organization SET name = 'Changed'").await.unwrap();
        let different = refused(&migrate(folder.path(), &database.url));
        assert!(different.contains("the table organization is not the same"), "{different}");
        db.close().await.unwrap();
        let file = format!("sqlite://{}", other.path().join("welcomat.db").display());
        let newer = Database::connect(&file).await.unwrap();
        newer.execute_unprepared("CREATE TABLE from_the_future (id INTEGER)").await.unwrap();
        newer.close().await.unwrap();
        let unknown = refused(&migrate(other.path(), &database.url));
        assert!(unknown.contains("does not move: from_the_future"), "{unknown}");
        let into_itself = refused(&migrate(folder.path(), &file));
        assert!(into_itself.contains("PostgreSQL"), "{into_itself}");
        database.remove().await;
    });
}
