//! The mail server is under pressure, and more mails are ready than connections to it.

use serde_json::Value;

use crate::faults::mail::scripted;
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
        let _turn = TURN.lock().await;
        let env = [
            ("WELCOMAT_MAIL_TIMEOUTS_DATA", "30s"),
            // Ten seconds to wait for a connection, twenty to the final dot.
            ("WELCOMAT_WORKER_LEASE", "80s"),
            ("WELCOMAT_RETRY_PAUSES", "1s"),
        ];
        let (mut fleet, script) = scripted(&env).await;
        script.add(Rule::new(At::Greeting, Act::Leave("421 4.7.0 too many connections")).times(1));
        fleet.add_worker();
        fleet.invite(0..1).await;
        fleet.until_all_sent(1).await;
        assert_eq!(script.fired(At::Greeting), 1);
        // Whoever holds a connection now keeps it: the others find out that there is none for them.
        script.add(Rule::new(At::Data, Act::Hold));
        fleet.invite(1..17).await;
        put_off(&fleet, 12, "no connection to the mail server came free in time").await;
        assert_eq!(script.fired(At::Data), 4, "half of eight connections");
        fleet.invite(17..100).await;
        script.release(At::Data);
        fleet.until_all_sent(100).await;
        script.add(Rule::new(At::Data, Act::Hold));
        fleet.invite(100..116).await;
        eventually("all eight connections are in use", async || {
            (script.fired(At::Data) == 4 + 8).then_some(())
        })
        .await;
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 116);
        let once = |found: &Value| found["delivery"]["attempts"] == 1;
        assert!(fleet.all().await.iter().all(once), "nobody lost an attempt by waiting");
        record("F56", "421 to a connection, then mails wait for one", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Trouble that another mail met meanwhile is not met again by everybody who waited.
#[test]
fn a_mail_that_waited_for_a_connection_asks_again_whether_the_server_is_usable() {
    block_on(async {
        let _turn = TURN.lock().await;
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
        eventually("the others are ready", async || {
            let ready = fleet.list("limit=100&delivery_status=sending").await;
            (ready["data"].as_array().unwrap().len() == 8).then_some(())
        })
        .await;
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
