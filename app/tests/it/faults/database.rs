//! The database dies, stands still, refuses, is full or is held up by somebody else.

use std::time::{Duration, Instant};

use app::http::Client;
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::json;
use tokio::time::timeout;

use crate::faults::proxy::{Mode, Proxy};
use crate::faults::{HASTE, Repeats, record, settles};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::{Fleet, free_address};
use crate::servers::{FreshDatabase, OwnServer, eventually, variable};

/// An attempt outlives the outages of these tests.
const LONG_LEASE: (&str, &str) = ("WELCOMAT_WORKER_LEASE", "60s");

/// F25: the server is killed while people are invited.
#[test]
fn a_killed_postgresql_loses_nothing_that_was_answered() {
    const COUNT: usize = 60;
    block_on(async {
        let _turn = TURN.acquire().await;
        let server = OwnServer::start("postgres");
        let database = FreshDatabase::create_on(&server.url).await;
        let env = [&HASTE[..], &[LONG_LEASE]].concat();
        let mut fleet = Fleet::over(Some(database), variable("TEST_AMQP_URL"), &env).await;
        fleet.add_api().await;
        fleet.add_worker();
        let mut refused = 0;
        for round in 0..3 {
            let numbers = round * COUNT..(round + 1) * COUNT;
            fleet.offer(numbers.start..numbers.start + COUNT / 3).await;
            // A worker that finds no database when it starts ends, for its supervisor to start it again.
            fleet.until_mails(1).await;
            server.run("kill");
            refused +=
                fleet.offer(numbers.start + COUNT / 3..numbers.start + COUNT / 2).await.len();
            server.run("start");
            fleet.insist(numbers).await;
        }
        assert_eq!(refused, 3 * (COUNT / 2 - COUNT / 3), "there was no database");
        let tally = fleet.settled().await;
        assert_eq!(tally.acknowledged, 3 * COUNT);
        // A mail whose report fell into the outage is reported later by the same worker.
        record("F25", "PostgreSQL is killed three times", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F26: the server accepts and never answers.
#[test]
fn a_database_that_stands_still_holds_no_request_longer_than_its_time() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        let (proxy, url) = Proxy::before(&fleet.database_url(), 5432).await;
        let own = [
            ("WELCOMAT_DATABASE_URL", url.as_str()),
            ("WELCOMAT_HTTP_REQUEST_TIMEOUT", "3s"),
            ("WELCOMAT_DATABASE_ACQUIRE_TIMEOUT", "1s"),
        ];
        fleet.add_api_with(&own).await;
        fleet.add_worker();
        fleet.invite(0..10).await;
        proxy.set(Mode::Blackhole);
        let start = Instant::now();
        let refused = fleet.offer(10..20).await;
        assert_eq!(refused.len(), 10);
        assert!(refused.iter().all(|refused| refused.starts_with("503 ")), "{refused:?}");
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        proxy.set(Mode::Pass);
        let healed = Instant::now();
        fleet.insist(0..30).await;
        assert!(healed.elapsed() < Duration::from_secs(10), "{:?}", healed.elapsed());
        let tally = settles(&fleet).await;
        record("F26", "the database stands still for the API", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F27: whoever watches the worker is told so, in time.
#[test]
fn a_worker_whose_database_stands_still_answers_those_who_watch_it() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        let (proxy, url) = Proxy::before(&fleet.database_url(), 5432).await;
        fleet.add_api().await;
        let address = free_address();
        let bind = address.to_string();
        fleet.add_worker_with(&[
            ("WELCOMAT_DATABASE_URL", &url),
            ("WELCOMAT_WORKER_HTTP_BIND", &bind),
            // Nothing of the database's own gives up before the test does.
            ("WELCOMAT_DATABASE_ACQUIRE_TIMEOUT", "60s"),
        ]);
        let worker = Client::new(address, None);
        eventually("the worker listens", async || worker.get("/livez").await.ok()).await;
        proxy.set(Mode::Blackhole);
        let ask = async |path| {
            timeout(Duration::from_secs(5), worker.get(path)).await.expect("it answers").unwrap()
        };
        let (ready, metrics) = (ask("/readyz").await, ask("/metrics").await);
        assert_eq!((ready.status, &ready.json()["status"]), (503, &json!("unavailable")));
        assert!(metrics.text().contains("welcomat_outbox_waiting"), "{}", metrics.text());
        proxy.set(Mode::Pass);
        fleet.end().await;
    });
}

/// F27: the worker cannot ask what there is to do.
#[test]
fn without_a_database_a_worker_sends_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        let (proxy, url) = Proxy::before(&fleet.database_url(), 5432).await;
        fleet.add_api().await;
        fleet.add_worker_with(&[("WELCOMAT_DATABASE_URL", &url)]);
        fleet.invite(0..5).await;
        fleet.settled().await;
        proxy.set(Mode::Refuse);
        let before = proxy.refused();
        fleet.invite(5..25).await;
        eventually("it tries", async || (proxy.refused() > before + 3).then_some(())).await;
        assert_eq!(fleet.sink.count(), 5, "what is not claimed is not sent");
        proxy.set(Mode::Pass);
        let tally = settles(&fleet).await;
        record("F27", "no database when mails are claimed", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F28: the mail is taken, and the report has nowhere to go.
#[test]
fn a_report_waits_for_the_database_and_the_mail_is_not_repeated() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &[LONG_LEASE]].concat()).await;
        // The server is slow to answer here: the worker must wait for it.
        fleet.set("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "30s");
        let (proxy, url) = Proxy::before(&fleet.database_url(), 5432).await;
        fleet.add_api().await;
        fleet.add_worker_with(&[("WELCOMAT_DATABASE_URL", &url)]);
        fleet.sink.hold(true);
        fleet.invite(0..6).await;
        fleet.until_mails(6).await;
        proxy.set(Mode::Refuse);
        let before = proxy.refused();
        fleet.sink.hold(false);
        eventually("it tries", async || (proxy.refused() > before + 3).then_some(())).await;
        assert_eq!(fleet.list("limit=1&delivery_status=sent").await["data"], serde_json::json!([]));
        proxy.set(Mode::Pass);
        let tally = settles(&fleet).await;
        record("F28", "no database when mails are reported", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F29: somebody holds a lock on what everybody needs.
#[test]
fn a_held_lock_is_answered_soon_and_piles_nothing_up() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [&HASTE[..], &[("WELCOMAT_DATABASE_LOCK_TIMEOUT", "500ms")]].concat();
        let mut fleet = Fleet::on_shared_broker(&env).await;
        fleet.add_api().await;
        fleet.add_worker();
        let intruder = Database::connect(fleet.database_url()).await.unwrap();
        let holding = intruder.begin().await.unwrap();
        holding.execute_unprepared("LOCK TABLE outbox IN EXCLUSIVE MODE").await.unwrap();
        let start = Instant::now();
        let refused = fleet.offer(0..40).await;
        assert!(
            refused.len() == 40 && refused.iter().all(|one| one.starts_with("503 ")),
            "{refused:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        holding.rollback().await.unwrap();
        intruder.close().await.unwrap();
        fleet.insist(0..40).await;
        let tally = fleet.settled().await;
        record("F29", "a foreign transaction holds a lock", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F30: the server has no connection left for us.
#[cfg(feature = "long-faults")]
#[test]
fn without_a_free_connection_requests_wait_briefly_and_then_it_heals() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let server = OwnServer::start("postgres");
        let database = FreshDatabase::create_on(&server.url).await;
        let mut fleet = Fleet::over(Some(database), variable("TEST_AMQP_URL"), &HASTE).await;
        fleet.add_api_with(&[("WELCOMAT_DATABASE_ACQUIRE_TIMEOUT", "1s")]).await;
        fleet.add_worker();
        fleet.invite(0..5).await;
        let mut hogs = Vec::new();
        // One connection each, until the server refuses.
        while let Ok(hog) = Database::connect(one_connection(&server.url)).await {
            hogs.push(hog);
        }
        assert!(hogs.len() > 100, "{}", hogs.len());
        let start = Instant::now();
        let refused = fleet.offer(5..45).await;
        assert!(refused.iter().all(|one| one.starts_with("503 ")), "{refused:?}");
        assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
        for hog in hogs {
            hog.close().await.unwrap();
        }
        fleet.insist(0..45).await;
        let tally = fleet.settled().await;
        record("F30", "the database has no connection left", &tally, &Repeats::None);
        fleet.end().await;
    });
}

fn one_connection(url: &str) -> sea_orm::ConnectOptions {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).min_connections(1).acquire_timeout(Duration::from_secs(2));
    options
}

/// F31: several processes write to one file while somebody reads it for long.
#[test]
fn writers_of_one_sqlite_file_wait_for_each_other() {
    const COUNT: usize = 200;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::over(None, variable("TEST_AMQP_URL"), &HASTE).await;
        fleet.add_api().await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.add_worker();
        let reader = Database::connect(one_connection(&fleet.database_url())).await.unwrap();
        let reading = reader.begin().await.unwrap();
        let count = "SELECT count(*) FROM invitation";
        reading
            .query_one_raw(sea_orm::Statement::from_string(reader.get_database_backend(), count))
            .await
            .unwrap();
        fleet.invite(0..COUNT).await;
        let tally = fleet.settled().await;
        reading.rollback().await.unwrap();
        reader.close().await.unwrap();
        assert_eq!(tally.acknowledged, COUNT);
        record(
            "F31",
            "four processes and a long reader share an SQLite file",
            &tally,
            &Repeats::None,
        );
        fleet.end().await;
    });
}

