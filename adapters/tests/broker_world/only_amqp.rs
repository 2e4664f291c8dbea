//! What only a server can do: lose bindings, queues and connections, and freeze.

use std::collections::HashMap;
use std::time::Duration;

use adapters::broker::{Broker, BrokerError, Payload, Queue};
use adapters::settings::{BrokerSettings, Topology};
use lapin::options::QueueDeleteOptions;
use lapin::types::FieldTable;
use tokio::time::timeout;

use super::proxy::Proxy;
use super::{PATIENCE, World, amqp_url, ids, job, next, next_dead, outgoing, publish_until_safe};

#[tokio::test]
async fn a_malformed_message_is_handed_out_as_such() {
    let world = World::amqp().await;
    let (consumer, dead) = (world.broker.consumer(Queue::Email, 1), world.broker.dead_letters());
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
    let consumer = world.broker.consumer(Queue::Email, 100);
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
    let consumer = world.broker.consumer(Queue::Email, 1);
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
    let consumer = world.broker.consumer(Queue::Email, 1);
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
    let consumer = world.broker.consumer(Queue::Email, 1);
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
        topology: Topology::Declare,
        events: true,
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
