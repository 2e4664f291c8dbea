//! A process dies at a named place, or its client does.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::faults::proxy::{Proxy, Trap};
use crate::faults::queue::{JOBS, Queues};
use crate::faults::{HASTE, Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;

/// F1: nothing is committed, nothing was promised.
#[test]
fn an_api_that_dies_before_the_commit_has_promised_nothing() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        fleet.add_worker();
        let refused = until_death(&mut fleet, "create.before_commit=abort@3", 20).await;
        assert!(refused > 0, "those that were under way got no answer");
        fleet.insist(0..20).await;
        let tally = fleet.settled().await;
        assert_eq!(tally.acknowledged, 20);
        record("F1", "API dies before the commit", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F2: everything is committed, and nobody was told.
#[test]
fn an_api_that_dies_after_the_commit_answers_a_retry_with_the_same_invitation() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        fleet.add_worker();
        let refused = until_death(&mut fleet, "create.after_commit=abort", 1).await;
        assert_eq!(refused, 1, "it got no answer");
        let answer = fleet.offer_one(0, &fleet.apis[0].client).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.header("idempotency-replayed"), Some("true"));
        let tally = fleet.settled().await;
        record("F2", "API dies between commit and answer", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Invites over an API that dies there, and puts another one in its place; gives how many requests
/// got no 201.
async fn until_death(fleet: &mut Fleet, fail_point: &str, invitations: usize) -> usize {
    fleet.add_api_with(&[("FAULT_POINT", fail_point)]).await;
    let refused = fleet.offer(0..invitations).await.len();
    let died = eventually("the API dies", async || fleet.apis[0].process.ended()).await;
    assert!(!died.success(), "{died}");
    fleet.apis.clear();
    fleet.add_api().await;
    refused
}

/// F3: clients break off in the middle of their requests, or before the answer.
#[test]
fn clients_that_go_away_poison_no_connection_to_the_database() {
    const REQUESTS: usize = 300;
    block_on(async {
        let _turn = TURN.acquire().await;
        let few = [&HASTE[..], &[("WELCOMAT_DATABASE_MAX_CONNECTIONS", "4")]].concat();
        let mut fleet = Fleet::on_shared_broker(&few).await;
        fleet.add_api().await;
        fleet.add_worker();
        let api = fleet.apis[0].client.clone();
        let proxy = Proxy::to(&api.server().to_string()).await;
        let cut_off = app::http::Client::new(proxy.address, Some(crate::harness::KEY.to_owned()));
        let mut dice = StdRng::seed_from_u64(3);
        for number in 0..REQUESTS {
            proxy.set_trap(Trap::AfterBytes(dice.random_range(1..450)));
            // Cut off somewhere in the request, or after its last byte.
            let _ = fleet.offer_one(number, &cut_off).await;
        }
        assert!(proxy.sprung() > REQUESTS / 2, "{}", proxy.sprung());
        fleet.insist(0..REQUESTS).await;
        let tally = fleet.settled().await;
        assert_eq!(tally.acknowledged, REQUESTS);
        record("F3", "clients break off", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F4: the commit went through, and nobody heard of it.
#[test]
fn an_answer_to_commit_that_is_lost_makes_no_second_invitation() {
    block_on(async {
        let _turn = TURN.acquire().await;
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
        record("F4", "the answer to COMMIT is lost", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F12: the mail is out, nobody knows it yet.
#[test]
fn a_worker_that_dies_between_mail_and_report_repeats_the_same_mail() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&HASTE).await;
        fleet.add_api().await;
        fleet.add_worker_with(&[("FAULT_POINT", "worker.mail_ended=abort@3")]);
        fleet.invite(0..100).await;
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
        // Of each of eight connections eight mails may be out without a report.
        record("F12", "worker dies between mail and report", &tally, &Repeats::UpTo(64));
        fleet.end().await;
    });
}
