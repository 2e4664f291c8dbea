//! The exchanges and queues, and their declaration.
//!
//! Arguments of a queue can never change: other arguments need another version in its name.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};

use super::super::DELIVERY_LIMIT;
use crate::settings::{BrokerSettings, Topology};

/// Routing keys of the jobs.
pub(super) const EMAIL_KEY: &str = "email";
pub(super) const WEBHOOK_KEY: &str = "webhook";

const MAX_LENGTH: i32 = 1_000_000;
/// As good as none: `RabbitMQ` 4 drops what exceeds its default of 20, and a dead letter that
/// could not be stored during a long outage of the database must still be there afterwards.
const DEAD_DELIVERY_LIMIT: i32 = 1_000_000_000;

/// What everything is called.
pub(super) struct Names {
    pub(super) jobs_exchange: ShortString,
    pub(super) email_queue: ShortString,
    pub(super) webhook_queue: ShortString,
    /// Both the exchange and the queue of the dead letters.
    pub(super) dead: ShortString,
    /// Where other services listen.
    pub(super) events_exchange: ShortString,
    /// Whether they have reason to.
    events: bool,
    topology: Topology,
}

impl Names {
    pub(super) fn new(settings: &BrokerSettings) -> Option<Self> {
        let prefix = settings.prefix.as_str();
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let good = (1..=100).contains(&prefix.len())
            && prefix.chars().all(fit)
            && !prefix.starts_with("amq.");
        good.then(|| Self {
            jobs_exchange: format!("{prefix}.jobs.v1").into(),
            email_queue: format!("{prefix}.email.v1").into(),
            webhook_queue: format!("{prefix}.webhook.v1").into(),
            dead: format!("{prefix}.dead.v1").into(),
            events_exchange: format!("{prefix}.events.v1").into(),
            events: settings.events,
            topology: settings.topology,
        })
    }

    /// Sees to it that everything is there; the channel is dead if something differs or is missing.
    pub(super) async fn prepare(&self, channel: &Channel) -> lapin::Result<()> {
        match self.topology {
            Topology::Declare => self.declare(channel).await,
            Topology::Check => self.check(channel).await,
        }
    }

    /// Takes no right at all. A queue shows whether it is there when it is consumed from.
    async fn check(&self, channel: &Channel) -> lapin::Result<()> {
        let passive = ExchangeDeclareOptions { passive: true, ..Default::default() };
        let (jobs, none) = (self.jobs_exchange.clone(), FieldTable::default());
        channel.exchange_declare(jobs, ExchangeKind::Direct, passive, none).await
    }

    async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let jobs = self.jobs_exchange.clone();
        channel
            .exchange_declare(jobs.clone(), ExchangeKind::Direct, durable, FieldTable::default())
            .await?;
        // Fanout: whatever dies, under whatever key, must end in the one queue.
        channel
            .exchange_declare(
                self.dead.clone(),
                ExchangeKind::Fanout,
                durable,
                FieldTable::default(),
            )
            .await?;
        queue(channel, self.dead.clone(), dead_arguments()).await?;
        bind(channel, self.dead.clone(), self.dead.clone(), "").await?;
        if self.events {
            let (events, none) = (self.events_exchange.clone(), FieldTable::default());
            channel.exchange_declare(events, ExchangeKind::Topic, durable, none).await?;
        }
        for (name, key) in [(&self.email_queue, EMAIL_KEY), (&self.webhook_queue, WEBHOOK_KEY)] {
            queue(channel, name.clone(), self.job_arguments()).await?;
            bind(channel, name.clone(), jobs.clone(), key).await?;
        }
        Ok(())
    }

    fn job_arguments(&self) -> FieldTable {
        let mut table = quorum(i32::try_from(DELIVERY_LIMIT).unwrap_or(i32::MAX));
        table.insert("x-dead-letter-exchange".into(), text(self.dead.as_str()));
        // Without both of these a message can vanish on its way to the dead letters; and
        // at-least-once silently becomes at-most-once unless the overflow is reject-publish.
        table.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        table
    }
}

async fn queue(channel: &Channel, name: ShortString, arguments: FieldTable) -> lapin::Result<()> {
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(name, durable, arguments).await.map(drop)
}

async fn bind(
    channel: &Channel,
    queue: ShortString,
    exchange: ShortString,
    key: &str,
) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue, exchange, key.into(), options, FieldTable::default()).await
}

fn dead_arguments() -> FieldTable {
    quorum(DEAD_DELIVERY_LIMIT)
}

fn quorum(delivery_limit: i32) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    table.insert("x-overflow".into(), text("reject-publish"));
    table.insert("x-max-length".into(), AMQPValue::LongInt(MAX_LENGTH));
    table.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
