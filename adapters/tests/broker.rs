//! What both kinds of broker promise, asked of each, and what only a server can do.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a panic is how a test fails")]

mod broker_world;

use std::collections::HashMap;
use std::time::Duration;

use broker_world::{
    PATIENCE, World, amqp_url, assert_silent, ids, job, next, next_dead, outgoing,
    publish_until_safe,
};
use tokio::time::timeout;

/// 20 returns are allowed, so the 21st delivery is the last.
const DELIVERIES: usize = 21;

async fn published_jobs_arrive(world: &World) {
    let consumer = world.broker.consumer(10);
    let batch = world.publish(100).await;
    let mut expected: HashMap<_, _> = batch.iter().map(|out| (out.job.encode(), out.id)).collect();
    while !expected.is_empty() {
        let received = next(&consumer).await;
        assert!(expected.remove(&job(&received).encode()).is_some(), "each arrives once");
        assert!(received.ack().await);
    }
    assert!(world.broker.publish(&[]).await.is_empty());
    assert!(world.broker.is_connected());
}

async fn an_ack_removes(world: &World) {
    let consumer = world.broker.consumer(1);
    world.publish(1).await;
    assert!(next(&consumer).await.ack().await);
    consumer.stop();
    drop(consumer);
    let consumer = world.broker.consumer(1);
    let batch = world.publish(1).await;
    let received = next(&consumer).await;
    assert_eq!(job(&received), batch[0].job);
    assert!(received.ack().await);
    assert_silent(&consumer).await;
}

async fn what_is_dropped_comes_again(world: &World) {
    let consumer = world.broker.consumer(5);
    let batch = world.publish(1).await;
    drop(next(&consumer).await);
    let again = next(&consumer).await;
    assert_eq!(job(&again), batch[0].job);
    assert!(again.ack().await);
}

async fn the_prefetch_is_a_limit(world: &World) {
    let consumer = world.broker.consumer(2);
    world.publish(3).await;
    let first = next(&consumer).await;
    let second = next(&consumer).await;
    assert_silent(&consumer).await;
    assert!(first.ack().await);
    assert!(next(&consumer).await.ack().await);
    assert!(second.ack().await);
}

async fn a_job_that_is_handed_back_reaches_another_consumer(world: &World) {
    let first = world.broker.consumer(1);
    let batch = world.publish(1).await;
    let received = next(&first).await;
    let second = world.broker.consumer(1);
    first.stop();
    assert!(received.hand_back().await);
    let received = next(&second).await;
    assert_eq!(job(&received), batch[0].job);
    assert!(received.ack().await);
}

async fn a_dead_letter_arrives_with_its_reason(world: &World) {
    let (consumer, dead) = (world.broker.consumer(1), world.broker.dead_letters());
    let batch = world.publish(1).await;
    assert!(next(&consumer).await.dead_letter().await);
    let letter = next_dead(&dead).await;
    assert_eq!(letter.raw, batch[0].job.encode());
    assert_eq!(letter.reason, "rejected");
    assert_eq!(letter.headers["x-first-death-reason"], "rejected");
    drop(letter);
    assert!(next_dead(&dead).await.ack().await, "an unsettled dead letter comes again");
    assert_silent(&consumer).await;
}

async fn the_delivery_limit_ends_in_the_dead_letters(world: &World) {
    let (consumer, dead) = (world.broker.consumer(1), world.broker.dead_letters());
    let batch = world.publish(1).await;
    for _ in 0..DELIVERIES {
        assert!(next(&consumer).await.hand_back().await);
    }
    let letter = next_dead(&dead).await;
    assert_eq!(letter.raw, batch[0].job.encode());
    assert_eq!(letter.reason, "delivery_limit");
    assert!(letter.ack().await);
    assert_silent(&consumer).await;
}

async fn after_stop_what_was_received_can_be_settled(world: &World) {
    let consumer = world.broker.consumer(2);
    world.publish(5).await;
    let in_hand = next(&consumer).await;
    consumer.stop();
    let mut settled = usize::from(in_hand.ack().await);
    let rest = async {
        while let Some(received) = consumer.next().await {
            settled += usize::from(received.ack().await);
        }
    };
    timeout(PATIENCE, rest).await.expect("a stopped consumer ends");
    assert!((1..=5).contains(&settled));
    let other = world.broker.consumer(5);
    for _ in settled..5 {
        assert!(next(&other).await.ack().await);
    }
    assert_silent(&other).await;
}

