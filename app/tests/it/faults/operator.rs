//! Somebody with a hand on the broker: looks at a fleet's queue of jobs, and spoils it.

use lapin::options::QueueDeclareOptions;
#[cfg(feature = "long-faults")]
use lapin::options::QueueDeleteOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};

use crate::processes::fleet::{Api, Fleet};
use crate::servers::eventually;

/// Its connection; what it sees is what waits, without what workers have in hand.
pub struct Operator {
    connection: Connection,
    queue: String,
    exchange: String,
}

impl Operator {
    /// At the broker of this fleet.
    pub async fn of(fleet: &Fleet) -> Self {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&fleet.amqp, properties).await.unwrap();
        let [queue, exchange] = ["email", "jobs"].map(|kind| format!("{}.{kind}.v1", fleet.prefix));
        Self { connection, queue, exchange }
    }

    /// How many jobs wait; `None` without a queue.
    pub async fn look(&self) -> Option<u32> {
        let options = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
        let (name, none) = (self.queue.clone().into(), FieldTable::default());
        let queue = self.channel().await.queue_declare(name, options, none).await;
        Some(queue.ok()?.message_count())
    }

    /// Waits until the queue is there and no fewer jobs than these wait in it.
    pub async fn until_waiting(&self, count: u32) {
        let what = format!("{count} jobs wait");
        eventually(&what, async || self.look().await.filter(|waiting| *waiting >= count)).await;
    }

    /// Waits until no job waits.
    pub async fn until_empty(&self) {
        eventually("no job waits", async || self.look().await.filter(|waiting| *waiting == 0))
            .await;
    }

    /// Takes away the way from the exchange to the queue.
    pub async fn unbind(&self) {
        let (queue, exchange) = (self.queue.clone().into(), self.exchange.clone().into());
        let channel = self.channel().await;
        channel.queue_unbind(queue, exchange, "email".into(), FieldTable::default()).await.unwrap();
    }

    /// One each time: an error closes it.
    async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }
}

#[cfg(feature = "long-faults")]
impl Operator {
    /// Takes the queue away; gives how many jobs were in it.
    pub async fn delete_queue(&self) -> u32 {
        let (name, options) = (self.queue.clone().into(), QueueDeleteOptions::default());
        self.channel().await.queue_delete(name, options).await.unwrap()
    }

    /// Makes a queue of that name which is not as the service wants it.
    pub async fn declare_otherwise(&self) {
        let options = QueueDeclareOptions { durable: true, ..Default::default() };
        let (name, none) = (self.queue.clone().into(), FieldTable::default());
        self.channel().await.queue_declare(name, options, none).await.unwrap();
    }

    /// What the queue is called.
    pub fn queue(&self) -> &str {
        &self.queue
    }
}

/// How many rows are due and not with the broker, as `/readyz` has it.
pub async fn outbox(api: &Api) -> u64 {
    let ready = api.client.get("/readyz").await.unwrap();
    ready.json()["checks"]["outbox"]["waiting"].as_u64().unwrap()
}

/// Waits until the broker has confirmed every job.
pub async fn until_published(api: &Api) {
    eventually("the outbox is empty", async || (outbox(api).await == 0).then_some(())).await;
}

/// Waits until this API says that the broker is there, or that it is not.
pub async fn until_broker_is(up: bool, api: &Api) {
    let what = format!("/readyz says of the broker: {up}");
    eventually(&what, async || {
        let ready = api.client.get("/readyz").await.unwrap();
        assert_eq!(ready.status, 200, "requests can be answered all the same");
        (ready.json()["checks"]["broker"]["ok"] == up).then_some(())
    })
    .await;
}
