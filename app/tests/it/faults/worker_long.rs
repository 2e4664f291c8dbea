//! A worker that sleeps, is told to stop, has a wrong clock or other keys than the last one.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Job, job::JobV1};

use crate::faults::mail::{ONE_SLOT, journal, scripted};
use crate::faults::queue::{JOBS, Queues};
use crate::faults::{Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::process::LOG_FILE;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Rule};

/// F15: somebody else has the mail by now, and whoever wakes up knows it by its own clock.
#[test]
fn a_worker_that_slept_past_its_lease_writes_no_dot() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let lease = ("WELCOMAT_WORKER_LEASE", "4s");
        let (mut fleet, script) = scripted(&[ONE_SLOT[0], lease]).await;
        let written = fleet.file("journal");
        fleet.add_worker_with(&[
            ("FAULT_POINT", "mailer.before_dot=stop,worker.reported=sleep:1"),
            ("FAULT_JOURNAL", written.to_str().unwrap()),
        ]);
        fleet.invite(0..4).await;
        eventually("the worker stands still", async || {
            (journal(&fleet) == ["mailer.before_dot"]).then_some(())
        })
        .await;
        fleet.add_worker();
        let all_sent = fleet.settled().await;
        assert_eq!((all_sent.sent, all_sent.repeated), (4, 0));
        fleet.workers[0].go_on();
        eventually("the sleeper ends its attempt", async || {
            journal(&fleet).contains(&"worker.reported".to_owned()).then_some(())
        })
        .await;
        let tally = fleet.settled().await;
        let (begun, ended) = script.journal(|journal| (journal.begun, journal.messages.len()));
        assert_eq!((begun, ended), (5, 4), "one body has no dot");
        record("F15a", "worker sleeps past its lease before the dot", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F15: what it has to say about its own attempt says nothing about the next one.
#[test]
fn a_report_from_an_attempt_that_was_taken_over_changes_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [
            ONE_SLOT[0],
            ("WELCOMAT_WORKER_LEASE", "15s"),
            ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "10s"),
        ];
        let (mut fleet, script) = scripted(&env).await;
        // The sleeper's attempt is refused for good, the next one is taken.
        script.add(Rule::new(At::Dot, Act::Say("554 5.6.0 not this one")).to(0).times(1));
        script.add(Rule::new(At::Dot, Act::Hold).to(0));
        let written = fleet.file("journal");
        fleet.add_worker_with(&[
            ("FAULT_POINT", "worker.mail_ended=stop,worker.reported=sleep:1"),
            ("FAULT_JOURNAL", written.to_str().unwrap()),
        ]);
        fleet.invite(0..1).await;
        eventually("the worker stands still", async || {
            (journal(&fleet) == ["worker.mail_ended"]).then_some(())
        })
        .await;
        fleet.add_worker();
        eventually("somebody else is at it", async || (script.fired(At::Dot) == 2).then_some(()))
            .await;
        fleet.workers[0].go_on();
        eventually("the sleeper reports", async || {
            journal(&fleet).contains(&"worker.reported".to_owned()).then_some(())
        })
        .await;
        assert_eq!(fleet.detail(0).await["delivery"]["status"], "sending");
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.failed), (1, 0), "the attempt that counts was taken");
        record("F15b", "worker sleeps past its lease, then reports", &tally, &Repeats::UpTo(1));
        fleet.end().await;
    });
}