async fn closing_ends_consumers(world: &World) {
    let consumer = world.broker.consumer(1);
    world.publish(1).await;
    let received = next(&consumer).await;
    timeout(PATIENCE, world.broker.close()).await.expect("closing is bounded");
    assert!(timeout(PATIENCE, consumer.next()).await.expect("it ends").is_none());
    assert!(!received.ack().await, "nothing can be settled any more");
    assert!(!world.broker.is_connected());
    assert!(world.broker.publish(&[outgoing()]).await.is_empty());
}

macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            use super::*;
            $(#[tokio::test] async fn $name() {
                let world = World::memory();
                super::$name(&world).await;
                world.finish().await;
            })+
        }
        mod amqp {
            use super::*;
            $(#[tokio::test] async fn $name() {
                let world = World::amqp().await;
                super::$name(&world).await;
                world.finish().await;
            })+
        }
    };
}

conformance!(
    published_jobs_arrive,
    an_ack_removes,
    what_is_dropped_comes_again,
    the_prefetch_is_a_limit,
    a_job_that_is_handed_back_reaches_another_consumer,
    a_dead_letter_arrives_with_its_reason,
    the_delivery_limit_ends_in_the_dead_letters,
    after_stop_what_was_received_can_be_settled,
    closing_ends_consumers,
);

mod only_amqp {
    use adapters::broker::{Broker, BrokerError, Payload};
    use adapters::settings::BrokerSettings;
    use lapin::options::QueueDeleteOptions;
    use lapin::types::FieldTable;

    use super::broker_world::proxy::Proxy;
    use super::*;

    #[tokio::test]
    async fn a_malformed_message_is_handed_out_as_such() {
        let world = World::amqp().await;
        let (consumer, dead) = (world.broker.consumer(1), world.broker.dead_letters());
        // Only now is it sure that the queue is there.
        world.publish(1).await;
        assert!(next(&consumer).await.ack().await);
        world.publish_raw(b"{\"kind\":\"fax\"").await;
        let received = next(&consumer).await;
        assert!(matches!(received.payload, Payload::Malformed { .. }));
        assert_eq!(received.raw(), b"{\"kind\":\"fax\"");
        assert!(received.dead_letter().await);
        let letter = next_dead(&dead).await;
        assert_eq!(letter.raw, b"{\"kind\":\"fax\"");
        assert!(letter.ack().await);
        world.finish().await;
    }

    #[tokio::test]
    async fn what_has_no_queue_is_not_published_and_the_binding_heals() {
        let world = World::amqp().await;
        world.publish(10).await;
        let (queue, exchange) = (world.name("email"), world.name("jobs"));
        let arguments = FieldTable::default();
        let admin = world.admin();
        admin.queue_unbind(queue.into(), exchange.into(), "email".into(), arguments).await.unwrap();
        let batch: Vec<_> = (0..200).map(|_| outgoing()).collect();
        assert!(world.broker.publish(&batch).await.is_empty(), "nothing of it is safe");
        assert_eq!(world.broker.publish(&batch).await, ids(&batch), "the next try succeeds");
        assert_eq!(world.waiting("email").await, 210);
        world.finish().await;
    }

