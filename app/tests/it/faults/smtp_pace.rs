//! The mail server is under pressure, and more mails are ready than connections to it.

use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::Value;

use crate::faults::mail::{journal, scripted};
use crate::faults::{Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Rule};

/// Waits until so many mails wait again, without a used attempt, for this reason.
async fn put_off(fleet: &Fleet, count: usize, why: &str) {
    eventually(&format!("{count} mails wait because of: {why}"), async || {
        let all = fleet.all().await;
        let waits = |found: &&Value| {
            let delivery = &found["delivery"];
            delivery["status"] == "retrying"
                && delivery["attempts"] == 0
                && delivery["detail"].as_str().is_some_and(|detail| detail.contains(why))
        };
        (all.iter().filter(waits).count() >= count).then_some(())
    })
    .await;
}

/// Half of the connections after 421; all of them again once many mails were taken quickly.
#[test]
fn a_server_that_is_pressed_gets_fewer_connections_and_later_all_again() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [
            ("WELCOMAT_MAIL_TIMEOUTS_COMMAND", "30s"),
            ("WELCOMAT_MAIL_TIMEOUTS_DATA", "30s"),
            ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "30s"),
            // A quarter of a minute to wait for a connection, half a minute to the final dot.
            ("WELCOMAT_WORKER_LEASE", "120s"),
            ("WELCOMAT_RETRY_PAUSES", "1s"),
        ];
        let (mut fleet, script) = scripted(&env).await;
        let held = async |at: At, count: usize| {
            eventually(&format!("{count} mails were held at {at:?}"), async || {
                (script.fired(at) == count).then_some(())
            })
            .await;
        };
        script.add(Rule::new(At::Rcpt, Act::Hold));
        script.add(Rule::new(At::Dot, Act::Leave("421 4.3.2 too busy")).to(0).times(1));
        script.add(Rule::new(At::Dot, Act::Hold));
        fleet.add_worker();
        fleet.invite(0..8).await;
        held(At::Rcpt, 8).await;
        fleet.invite(8..24).await;
        all_are_ready(&fleet, 24).await;
        // One connection is told; those in use come back one by one, and are waited for.
        script.release(At::Rcpt);
        put_off(&fleet, 1, "too busy").await;
        script.add(Rule::new(At::Data, Act::Hold));
        script.release(At::Dot);
        // Whoever holds a connection now keeps it: the others find out that there is none for them.
        put_off(&fleet, 12, "no connection to the mail server came free in time").await;
        assert_eq!(script.fired(At::Data), 4, "half of eight connections");
        fleet.invite(24..100).await;
        script.release(At::Data);
        fleet.until_all_sent(100).await;
        script.add(Rule::new(At::Data, Act::Hold));
        fleet.invite(100..116).await;
        held(At::Data, 4 + 8).await;
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 116);
        let once = |found: &Value| found["delivery"]["attempts"] == 1;
        assert!(fleet.all().await.iter().all(once), "nobody lost an attempt by waiting");
        // Lent again, the connection would have brought the bad news to all who waited, one by one.
        let mut told = 0;
        for number in 0..24 {
            let mails = &fleet.detail(number).await["deliveries"];
            told += usize::from(mails.to_string().contains("too busy"));
        }
        assert!(told < 8, "{told} were put off because the server was busy");
        record("F56", "421 on one of all connections, then some wait", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Trouble that another mail met meanwhile is not met again by everybody who waited.
#[test]
fn a_mail_that_waited_for_a_connection_asks_again_whether_the_server_is_usable() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [
            ("WELCOMAT_WORKER_CONCURRENCY", "1"),
            ("WELCOMAT_WORKER_PREFETCH", "8"),
            ("WELCOMAT_WORKER_LEASE", "80s"),
            ("WELCOMAT_MAIL_TIMEOUTS_DATA", "20s"),
            ("WELCOMAT_RETRY_BREAKER_MIN", "10s"),
            ("WELCOMAT_RETRY_BREAKER_MAX", "10s"),
        ];
        let (mut fleet, script) = scripted(&env).await;
        script.add(Rule::new(At::Data, Act::Hold).to(0));
        fleet.add_worker();
        fleet.invite(0..1).await;
        eventually("the one connection is taken", async || {
            (script.fired(At::Data) == 1).then_some(())
        })
        .await;
        fleet.invite(1..8).await;
        all_are_ready(&fleet, 8).await;
        script.add(Rule::new(At::Mail, Act::Say("550 5.7.1 you may not send")));
        script.release(At::Data);
        put_off(&fleet, 7, "you may not send").await;
        assert_eq!(script.fired(At::Mail), 1, "one found out for all");
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 8);
        record("F57", "5xx at MAIL while mails wait for a connection", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Each of them comes twice if the worker dies, so there are not more and more of them.
#[test]
fn while_no_report_is_heard_few_mails_are_sent() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [
            ("WELCOMAT_WORKER_CONCURRENCY", "1"),
            ("WELCOMAT_WORKER_PREFETCH", "16"),
            // Five seconds to wait for a connection.
            ("WELCOMAT_WORKER_LEASE", "40s"),
            ("WELCOMAT_MAIL_TIMEOUTS_DATA", "10s"),
        ];
        let (mut fleet, script) = scripted(&env).await;
        script.add(Rule::new(At::Data, Act::Hold));
        let written = fleet.file("journal");
        fleet.add_worker_with(&[
            ("FAULT_POINT", "worker.mail_ended=sleep:1@16"),
            ("FAULT_JOURNAL", written.to_str().unwrap()),
        ]);
        fleet.invite(0..16).await;
        all_are_ready(&fleet, 16).await;
        // From here on nobody can report.
        let database = Database::connect(fleet.database_url()).await.unwrap();
        let lock = database.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE delivery IN EXCLUSIVE MODE").await.unwrap();
        script.heal();
        eventually("each is sent, or has waited long enough", async || {
            (journal(&fleet) == ["worker.mail_ended"]).then_some(())
        })
        .await;
        let sent = fleet.sink.count();
        lock.rollback().await.unwrap();
        database.close().await.unwrap();
        assert_eq!(sent, 8, "eight for the one connection");
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 16);
        record("F58", "reports are held up while mails are ready", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// All that is in hand is claimed, and waits.
async fn all_are_ready(fleet: &Fleet, count: usize) {
    eventually(&format!("{count} mails are claimed"), async || {
        let claimed = fleet.list("limit=100&delivery_status=sending").await;
        (claimed["data"].as_array().unwrap().len() == count).then_some(())
    })
    .await;
}
