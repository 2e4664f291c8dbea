//! Queues and channels go away, or are not as they should be.

use super::operator::{Operator, until_broker_is, until_published};
use super::proxy::Proxy;
use super::{CALM, HASTE, NO_NET, Repeats, heals, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::LOG_FILE;
use crate::servers::{OwnServer, eventually};

/// F16
#[test]
fn a_queue_that_is_deleted_comes_back_with_all_that_was_in_it() {
    const COUNT: usize = 40;
    block_on(async {
        let _turn = TURN.acquire().await;
        // Few of them are in the worker's hand: the others lie in the queue.
        let env = [&HASTE[..], &CALM, &[("WELCOMAT_WORKER_PREFETCH", "8")]].concat();
        let mut fleet = Fleet::on_shared_broker(&env).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.sink.hold(true);
        fleet.invite(0..COUNT).await;
        until_published(&fleet.apis[0]).await;
        fleet.until_mails(8).await;
        let operator = Operator::of(&fleet).await;
        let gone = operator.delete_queue().await;
        assert!(gone > 0, "there was something in it");
        fleet.sink.hold(false);
        fleet.invite(COUNT..COUNT + 10).await;
        let tally = heals(&fleet).await;
        assert_eq!(tally.sent, COUNT + 11);
        assert_eq!(operator.look().await, Some(0), "it is there again");
        record("F16", "the queue is deleted while jobs wait in it", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F23: somebody else made a queue of that name.
#[test]
fn a_queue_that_differs_is_named_and_holds_up_mails_but_no_request() {
    const COUNT: usize = 10;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET].concat()).await;
        let operator = Operator::of(&fleet).await;
        operator.declare_otherwise().await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        let log = fleet.file("log");
        let env = [("WELCOMAT_BROKER_URL", url.as_str()), (LOG_FILE, log.to_str().unwrap())];
        fleet.add_api_with(&env).await;
        fleet.add_worker_with(&env);
        fleet.invite(0..COUNT).await;
        until_broker_is(false, &fleet.apis[0]).await;
        let complaint = eventually("the log says what is wrong", async || {
            let log = std::fs::read_to_string(&log).unwrap();
            log.lines().find(|line| line.contains("is not as it should be")).map(str::to_owned)
        })
        .await;
        let said = |text| complaint.contains(text);
        assert!(said("ERROR") && said(operator.queue()) && said("broker.prefix"), "{complaint}");
        eventually("it is tried again", async || (proxy.connections() >= 8).then_some(())).await;
        assert!(fleet.workers[0].ended().is_none() && fleet.apis[0].process.ended().is_none());
        fleet.invite(COUNT..2 * COUNT).await;
        assert_eq!(fleet.sink.count(), 0);
        operator.delete_queue().await;
        let tally = heals(&fleet).await;
        until_broker_is(true, &fleet.apis[0]).await;
        assert_eq!(tally.sent, 2 * COUNT + 1);
        record("F23", "a queue of that name has other arguments", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F24: the broker closes the channel, and with it goes whatever the worker has in hand.
#[test]
fn a_channel_that_the_broker_closes_is_opened_again() {
    const COUNT: usize = 60;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET].concat()).await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        let journal = fleet.file("journal");
        fleet.add_api().await;
        fleet.add_worker_with(&[
            ("WELCOMAT_BROKER_URL", &url),
            ("FAULT_POINT", "consumer.settled=misbehave@5"),
            ("FAULT_JOURNAL", journal.to_str().unwrap()),
        ]);
        // Publisher, jobs and dead letters.
        eventually("it is there", async || (proxy.connections() >= 3).then_some(())).await;
        let before = proxy.connections();
        fleet.invite(0..COUNT).await;
        let tally = heals(&fleet).await;
        assert_eq!(std::fs::read_to_string(journal).unwrap(), "consumer.settled\n");
        assert!(proxy.connections() > before, "over a new connection");
        assert_eq!(tally.sent, COUNT + 1);
        record("F24", "the broker closes the worker's channel", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F48: the broker gives a job to another worker while the first one still works on it.
#[test]
fn a_job_that_takes_longer_than_the_broker_waits_is_done_once() {
    const COUNT: usize = 8;
    block_on(async {
        let _turn = TURN.acquire().await;
        let broker = OwnServer::start("rabbitmq");
        for limit in ["consumer_timeout", "channel_tick_interval"] {
            broker.ctl(&["eval", &format!("application:set_env(rabbit, {limit}, 1000).")]);
        }
        let mut fleet =
            Fleet::new(broker.url.clone(), &[&HASTE[..], &CALM, &NO_NET].concat()).await;
        let log = fleet.file("log");
        let log_too = [(LOG_FILE, log.to_str().unwrap()), ("WELCOMAT_LOG_FILTER", "warn")];
        fleet.add_api().await;
        fleet.add_worker_with(&log_too);
        fleet.sink.hold(true);
        fleet.invite(0..COUNT).await;
        fleet.until_mails(COUNT).await;
        fleet.add_worker();
        eventually("the broker takes the jobs away", async || {
            let log = std::fs::read_to_string(&log).unwrap();
            log.contains("acknowledgement on channel").then_some(())
        })
        .await;
        eventually("the other worker finds nothing to do", async || {
            let all = broker.ctl(&["list_queues", "--no-table-headers", "messages"]);
            all.lines().all(|count| count.trim() == "0").then_some(())
        })
        .await;
        assert_eq!(fleet.sink.count(), COUNT);
        fleet.sink.hold(false);
        let tally = heals(&fleet).await;
        assert_eq!(tally.sent, COUNT + 1);
        record("F48", "a mail takes longer than the broker waits", &tally, &Repeats::None);
        fleet.end().await;
    });
}
