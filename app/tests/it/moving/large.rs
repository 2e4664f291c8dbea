//! Fifty thousand invitations move while half of their mails are still to be sent.
#![expect(clippy::print_stderr, reason = "figures for whoever runs it with --nocapture")]

use std::collections::HashSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use super::{env, invitations, migrate};
use crate::abuse::service::Service;
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::servers::{FreshDatabase, eventually_within, remove_queues, unique, variable};
use crate::smtp_sink::SmtpSink;

const HALF: usize = 25_000;
const PATIENCE: Duration = Duration::from_mins(10);

/// Hands in a file of people, and waits until all of them are invited.
async fn invite(service: &Service, name: &str) {
    let mut file = "email\n".to_owned();
    for number in 0..HALF {
        writeln!(file, "{name}{number}@example.com").unwrap();
    }
    let path = invitations(&service.client).await.replace("/invitations", "/batches");
    let csv = [("Content-Type", "text/csv")];
    let sent = service.client.send("POST", &path, &csv, file.as_bytes()).await.unwrap();
    assert_eq!(sent.status, 202, "{}", sent.text());
    let batch = format!("{path}/{}", text(&sent.json()["id"]));
    eventually_within(PATIENCE, "everybody is invited", async || {
        let batch = service.client.get(&batch).await.unwrap().json();
        (batch["status"] == "done").then_some(())
    })
    .await;
}

async fn until_reported(url: &str, count: usize) {
    let database = Database::connect(url).await.unwrap();
    let sent = "SELECT count(*) AS sent FROM invitation WHERE email_sent";
    eventually_within(PATIENCE, "every mail is reported", async || {
        let query = Statement::from_string(DbBackend::Postgres, sent);
        let row = database.query_one_raw(query).await.unwrap().unwrap();
        (row.try_get::<i64>("", "sent").unwrap() == i64::try_from(count).unwrap()).then_some(())
    })
    .await;
    database.close().await.unwrap();
}

#[test]
fn fifty_thousand_move_and_each_mail_arrives_once() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (folder, mut sink) = (tempfile::tempdir().unwrap(), SmtpSink::start().await);
        let (database, prefix) = (FreshDatabase::create().await, unique("test"));
        let mut settings = env(folder.path(), &sink.url());
        settings.push(("WELCOMAT_BATCHES_MAILS_AHEAD", "1000000".to_owned()));
        let embedded = Service::start(&[("welcomat serve", &[])], folder.path(), &settings).await;
        invite(&embedded, "early").await;
        let all_sent = async || (sink.count() == HALF).then_some(());
        eventually_within(PATIENCE, "the first half has its mail", all_sent).await;
        sink.stop().await;
        invite(&embedded, "late").await;
        embedded.stop();

        let start = Instant::now();
        let moved = migrate(folder.path(), &database.url);
        assert!(moved.status.success(), "{moved:?}");
        eprintln!("moved {} invitations in {:.1} s", 2 * HALF, start.elapsed().as_secs_f64());

        sink.start_again().await;
        let own = [
            ("WELCOMAT_DATABASE_URL", database.url.clone()),
            ("WELCOMAT_BROKER_URL", variable("TEST_AMQP_URL")),
            ("WELCOMAT_BROKER_PREFIX", prefix.clone()),
        ];
        let programs: [(&str, &[_]); 3] =
            [("welcomat-api", &own), ("welcomat-worker", &own), ("welcomat-worker", &own)];
        let elsewhere = tempfile::tempdir().unwrap();
        let settings = env(elsewhere.path(), &sink.url());
        let start = Instant::now();
        let distributed = Service::start(&programs, elsewhere.path(), &settings).await;
        until_reported(&database.url, 2 * HALF).await;
        eprintln!("sent the other half in {:.1} s", start.elapsed().as_secs_f64());
        let mails = sink.mails();
        let people: HashSet<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!((people.len(), mails.len()), (2 * HALF, 2 * HALF), "each has one");
        distributed.stop();
        remove_queues(&variable("TEST_AMQP_URL"), &prefix).await;
        database.remove().await;
    });
}
