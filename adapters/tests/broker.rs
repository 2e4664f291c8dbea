//! What both kinds of broker promise, asked of each; `broker_world::only_amqp` has the rest.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a panic is how a test fails")]

mod broker_world;

use std::collections::HashMap;

use adapters::broker::Queue;
use broker_world::{PATIENCE, World, assert_silent, job, next, next_dead, outgoing};
use futures_util::future::join_all;
use tokio::time::timeout;

/// 20 returns are allowed, so the 21st delivery is the last.
const DELIVERIES: usize = 21;

async fn published_jobs_arrive(world: &World) {
    let consumer = world.broker.consumer(Queue::Email, 10);
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
    let consumer = world.broker.consumer(Queue::Email, 1);
    world.publish(1).await;
    assert!(next(&consumer).await.ack().await);
    consumer.stop();
    drop(consumer);
    let consumer = world.broker.consumer(Queue::Email, 1);
    let batch = world.publish(1).await;
    let received = next(&consumer).await;
    assert_eq!(job(&received), batch[0].job);
    assert!(received.ack().await);
    assert_silent(&consumer).await;
}

async fn those_acknowledged_together_take_nobody_along(world: &World) {
    let consumer = world.broker.consumer(Queue::Email, 10);
    world.publish(10).await;
    let mut in_hand = Vec::new();
    for _ in 0..10 {
        in_hand.push(next(&consumer).await);
    }
    let mut kept = Vec::new();
    let mut acks = Vec::new();
    for (at, received) in in_hand.into_iter().enumerate() {
        if [3, 6].contains(&at) { kept.push(received) } else { acks.push(received.ack()) }
    }
    assert_eq!(join_all(acks).await, [true; 8]);
    let mut expected: Vec<_> = kept.iter().map(job).collect();
    for received in kept {
        assert!(received.hand_back().await, "it is still in hand");
    }
    for _ in 0..2 {
        let again = next(&consumer).await;
        expected.retain(|job_| *job_ != job(&again));
        assert!(again.ack().await);
    }
    assert!(expected.is_empty(), "{expected:?}");
    assert_silent(&consumer).await;
}

async fn what_is_dropped_comes_again(world: &World) {
    let consumer = world.broker.consumer(Queue::Email, 5);
    let batch = world.publish(1).await;
    drop(next(&consumer).await);
    let again = next(&consumer).await;
    assert_eq!(job(&again), batch[0].job);
    assert!(again.ack().await);
}

async fn the_prefetch_is_a_limit(world: &World) {
    let consumer = world.broker.consumer(Queue::Email, 2);
    world.publish(3).await;
    let first = next(&consumer).await;
    let second = next(&consumer).await;
    assert_silent(&consumer).await;
    assert!(first.ack().await);
    assert!(next(&consumer).await.ack().await);
    assert!(second.ack().await);
}

async fn a_job_that_is_handed_back_reaches_another_consumer(world: &World) {
    let first = world.broker.consumer(Queue::Email, 1);
    let batch = world.publish(1).await;
    let received = next(&first).await;
    let second = world.broker.consumer(Queue::Email, 1);
    first.stop();
    assert!(received.hand_back().await);
    let received = next(&second).await;
    assert_eq!(job(&received), batch[0].job);
    assert!(received.ack().await);
}

async fn a_dead_letter_arrives_with_its_reason(world: &World) {
    let (consumer, dead) = (world.broker.consumer(Queue::Email, 1), world.broker.dead_letters());
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
    let (consumer, dead) = (world.broker.consumer(Queue::Email, 1), world.broker.dead_letters());
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
    let consumer = world.broker.consumer(Queue::Email, 2);
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
    let other = world.broker.consumer(Queue::Email, 5);
    for _ in settled..5 {
        assert!(next(&other).await.ack().await);
    }
    assert_silent(&other).await;
}

async fn closing_ends_consumers(world: &World) {
    let consumer = world.broker.consumer(Queue::Email, 1);
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
    those_acknowledged_together_take_nobody_along,
    what_is_dropped_comes_again,
    the_prefetch_is_a_limit,
    a_job_that_is_handed_back_reaches_another_consumer,
    a_dead_letter_arrives_with_its_reason,
    the_delivery_limit_ends_in_the_dead_letters,
    after_stop_what_was_received_can_be_settled,
    closing_ends_consumers,
);