    /// While the binding goes away in the middle of a batch, an id is reported if and only if
    /// its message is in the queue.
    #[tokio::test]
    async fn a_binding_lost_midway_is_told_apart_message_by_message() {
        let world = World::amqp().await;
        world.publish(1).await;
        let batch: Vec<_> = (0..3000).map(|_| outgoing()).collect();
        let unbind = async {
            while world.waiting("email").await < 50 {
                tokio::task::yield_now().await;
            }
            let (queue, exchange) = (world.name("email"), world.name("jobs"));
            let arguments = FieldTable::default();
            let admin = world.admin();
            admin.queue_unbind(queue.into(), exchange.into(), "email".into(), arguments).await
        };
        let (published, unbound) = tokio::join!(world.broker.publish(&batch), unbind);
        unbound.unwrap();
        let kept = usize::try_from(world.waiting("email").await).unwrap() - 1;
        assert_eq!(published.len(), kept, "as many as are in the queue");
        let consumer = world.broker.consumer(100);
        let sent: HashMap<_, _> = batch.iter().map(|out| (out.job.encode(), out.id)).collect();
        for _ in 0..=kept {
            let received = next(&consumer).await;
            if let Some(id) = sent.get(received.raw()) {
                assert!(published.contains(id), "what is in the queue was reported");
            }
            assert!(received.ack().await);
        }
        world.finish().await;
    }

    #[tokio::test]
    async fn a_deleted_queue_comes_back_with_its_consumer() {
        let world = World::amqp().await;
        let consumer = world.broker.consumer(1);
        world.publish(1).await;
        assert!(next(&consumer).await.ack().await);
        let options = QueueDeleteOptions::default();
        world.admin().queue_delete(world.name("email").into(), options).await.unwrap();
        let batch = [outgoing()];
        publish_until_safe(&world.broker, &batch).await;
        let received = next(&consumer).await;
        assert_eq!(job(&received), batch[0].job);
        assert!(received.ack().await);
        world.finish().await;
    }

    #[tokio::test]
    async fn a_cut_connection_is_made_anew_on_both_sides() {
        let proxy = Proxy::start(&amqp_url()).await;
        let world = World::amqp_at(&proxy.url).await;
        let consumer = world.broker.consumer(1);
        let first = world.publish(1).await;
        let stale = next(&consumer).await;
        proxy.cut();
        let again = next(&consumer).await;
        assert_eq!(job(&again), first[0].job, "what was in hand comes again");
        assert!(!stale.ack().await, "the old delivery cannot be settled");
        assert!(again.ack().await);
        let batch = [outgoing()];
        publish_until_safe(&world.broker, &batch).await;
        let received = next(&consumer).await;
        assert_eq!(job(&received), batch[0].job);
        assert!(received.ack().await);
        world.finish().await;
    }

    #[tokio::test]
    async fn a_frozen_server_holds_nobody_longer_than_the_timeout() {
        let proxy = Proxy::start(&amqp_url()).await;
        let mut world = World::amqp_at(&proxy.url).await;
        world.broker.close().await;
        world.settings.confirm_timeout = Duration::from_secs(1);
        world.broker = Broker::connect(&world.settings).unwrap();
        let consumer = world.broker.consumer(1);
        world.publish(1).await;
        let in_hand = next(&consumer).await;
        proxy.freeze();
        let started = std::time::Instant::now();
        assert!(world.broker.publish(&[outgoing()]).await.is_empty());
        assert!(started.elapsed() < Duration::from_secs(3));
        proxy.cut();
        drop(in_hand);
        publish_until_safe(&world.broker, &[outgoing()]).await;
        assert!(next(&consumer).await.ack().await);
        world.finish().await;
    }

    #[tokio::test]
    async fn an_absent_server_is_no_error_but_a_bad_address_is() {
        let settings = |url: &str, prefix: &str| BrokerSettings {
            url: url.to_owned(),
            heartbeat: Duration::from_secs(5),
            confirm_timeout: Duration::from_millis(200),
            prefix: prefix.to_owned(),
        };
        // Port 1 of the loopback interface: nobody listens there.
        let broker = Broker::connect(&settings("amqp://u:hidden@127.0.0.1:1/%2f", "t")).unwrap();
        assert!(!broker.is_connected());
        assert!(broker.publish(&[outgoing()]).await.is_empty());
        assert!(!format!("{broker:?}").contains("hidden"));
        timeout(PATIENCE, broker.close()).await.expect("closing is bounded");
        let error = Broker::connect(&settings("http://u:hidden@host", "t")).unwrap_err();
        assert!(matches!(error, BrokerError::Url));
        assert!(!error.to_string().contains("hidden"));
        let error = Broker::connect(&settings("amqp://host", "amq.t")).unwrap_err();
        assert!(matches!(error, BrokerError::Prefix));
    }
}
