//! The exchanges and queues, and their declaration.
//!
//! Arguments of a queue can never change: other arguments need another version in its name.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};

use super::super::DELIVERY_LIMIT;
use super::link::LinkError;
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
    pub(super) topology: Topology,
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
    pub(super) async fn prepare(&self, channel: &Channel) -> Result<(), LinkError> {
        let prepared = match self.topology {
            Topology::Declare => self.declare(channel).await,
            // Takes no right at all. A queue shows whether it is there when it is consumed from.
            Topology::Check => find_exchange(channel, &self.jobs_exchange).await,
        };
        prepared.map_err(|error| LinkError::of_topology(error, self.topology))
    }

    async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        for (name, kind) in self.exchanges() {
            declare_exchange(channel, name, kind).await?;
        }
        // The dead letters first: nothing can die before there is a place for it.
        for queue in self.queues().iter().rev() {
            queue.declare(channel).await?;
            let (name, exchange, key) = (queue.name.clone(), queue.exchange.clone(), queue.key);
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(name, exchange, key.into(), options, none).await?;
        }
        Ok(())
    }

    /// Those that are needed, as they are made.
    pub(super) fn exchanges(&self) -> Vec<(&ShortString, ExchangeKind)> {
        // Fanout: whatever dies, under whatever key, must end in the one queue.
        let always =
            [(&self.jobs_exchange, ExchangeKind::Direct), (&self.dead, ExchangeKind::Fanout)];
        let events = self.events.then_some((&self.events_exchange, ExchangeKind::Topic));
        always.into_iter().chain(events).collect()
    }

    /// All, as they are made.
    pub(super) fn queues(&self) -> [Wanted<'_>; 3] {
        let jobs = |name, key| {
            let arguments = self.job_arguments();
            Wanted { name, exchange: &self.jobs_exchange, key, arguments }
        };
        let (name, arguments) = (&self.dead, quorum(DEAD_DELIVERY_LIMIT));
        let dead = Wanted { name, exchange: &self.dead, key: "", arguments };
        [jobs(&self.email_queue, EMAIL_KEY), jobs(&self.webhook_queue, WEBHOOK_KEY), dead]
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

/// A queue as it is made, and what leads to it.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a ShortString,
    pub(super) exchange: &'a ShortString,
    /// Empty where the exchange heeds none.
    pub(super) key: &'static str,
    arguments: FieldTable,
}

impl Wanted<'_> {
    /// Changes nothing if it is there; then the answer says whether it is there like this.
    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare(self.name.clone(), durable, self.arguments.clone()).await.map(drop)
    }
}

/// Changes nothing if it is there; then the answer says whether it is of this kind.
pub(super) async fn declare_exchange(
    channel: &Channel,
    name: &ShortString,
    kind: ExchangeKind,
) -> lapin::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare(name.clone(), kind, durable, FieldTable::default()).await
}

/// Whether it is there, of whatever kind.
pub(super) async fn find_exchange(channel: &Channel, name: &ShortString) -> lapin::Result<()> {
    let passive = ExchangeDeclareOptions { passive: true, ..Default::default() };
    let none = FieldTable::default();
    channel.exchange_declare(name.clone(), ExchangeKind::Direct, passive, none).await
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
