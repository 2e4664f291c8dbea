//! Everything that the broker ever gave up is sent on its way again, whether it is needed or not.

use futures_util::stream::{StreamExt, iter};

use domain::{Job, job::JobV1};

use crate::faults::mail::scripted;
use crate::faults::queue::{DEAD, JOBS, Queues};
use crate::faults::{Repeats, record};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::servers::eventually_within;

/// F50: only the mails that were never sent leave.
#[test]
fn redriving_everything_sends_only_what_was_not_sent() {
    const EACH: usize = 300;
    block_on(async {
        let _turn = TURN.acquire().await;
        // Nothing but a redrive brings a job back.
        let (mut fleet, script) = scripted(&[("WELCOMAT_WORKER_REQUEUE_AFTER", "1h")]).await;
        fleet.add_worker();
        fleet.invite(0..EACH).await;
        fleet.until_all_sent(EACH).await;
        fleet.stop_workers();
        let queues = Queues::of(&fleet).await;
        for sent in fleet.all().await {
            let delivery = text(&sent["delivery"]["id"]).parse().unwrap();
            let job = Job::V1(JobV1::Email { delivery, generation: 1 });
            queues.publish(DEAD, &job.encode()).await;
        }
        fleet.invite(EACH..2 * EACH).await;
        let mut killed = 0;
        let patience = std::time::Duration::from_mins(2);
        eventually_within(patience, "every job dies", async || {
            while queues.kill_one_job().await {
                killed += 1;
            }
            (killed == EACH).then_some(())
        })
        .await;
        fleet.add_worker();
        fleet.add_worker();
        let (mut redriven, client) = (0, &fleet.apis[0].client);
        eventually_within(patience, "every letter is redriven", async || {
            let letters = client.get("/v1/dead-letters").await.unwrap().json();
            let letters = letters["data"].as_array().unwrap().clone();
            let done = iter(letters).map(|letter| async move {
                let path = format!("/v1/dead-letters/{}", text(&letter["id"]));
                let headers = [("Content-Type", "application/json")];
                let redrive = format!("{path}/redrive");
                let answer = client.send("POST", &redrive, &headers, b"{}").await.unwrap();
                assert_eq!(answer.status, 202, "{}", answer.text());
                // The list shows the newest hundred: those that are done make room.
                client.send("DELETE", &path, &[], b"").await.unwrap();
            });
            redriven += done.buffer_unordered(8).count().await;
            (redriven == 2 * EACH).then_some(())
        })
        .await;
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.repeated), (2 * EACH, 0));
        assert_eq!(script.journal(|journal| journal.messages.len()), 2 * EACH);
        assert_eq!(queues.waiting(JOBS).await, 0);
        record("F50", "300 sent and 300 dead jobs are redriven", &tally, &Repeats::None);
        fleet.end().await;
    });
}
