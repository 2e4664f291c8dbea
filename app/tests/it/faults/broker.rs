//! The broker is there but takes nothing, or stands still, or comes back without its memory.

use super::operator::{outbox, until_published};
use super::{CALM, HASTE, NO_NET, Repeats, heals, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::{OwnServer, eventually};

/// Its publishers have to wait, its consumers do not.
async fn an_alarm(number: &str, fault: &str, set: &[&str], reset: &[&str]) {
    const COUNT: usize = 20;
    let _turn = TURN.acquire().await;
    let broker = OwnServer::start("rabbitmq");
    let mut fleet = Fleet::new(broker.url.clone(), &[&HASTE[..], &CALM, &NO_NET].concat()).await;
    fleet.add_api().await;
    fleet.add_worker();
    fleet.sink.hold(true);
    fleet.invite(0..COUNT).await;
    until_published(&fleet.apis[0]).await;
    fleet.until_mails(1).await;
    broker.ctl(set);
    fleet.invite(COUNT..2 * COUNT).await;
    eventually("a publisher is blocked", async || {
        broker.ctl(&["list_connections", "state"]).contains("blocked").then_some(())
    })
    .await;
    fleet.sink.hold(false);
    // Every job that had got through is acknowledged: the queue forgets it.
    eventually("acknowledgements arrive", async || {
        (in_queues(&broker, "messages") == 0 && fleet.sink.count() >= COUNT).then_some(())
    })
    .await;
    assert!(outbox(&fleet.apis[0]).await > 0, "while others still wait");
    broker.ctl(reset);
    let tally = heals(&fleet).await;
    assert_eq!(tally.sent, 2 * COUNT + 1);
    record(number, fault, &tally, &Repeats::None);
    fleet.end().await;
}

/// F19
#[test]
fn a_broker_short_of_memory_takes_acknowledgements_and_later_jobs() {
    let set = ["set_vm_memory_high_watermark", "absolute", "1MB"];
    let reset = ["set_vm_memory_high_watermark", "0.6"];
    block_on(an_alarm("F19", "memory alarm: publishers are blocked", &set, &reset));
}

/// What `rabbitmqctl` says of all queues together: `messages`, `messages_unacknowledged`, …
fn in_queues(broker: &OwnServer, column: &str) -> u32 {
    let lines = broker.ctl(&["list_queues", "--no-table-headers", column]);
    lines.lines().map(|line| line.trim().parse::<u32>().unwrap()).sum()
}

#[cfg(feature = "long-faults")]
mod long {
    use std::time::Duration;

    use adapters::broker::{Broker, Outgoing, Queue};
    use adapters::settings::Settings;
    use domain::job::JobV1;
    use domain::{DeliveryId, Job, OutboxId, Timestamp};

    use super::super::operator::{Operator, until_broker_is};
    use super::*;
    use crate::processes::process::LOG_FILE;

    /// F20
    #[test]
    fn a_broker_short_of_disk_takes_acknowledgements_and_later_jobs() {
        let set = ["set_disk_free_limit", "900000GB"];
        let reset = ["set_disk_free_limit", "50MB"];
        block_on(an_alarm("F20", "disk alarm: publishers are blocked", &set, &reset));
    }

    /// F19, where API and worker are one process: its publisher waits, its consumer does not.
    #[test]
    fn acknowledgements_arrive_while_the_same_process_cannot_publish() {
        block_on(async {
            let _turn = TURN.acquire().await;
            let server = OwnServer::start("rabbitmq");
            let env = [("BROKER_URL", server.url.as_str()), ("BROKER_CONFIRM_TIMEOUT", "2s")];
            let env = env.map(|(name, value)| (format!("WELCOMAT_{name}"), value.to_owned()));
            let settings = Settings::load(None, env.into_iter()).unwrap();
            let broker = Broker::connect(&settings.broker).unwrap();
            let mut rng = adapters::rng();
            let mut job = || {
                let now = Timestamp::UNIX_EPOCH;
                let delivery = DeliveryId::new(now, &mut rng);
                let job = Job::V1(JobV1::Email { delivery, generation: 1 });
                [Outgoing { id: OutboxId::new(now, &mut rng), job, trace: None }]
            };
            let first = job();
            eventually("it is published", async || {
                (broker.publish(&first).await.len() == 1).then_some(())
            })
            .await;
            let consumer = broker.consumer(Queue::Email, 10);
            let received = consumer.next().await.unwrap();
            server.ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]);
            eventually("publishers are blocked", async || {
                broker.publish(&job()).await.is_empty().then_some(())
            })
            .await;
            assert!(received.ack().await, "the acknowledgement gets through");
            eventually("what came before is acknowledged as well", async || {
                let next = tokio::time::timeout(Duration::from_millis(100), consumer.next()).await;
                match next {
                    Ok(Some(received)) => assert!(received.ack().await),
                    Ok(None) => panic!("the consumer has ended"),
                    Err(_) => {}
                }
                (in_queues(&server, "messages_unacknowledged") == 0).then_some(())
            })
            .await;
            server.ctl(&["set_vm_memory_high_watermark", "0.6"]);
            broker.close().await;
        });
    }

    /// F10
    #[test]
    fn a_broker_that_stands_still_holds_up_mails_but_no_request() {
        const COUNT: usize = 30;
        block_on(async {
            let _turn = TURN.acquire().await;
            let broker = OwnServer::start("rabbitmq");
            let heartbeat = [("WELCOMAT_BROKER_HEARTBEAT", "2s")];
            let env = [&HASTE[..], &CALM, &NO_NET, &heartbeat].concat();
            let mut fleet = Fleet::new(broker.url.clone(), &env).await;
            fleet.add_api().await;
            let log = fleet.file("log");
            let log_too = [(LOG_FILE, log.to_str().unwrap()), ("WELCOMAT_LOG_FILTER", "warn")];
            fleet.add_worker_with(&log_too);
            fleet.invite(0..COUNT).await;
            fleet.until_mails(1).await;
            broker.run("pause");
            fleet.invite(COUNT..2 * COUNT).await;
            until_broker_is(false, &fleet.apis[0]).await;
            // A worker has nothing to say to the broker: only the heartbeat tells it.
            eventually("the worker misses the heartbeat", async || {
                let log = std::fs::read_to_string(&log).unwrap();
                let lost = |line: &str| line.contains("lost the connection");
                log.lines().any(|line| lost(line) && line.contains("jobs")).then_some(())
            })
            .await;
            fleet.invite(2 * COUNT..3 * COUNT).await;
            assert!(fleet.sink.count() <= 2 * COUNT, "nothing gets through");
            broker.run("resume");
            let tally = heals(&fleet).await;
            until_broker_is(true, &fleet.apis[0]).await;
            assert_eq!(tally.sent, 3 * COUNT + 1);
            record("F10", "the broker stands still", &tally, &Repeats::None);
            fleet.end().await;
        });
    }

    /// F11: a new connection must ask for as few jobs at a time as the first one did.
    #[test]
    fn after_many_restarts_of_the_broker_the_prefetch_still_holds() {
        const RESTARTS: usize = 5;
        const COUNT: usize = 40;
        block_on(async {
            let _turn = TURN.acquire().await;
            let broker = OwnServer::start("rabbitmq");
            let env = [&HASTE[..], &CALM, &[("WELCOMAT_WORKER_PREFETCH", "8")]].concat();
            let mut fleet = Fleet::new(broker.url.clone(), &env).await;
            fleet.add_api().await;
            fleet.add_worker();
            for restart in 0..RESTARTS {
                fleet.invite(restart * COUNT..(restart + 1) * COUNT).await;
                broker.run(if restart % 2 == 0 { "stop" } else { "kill" });
                broker.run("start");
            }
            let invited = RESTARTS * COUNT;
            fleet.until_mails(invited).await;
            until_published(&fleet.apis[0]).await;
            eventually("the queue is empty", async || {
                (in_queues(&broker, "messages") == 0).then_some(())
            })
            .await;
            fleet.sink.hold(true);
            fleet.invite(invited..invited + COUNT).await;
            until_published(&fleet.apis[0]).await;
            let in_hand = eventually("the broker tells what is in hand", async || {
                let (all, in_hand) = ("messages", "messages_unacknowledged");
                let told = in_queues(&broker, all) == u32::try_from(COUNT).unwrap();
                told.then(|| in_queues(&broker, in_hand))
            })
            .await;
            assert_eq!(in_hand, 8, "as many as there are hands");
            fleet.sink.hold(false);
            let tally = heals(&fleet).await;
            record("F11", "the broker restarts five times", &tally, &Repeats::None);
            fleet.end().await;
        });
    }

    /// F18
    #[test]
    fn a_full_queue_refuses_jobs_and_takes_them_later() {
        const COUNT: usize = 40;
        block_on(async {
            let _turn = TURN.acquire().await;
            let broker = OwnServer::start("rabbitmq");
            let mut fleet =
                Fleet::new(broker.url.clone(), &[&HASTE[..], &CALM, &NO_NET].concat()).await;
            let policy = ["set_policy", "--apply-to", "queues", "tiny", "", r#"{"max-length":1}"#];
            broker.ctl(&policy);
            fleet.add_api().await;
            let operator = Operator::of(&fleet).await;
            operator.until_waiting(0).await;
            fleet.invite(0..COUNT).await;
            operator.until_waiting(1).await;
            // Quorum queues take a few more than they should before they refuse.
            let refused = outbox(&fleet.apis[0]).await;
            assert!(refused > 0, "some had to wait");
            fleet.add_worker();
            fleet.until_mails(1).await;
            broker.ctl(&["clear_policy", "tiny"]);
            let tally = heals(&fleet).await;
            assert_eq!(tally.sent, COUNT + 1);
            record("F18", "the queue is full and refuses jobs", &tally, &Repeats::None);
            fleet.end().await;
        });
    }

    /// F21: the search for lost deliveries fills the new broker.
    #[test]
    fn a_broker_that_lost_all_its_data_is_filled_again() {
        const COUNT: usize = 40;
        block_on(async {
            let _turn = TURN.acquire().await;
            let broker = OwnServer::start("rabbitmq");
            let mut fleet = Fleet::new(broker.url.clone(), &[&HASTE[..], &CALM].concat()).await;
            fleet.add_api().await;
            fleet.add_worker();
            fleet.sink.hold(true);
            fleet.invite(0..COUNT).await;
            until_published(&fleet.apis[0]).await;
            fleet.until_mails(8).await;
            broker.run("wipe");
            fleet.invite(COUNT..COUNT + 10).await;
            broker.run("start");
            fleet.sink.hold(false);
            let tally = heals(&fleet).await;
            assert_eq!(tally.sent, COUNT + 11);
            record("F21", "the broker loses its disk", &tally, &Repeats::None);
            fleet.end().await;
        });
    }
}
