//! What the broker tests run in: one broker of either kind, and ways to disturb it.

mod only_amqp;
mod proxy;

use std::collections::HashSet;
use std::time::Duration;

use adapters::broker::{Broker, Consumer, DeadLetters, DeadReceived, Outgoing, Payload, Received};
use adapters::settings::{BrokerSettings, Topology};
use domain::{DeliveryId, Job, OutboxId};
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::time::timeout;
use uuid::Uuid;

/// Far more than anything here takes; reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing must come before we believe that nothing comes.
const SILENCE: Duration = Duration::from_millis(400);

pub struct World {
    pub broker: Broker,
    pub settings: BrokerSettings,
    admin: Option<(Connection, Channel)>,
}

impl World {
    pub fn memory() -> Self {
        let settings = settings("memory:".to_owned());
        Self { broker: Broker::connect(&settings).unwrap(), settings, admin: None }
    }

    pub async fn amqp() -> Self {
        Self::amqp_at(&amqp_url()).await
    }

    /// The broker under test uses `url`, which may lead through a proxy; the admin never does.
    pub async fn amqp_at(url: &str) -> Self {
        let settings = settings(url.to_owned());
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&amqp_url(), properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let broker = Broker::connect(&settings).unwrap();
        Self { broker, settings, admin: Some((connection, channel)) }
    }

    pub fn admin(&self) -> &Channel {
        &self.admin.as_ref().expect("only an AMQP world has an admin").1
    }

    pub fn name(&self, what: &str) -> String {
        format!("{}.{what}.v1", self.settings.prefix)
    }

    /// Publishes all of a new batch. What the broker leaves out is offered again, as the relay does
    /// it: a server that has just started may lose the first connection.
    pub async fn publish(&self, count: usize) -> Vec<Outgoing> {
        let batch: Vec<_> = (0..count).map(|_| outgoing()).collect();
        let all = async {
            let mut left = batch.clone();
            while !left.is_empty() {
                let published = self.broker.publish(&left).await;
                left.retain(|outgoing| !published.contains(&outgoing.id));
            }
        };
        timeout(PATIENCE, all).await.expect("everything is published");
        batch
    }

    pub async fn publish_raw(&self, body: &[u8]) {
        let (exchange, options) = (self.name("jobs").into(), BasicPublishOptions::default());
        let properties = BasicProperties::default();
        let channel = self.admin();
        let confirm =
            channel.basic_publish(exchange, "email".into(), options, body, properties).await;
        assert!(confirm.unwrap().await.unwrap().is_ack());
    }

    /// How many messages wait in a queue, not counting those in hand.
    pub async fn waiting(&self, what: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
        let queue = self.name(what).into();
        let queue = self.admin().queue_declare(queue, options, FieldTable::default()).await;
        queue.unwrap().message_count()
    }

    /// Leaves the server as it was found.
    pub async fn finish(self) {
        self.broker.close().await;
        let Some((connection, channel)) = &self.admin else { return };
        for queue in ["email", "dead"] {
            let options = QueueDeleteOptions::default();
            channel.queue_delete(self.name(queue).into(), options).await.unwrap();
        }
        for exchange in ["jobs", "dead"] {
            let options = ExchangeDeleteOptions::default();
            channel.exchange_delete(self.name(exchange).into(), options).await.unwrap();
        }
        connection.close(200, "done".into()).await.unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the test server's address has no other way in")]
pub fn amqp_url() -> String {
    std::env::var("TEST_AMQP_URL")
        .expect("TEST_AMQP_URL is not set: run `make test`, which starts a RabbitMQ for the tests")
}

fn settings(url: String) -> BrokerSettings {
    BrokerSettings {
        url,
        heartbeat: Duration::from_secs(15),
        confirm_timeout: Duration::from_secs(10),
        prefix: format!("test-{}", random().simple()),
        topology: Topology::Declare,
        events: true,
    }
}

fn random() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}

pub fn outgoing() -> Outgoing {
    let delivery = DeliveryId::from_uuid(random());

    let body = serde_json::json!({"kind": "email", "version": 1, "id": delivery, "generation": 1});
    let job = Job::decode(body.to_string().as_bytes()).unwrap();
    Outgoing { id: OutboxId::from_uuid(random()), job, trace: None }
}

pub fn ids(batch: &[Outgoing]) -> HashSet<OutboxId> {
    batch.iter().map(|outgoing| outgoing.id).collect()
}

pub fn job(received: &Received) -> Job {
    match &received.payload {
        Payload::Job(job) => *job,
        Payload::Malformed { reason } => panic!("not a job: {reason}"),
    }
}

pub async fn next(consumer: &Consumer) -> Received {
    let received = timeout(PATIENCE, consumer.next()).await;
    received.expect("a job arrives").expect("the consumer goes on")
}

pub async fn next_dead(dead: &DeadLetters) -> DeadReceived {
    let received = timeout(PATIENCE, dead.next()).await;
    received.expect("a dead letter arrives").expect("the consumer goes on")
}

pub async fn assert_silent(consumer: &Consumer) {
    assert!(timeout(SILENCE, consumer.next()).await.is_err(), "nothing more comes");
}

/// Publishes the batch, again and again where it must, until the broker has it.
pub async fn publish_until_safe(broker: &Broker, batch: &[Outgoing]) {
    let safe = async {
        while broker.publish(batch).await != ids(batch) {
            // A refused batch comes back at once; the relay would pause here too.
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE * 2, safe).await.expect("the broker comes back");
}
