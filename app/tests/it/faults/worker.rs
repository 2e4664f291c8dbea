//! A worker dies at a named place of the conversation, or gets the same job a hundred times.

use domain::{Job, job::JobV1};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::Value;

use crate::faults::mail::{ONE_SLOT, scripted};
use crate::faults::proxy::{Proxy, Trap};
use crate::faults::queue::{JOBS, Queues};
use crate::faults::{Repeats, record};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Rule};

/// A dead worker's mail goes on after so long.
const SHORT_LEASE: (&str, &str) = ("WELCOMAT_WORKER_LEASE", "4s");

/// F13: no dot, no mail, so the next attempt repeats nothing.
#[test]
fn a_worker_that_dies_before_the_final_dot_repeats_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[ONE_SLOT[0], SHORT_LEASE]).await;
        script.add(Rule::new(At::Data, Act::Hold));
        fleet.add_worker();
        fleet.invite(0..5).await;
        eventually("DATA is sent", async || (script.fired(At::Data) > 0).then_some(())).await;
        fleet.kill_workers();
        script.heal();
        fleet.add_worker_with(&[("FAULT_POINT", "mailer.before_dot=abort@2")]);
        let died = eventually("the worker dies", async || fleet.workers[0].ended()).await;
        assert!(!died.success());
        fleet.kill_workers();
        fleet.add_worker();
        let tally = fleet.settled().await;
        let (begun, ended) = script.journal(|journal| (journal.begun, journal.messages.len()));
        assert!(begun > ended, "a body without a dot: {begun} begun, {ended} ended");
        assert_eq!((tally.sent, ended), (5, 5));
        record("F13", "worker dies during the mail, before its dot", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F14: the database knows, the broker does not.
#[test]
fn a_worker_that_dies_between_report_and_acknowledgement_repeats_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[ONE_SLOT[0], SHORT_LEASE]).await;
        fleet.add_worker_with(&[("FAULT_POINT", "worker.reported=abort@3")]);
        fleet.invite(0..10).await;
        let died = eventually("the worker dies", async || fleet.workers[0].ended()).await;
        assert!(!died.success());
        assert_eq!(script.journal(|journal| journal.messages.len()), 3);
        fleet.kill_workers();
        let queues = Queues::of(&fleet).await;
        eventually("the job of the sent mail is back", async || {
            (queues.waiting(JOBS).await == 8).then_some(())
        })
        .await;
        fleet.add_worker();
        let tally = fleet.settled().await;
        eventually("nothing is left to do", async || {
            (queues.waiting(JOBS).await == 0).then_some(())
        })
        .await;
        record("F14", "worker dies between report and ack", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Before the claim nobody but the broker knows that the job was in somebody's hands (C15).
#[test]
fn a_worker_that_dies_before_its_claim_gives_every_job_back() {
    block_on(async {
        let _turn = TURN.acquire().await;
        // Nothing but the broker brings a job back.
        let env = [("WELCOMAT_WORKER_REQUEUE_AFTER", "1h")];
        let (mut fleet, _script) = scripted(&env).await;
        fleet.invite(0..8).await;
        let queues = Queues::of(&fleet).await;
        let wait_for = async |count| {
            eventually(&format!("{count} jobs wait"), async || {
                (queues.waiting(JOBS).await == count).then_some(())
            })
            .await;
        };
        wait_for(8).await;
        // Nobody can claim while somebody else holds the table.
        let database = Database::connect(fleet.database_url()).await.unwrap();
        let lock = database.begin().await.unwrap();
        lock.execute_unprepared("LOCK TABLE delivery IN EXCLUSIVE MODE").await.unwrap();
        fleet.add_worker();
        wait_for(0).await;
        fleet.kill_workers();
        wait_for(8).await;
        lock.rollback().await.unwrap();
        database.close().await.unwrap();
        fleet.add_worker();
        let tally = fleet.settled().await;
        let once = |found: &Value| found["delivery"]["attempts"] == 1;
        assert!(fleet.all().await.iter().all(once), "nobody else had begun");
        record("C15", "worker dies with jobs that it has not claimed", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Whether the report went through or not, saying it again is harmless (C20).
#[test]
fn an_answer_to_a_report_that_is_lost_repeats_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        // Nobody looks for lost mails: while one is held, the next COMMIT is that of its report.
        let env = [("WELCOMAT_WORKER_RESCUE_INTERVAL", "1h")];
        let (mut fleet, script) = scripted(&env).await;
        let (proxy, url) = Proxy::before(&fleet.database_url(), 5432).await;
        fleet.add_worker_with(&[("WELCOMAT_DATABASE_URL", &url)]);
        fleet.invite(0..1).await;
        fleet.until_all_sent(1).await;
        for number in 1..6 {
            script.add(Rule::new(At::Dot, Act::Hold));
            fleet.invite(number..number + 1).await;
            eventually("the mail is out", async || (script.fired(At::Dot) == number).then_some(()))
                .await;
            proxy.set_trap(Trap::LoseAnswerTo(b"COMMIT"));
            script.heal();
            fleet.until_all_sent(number + 1).await;
            assert_eq!(proxy.sprung(), number);
        }
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 6);
        record("C20", "the answer to a report's COMMIT is lost", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F49: a job is a hint; the database decides who follows it.
#[test]
fn one_job_in_a_hundred_copies_sends_one_mail() {
    const COPIES: usize = 100;
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        // A copy meets the mail while it is waiting, under way and sent.
        script.add(Rule::new(At::Data, Act::Late(std::time::Duration::from_millis(200))));
        fleet.add_worker();
        fleet.invite(0..1).await;
        fleet.until_all_sent(1).await;
        fleet.stop_workers();
        fleet.invite(1..4).await;
        let queues = Queues::of(&fleet).await;
        for invited in fleet.all().await {
            let delivery = text(&invited["delivery"]["id"]).parse().unwrap();
            let job = Job::V1(JobV1::Email { delivery, generation: 1 }).encode();
            join_all((0..COPIES).map(|_| queues.publish(JOBS, &job))).await;
        }
        eventually("all copies are there", async || {
            (queues.waiting(JOBS).await as usize >= 4 * COPIES + 3).then_some(())
        })
        .await;
        (0..4).for_each(|_| fleet.add_worker());
        let tally = fleet.settled().await;
        eventually("all copies are taken", async || {
            (queues.waiting(JOBS).await == 0).then_some(())
        })
        .await;
        assert_eq!(script.journal(|journal| journal.messages.len()), 4);
        record("F49", "the same job 100 times, four workers", &tally, &Repeats::None);
        fleet.end().await;
    });
}