/// F32: there is no room for another byte.
#[test]
fn a_full_disk_is_answered_clearly_and_breaks_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::over(None, variable("TEST_AMQP_URL"), &HASTE).await;
        fleet.add_cramped_api(2048).await;
        let mut refused = Vec::new();
        for round in 0..60 {
            refused = fleet.offer(round * 50..(round + 1) * 50).await;
            if !refused.is_empty() {
                break;
            }
        }
        assert!(!refused.is_empty(), "the disk is full at some point");
        assert!(refused.iter().all(|one| one.starts_with("503 ")), "{refused:?}");
        // It still answers what needs no room.
        assert_eq!(fleet.apis[0].client.get("/v1/me").await.unwrap().status, 200);
        // Room again: the same process goes on.
        fleet.apis[0].process.lift_file_limit();
        fleet.insist(0..50).await;
        fleet.add_worker();
        let database = Database::connect(fleet.database_url()).await.unwrap();
        let check = sea_orm::Statement::from_string(
            database.get_database_backend(),
            "PRAGMA integrity_check",
        );
        let check = database.query_one_raw(check).await.unwrap().unwrap();
        assert_eq!(check.try_get_by_index::<String>(0).unwrap(), "ok");
        database.close().await.unwrap();
        let tally = fleet.settled().await;
        record("F32", "the disk is full", &tally, &Repeats::None);
        fleet.end().await;
    });
}
