//! Between the outbox and the broker: whatever is not confirmed is published again, and what was
//! published twice is sent once.

use super::operator::{Operator, outbox, until_broker_is, until_published};
use super::proxy::{Mode, Proxy};
use super::{CALM, HASTE, NO_NET, Repeats, heals, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::LOG_FILE;
use crate::servers::eventually;

/// Nobody may lock a row longer than a test likes to wait.
const SHORT_LOCK: [(&str, &str); 2] =
    [("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "2s"), ("WELCOMAT_RELAY_LOCK", "3s")];
/// A busy machine must not let a batch be late: then it would be published twice, rightly.
const LONG_LOCK: [(&str, &str); 2] =
    [("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "20s"), ("WELCOMAT_RELAY_LOCK", "30s")];

/// Lets an API die at `point` with a batch of many jobs in its hands.
async fn a_relay_dies_at(point: &str, number: &str, fault: &str) {
    const COUNT: usize = 40;
    let _turn = TURN.acquire().await;
    let mut fleet =
        Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET, &SHORT_LOCK].concat()).await;
    let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
    // For the batch to be large.
    proxy.set(Mode::Refuse);
    let (journal, action) = (fleet.file("journal"), format!("{point}=abort"));
    let env = [
        ("WELCOMAT_BROKER_URL", url.as_str()),
        ("FAULT_POINT", &action),
        ("FAULT_JOURNAL", journal.to_str().unwrap()),
    ];
    // What claims rows cannot die of it before there is a batch.
    let early = point == "relay.claimed";
    fleet.add_api_with(if early { &env[..1] } else { &env }).await;
    fleet.add_worker();
    fleet.invite(0..COUNT).await;
    if early {
        fleet.apis.clear();
        let mut api = fleet.start_api(&env);
        assert!(!eventually("it dies", async || api.process.ended()).await.success());
    } else {
        proxy.set(Mode::Pass);
        let died = eventually("the relay dies", async || fleet.apis[0].process.ended()).await;
        assert!(!died.success());
        fleet.apis.clear();
    }
    assert_eq!(std::fs::read_to_string(journal).unwrap(), format!("{point}\n"));
    fleet.add_api().await;
    let tally = heals(&fleet).await;
    assert_eq!(tally.sent, COUNT + 1);
    until_published(&fleet.apis[0]).await;
    record(number, fault, &tally, &Repeats::None);
    fleet.end().await;
}

/// C5: rows are claimed, nothing is published.
#[test]
fn a_relay_that_dies_before_it_publishes_loses_nothing() {
    block_on(a_relay_dies_at("relay.claimed", "C5", "relay dies before it publishes"));
}

/// F5: the broker may have the jobs, and nobody waits for its word any more.
#[test]
fn a_relay_that_dies_before_the_confirm_publishes_again() {
    block_on(a_relay_dies_at("relay.published", "F5", "relay dies before the confirm"));
}

/// F6: the broker has them for sure, and the database does not know.
#[test]
fn a_relay_that_dies_after_the_confirm_sends_no_mail_twice() {
    block_on(a_relay_dies_at("relay.confirmed", "F6", "relay dies between confirm and note"));
}

/// F7: the jobs arrive, the confirms do not.
#[test]
fn confirms_that_vanish_cost_a_second_job_but_no_second_mail() {
    const COUNT: usize = 30;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet =
            Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET, &SHORT_LOCK].concat()).await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        // The relay's own deadline is to count, not the missing heartbeat.
        let heartbeat = ("WELCOMAT_BROKER_HEARTBEAT", "120s");
        fleet.add_api_with(&[("WELCOMAT_BROKER_URL", &url), heartbeat]).await;
        fleet.add_worker();
        fleet.invite(0..1).await;
        fleet.until_mails(1).await;
        until_published(&fleet.apis[0]).await;
        let connections = proxy.connections();
        proxy.set(Mode::Mute);
        fleet.invite(1..COUNT).await;
        // At least the first batch went out before the relay began to wait for its confirms.
        fleet.until_mails(2).await;
        assert!(outbox(&fleet.apis[0]).await > 0, "a mail is out whose job is not confirmed");
        eventually("the relay stops waiting", async || {
            (proxy.connections() > connections).then_some(())
        })
        .await;
        assert!(proxy.swallowed() > 0);
        proxy.set(Mode::Pass);
        // What was half said can never be understood.
        proxy.cut();
        let tally = heals(&fleet).await;
        until_published(&fleet.apis[0]).await;
        assert_eq!(tally.sent, COUNT + 1);
        record("F7", "confirms vanish, jobs arrive", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// C8: the relay has sent a batch, and it is still under way when the connection dies.
#[test]
fn a_batch_that_never_arrives_is_published_again() {
    const COUNT: usize = 30;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet =
            Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET, &LONG_LOCK].concat()).await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        let journal = fleet.file("journal");
        let env = [
            ("WELCOMAT_BROKER_URL", url.as_str()),
            ("FAULT_POINT", "relay.published=sleep:1@2"),
            ("FAULT_JOURNAL", journal.to_str().unwrap()),
        ];
        fleet.add_api_with(&env).await;
        fleet.add_worker();
        fleet.invite(0..1).await;
        fleet.until_mails(1).await;
        until_published(&fleet.apis[0]).await;
        proxy.set(Mode::Blackhole);
        fleet.invite(1..COUNT).await;
        eventually("the batch is out", async || journal.exists().then_some(())).await;
        assert_eq!(fleet.sink.count(), 1, "but it arrived nowhere");
        let cut = proxy.refused();
        proxy.cut();
        eventually("it is lost", async || (proxy.refused() > cut).then_some(())).await;
        proxy.set(Mode::Pass);
        let tally = heals(&fleet).await;
        assert_eq!(tally.sent, COUNT + 1);
        record("C8", "connection dies with a batch under way", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F8: the broker comes last.
#[test]
fn without_a_broker_at_boot_invitations_are_taken_and_sent_once_it_comes() {
    const COUNT: usize = 30;
    block_on(async {
        let _turn = TURN.acquire().await;
        let (proxy, url) = Proxy::before(&crate::servers::variable("TEST_AMQP_URL"), 5672).await;
        proxy.set(Mode::Refuse);
        let mut fleet = Fleet::new(url, &[&HASTE[..], &CALM, &NO_NET].concat()).await;
        fleet.add_worker();
        fleet.add_api().await;
        until_broker_is(false, &fleet.apis[0]).await;
        fleet.invite(0..COUNT).await;
        // Publisher, jobs and dead letters: three that try.
        eventually("all have tried", async || (proxy.refused() >= 3).then_some(())).await;
        assert_eq!(fleet.sink.count(), 0);
        assert!(fleet.workers[0].ended().is_none(), "the worker waits as well");
        proxy.set(Mode::Pass);
        let tally = heals(&fleet).await;
        until_broker_is(true, &fleet.apis[0]).await;
        assert_eq!(tally.sent, COUNT + 1);
        record("F8", "no broker when API and worker start", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F17: some jobs of a batch have a queue, others have none.
#[test]
fn what_has_no_queue_is_published_again_and_nothing_else() {
    const COUNT: usize = 600;
    block_on(async {
        let _turn = TURN.acquire().await;
        let batches = [("WELCOMAT_RELAY_BATCH", "100")];
        let env = [&HASTE[..], &CALM, &NO_NET, &LONG_LOCK, &batches].concat();
        let mut fleet = Fleet::on_shared_broker(&env).await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        let log = fleet.file("log");
        let env = [("WELCOMAT_BROKER_URL", url.as_str()), (LOG_FILE, log.to_str().unwrap())];
        fleet.add_api_with(&env).await;
        let operator = Operator::of(&fleet).await;
        operator.until_waiting(0).await;
        proxy.set(Mode::Refuse);
        fleet.invite(0..COUNT).await;
        assert!(outbox(&fleet.apis[0]).await > 400, "they have piled up");
        proxy.set(Mode::Pass);
        operator.until_waiting(50).await;
        operator.unbind().await;
        let returned = eventually("some jobs are returned", async || {
            let log = std::fs::read_to_string(&log).unwrap();
            let (_, found) = log.split_once("the broker had no queue for some jobs")?;
            let (_, number) = found.split_once("returned=")?;
            number.split_whitespace().next()?.parse::<usize>().ok()
        })
        .await;
        assert!((1..=100).contains(&returned), "{returned} of a batch");
        until_published(&fleet.apis[0]).await;
        // Without a worker every job is still there: none is missing and none is there twice.
        assert_eq!(operator.look().await, Some(u32::try_from(COUNT).unwrap()));
        fleet.add_worker();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, COUNT);
        record("F17", "binding removed amid batches of 100", &tally, &Repeats::None);
        fleet.end().await;
    });
}
