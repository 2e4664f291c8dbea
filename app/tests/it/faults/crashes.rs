//! A process dies at a named place.

use crate::faults::proxy::{Proxy, Trap};
use crate::faults::queue::{JOBS, Queues};
use crate::faults::{HASTE, Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;

/// F12: the mail is out, nobody knows it yet.
#[test]
fn a_worker_that_dies_between_mail_and_report_repeats_the_same_mail() {
    block_on(async {
        let _turn = TURN.lock().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        fleet.add_api().await;
        fleet.add_worker_with(&[("FAULT_POINT", "worker.mail_ended=abort@3")]);
        fleet.invite(0..20).await;
        let died = eventually("the worker dies", async || fleet.workers[0].ended()).await;
        assert!(!died.success());
        fleet.kill_workers();
        let all = fleet.all().await;
        let unreported = all.iter().filter(|found| found["email_sent"] == false).count();
        let queues = Queues::of(&fleet).await;
        eventually("the broker still has every job whose end nobody reported", async || {
            (queues.waiting(JOBS).await as usize >= unreported).then_some(())
        })
        .await;
        fleet.add_worker();
        let tally = fleet.settled().await;
        assert!(tally.repeated >= 1, "at least one mail was out: {tally:?}");
        // Slots that had not reached the place died with it.
        record("F12", "worker dies between mail and report", &tally, &Repeats::UpTo(8));
        fleet.end().await;
    });
}

/// F4: the commit went through, and nobody heard of it.
#[test]
fn an_answer_to_commit_that_is_lost_makes_no_second_invitation() {
    block_on(async {
        let _turn = TURN.lock().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        let (proxy, url) = Proxy::before(&fleet.database_url(), 5432).await;
        fleet.add_api_with(&[("WELCOMAT_DATABASE_URL", &url)]).await;
        fleet.add_worker();
        for number in 0..20 {
            proxy.set_trap(Trap::LoseAnswerTo(b"COMMIT"));
            fleet.insist(number..number + 1).await;
        }
        assert!(proxy.sprung() >= 10, "{}", proxy.sprung());
        let tally = fleet.settled().await;
        assert_eq!(tally.acknowledged, 20);
        record("F4", "the answer to COMMIT is lost", &tally, &Repeats::UpTo(proxy.sprung()));
        fleet.end().await;
    });
}