/// F46: what is due and what is over is the database's to say.
#[test]
fn workers_whose_clocks_are_hours_off_agree_on_every_lease() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "8s")]).await;
        script.add(Rule::new(At::Dot, Act::Hold).to(0));
        script.add(Rule::new(At::Rcpt, Act::Say("450 4.2.1 greylisted")).to(1).times(2));
        let (written, log) = (fleet.file("journal"), fleet.file("log"));
        for off in ["7200", "-7200"] {
            fleet.add_worker_with(&[
                ("FAULT_CLOCK", off),
                ("FAULT_JOURNAL", written.to_str().unwrap()),
                (LOG_FILE, log.to_str().unwrap()),
                ("WELCOMAT_LOG_FILTER", "warn"),
            ]);
        }
        fleet.invite(0..30).await;
        // While one mail is under way, the other worker looks for lost ones again and again.
        fleet.until_mails(30).await;
        eventually("the others are sent", async || {
            let page = fleet.list("limit=1&delivery_status=sending").await;
            let sent = fleet.list("limit=100&delivery_status=sent").await;
            let others = sent["data"].as_array().unwrap().len() == 29;
            (others && page["data"][0]["email"] == "n0@example.com").then_some(())
        })
        .await;
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!(journal(&fleet), ["clock", "clock"]);
        let told = std::fs::read_to_string(log).unwrap();
        assert_eq!(told.matches("set the clocks of both machines by NTP").count(), 2, "{told}");
        assert_eq!(tally.sent, 30);
        for found in fleet.all().await {
            let at =
                |name: &str| -> DateTime<Utc> { found[name].as_str().unwrap().parse().unwrap() };
            let (created, sent) = (at("created_at"), at("email_sent_at"));
            assert!((sent - created).abs() < TimeDelta::minutes(10), "{found}");
        }
        for mail in fleet.sink.mails() {
            let date = mail.source.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap();
            let off =
                DateTime::parse_from_rfc2822(date).unwrap().to_utc() - newest(&fleet.all().await);
            assert!(off.abs() < TimeDelta::minutes(10), "{date}");
        }
        record("F46", "the clocks of two workers are 2 h fast and slow", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// When the last invitation was made, by the clock of the API.
fn newest(all: &[serde_json::Value]) -> DateTime<Utc> {
    all.iter().map(|found| found["created_at"].as_str().unwrap().parse().unwrap()).max().unwrap()
}

/// F47: a mail under way is finished, or not completed at all.
#[test]
fn a_worker_that_is_told_to_stop_finishes_its_mails_or_leaves_them_whole() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [
            ("WELCOMAT_WORKER_LEASE", "60s"),
            ("WELCOMAT_MAIL_TIMEOUTS_DATA", "12s"),
            ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "12s"),
        ];
        let (mut fleet, script) = scripted(&env).await;
        script.add(Rule::new(At::Data, Act::Hold).to(0));
        script.add(Rule::new(At::Dot, Act::Hold).to(1));
        fleet.add_worker();
        fleet.invite(0..2).await;
        let held = async || (script.fired(At::Data) + script.fired(At::Dot) == 2).then_some(());
        eventually("both are under way", held).await;
        fleet.workers[0].ask_to_end();
        // It has heard it once jobs pile up, even those that there is nothing to do for.
        let delivery = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let void = Job::V1(JobV1::Email { delivery, generation: 1 }).encode();
        let queues = Queues::of(&fleet).await;
        eventually("it takes no more jobs", async || {
            queues.publish(JOBS, &void).await;
            (queues.waiting(JOBS).await >= 20).then_some(())
        })
        .await;
        script.heal();
        let ended = eventually("it ends", async || fleet.workers[0].ended()).await;
        assert!(ended.success(), "{ended}");
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.repeated), (2, 0), "both were finished");
        // This one is given no time: the mail that has no dot yet is left to the next worker.
        fleet.kill_workers();
        script.add(Rule::new(At::Data, Act::Hold).to(2));
        fleet.add_worker_with(&[("WELCOMAT_WORKER_SHUTDOWN_GRACE", "500ms")]);
        fleet.invite(2..3).await;
        eventually("it is under way", async || (script.fired(At::Data) == 2).then_some(())).await;
        fleet.workers[0].ask_to_end();
        let ended = eventually("it ends", async || fleet.workers[0].ended()).await;
        assert!(ended.success(), "{ended}");
        script.heal();
        fleet.kill_workers();
        fleet.add_worker();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 3);
        record("F47", "SIGTERM during DATA and after the dot", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F52: the key in front seals what is new, the others open what is old.
#[test]
fn a_new_seal_key_between_two_attempts_changes_no_secret() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        script.add(Rule::new(At::Dot, Act::Break));
        fleet.add_worker();
        fleet.invite(0..10).await;
        eventually("each came once, and nobody knows it", async || {
            let uncertain = fleet.list("limit=100&delivery_status=uncertain").await;
            let told = script.journal(|journal| journal.messages.iter().any(|m| m.told));
            assert!(!told);
            let all_came = fleet.mails().len() == 10;
            (all_came && !uncertain["data"].as_array().unwrap().is_empty()).then_some(())
        })
        .await;
        fleet.stop_workers();
        let key = |id: &str, letter: &str| format!("{id}:{}=", letter.repeat(43));
        fleet.set("WELCOMAT_SEAL_KEYS", &format!("{},{}", key("k2", "E"), key("k1", "A")));
        script.heal();
        let before = fleet.sink.count();
        fleet.add_worker();
        fleet.invite(10..15).await;
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 15);
        assert_eq!(fleet.sink.count(), before + 15, "each came again, the same");
        record("F52", "seal keys replaced between two attempts", &tally, &Repeats::UpTo(before));
        fleet.end().await;
    });
}
