//! The broker: carries jobs from the relay to the workers, and events to other services, at least once,
//! over AMQP or in memory.
//!
//! Nothing here is the truth about a delivery; the database is. A message that is lost or
//! repeated costs latency, so every doubt is answered with "not published" or "not settled".

mod amqp;
mod memory;
mod received;

use std::collections::HashSet;
use std::path::PathBuf;

use domain::job::JobV1;
use domain::{EventId, Job, OutboxId};

use crate::settings::BrokerSettings;
use crate::trace::TraceContext;

pub use received::{Consumer, DeadLetters, DeadReceived, Payload, Received};

/// How often a message may come back before it becomes a dead letter.
const DELIVERY_LIMIT: u32 = 20;

/// Why there is no broker to talk to. An absent server is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address cannot be understood. It is left out of the text, for it may hold a password.
    #[error("broker.url must be `memory:` or an amqp:// or amqps:// address")]
    Url,
    /// The prefix cannot be part of a queue's name.
    #[error(
        "broker.prefix must be 1 to 100 letters, digits, dots, dashes or underscores and must not \
         start with `amq.`"
    )]
    Prefix,
    /// The `ca=` option of `broker.url`
    #[error("the file {path} that broker.url names with ca= cannot be used: {why}")]
    Authority {
        /// As configured.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Connections live in background tasks, and there is nowhere to run them.
    #[error("the broker needs a running tokio runtime")]
    NoRuntime,
}

/// One job on its way to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// The outbox row that asks for it; becomes the message id.
    pub id: OutboxId,
    /// What is to be done.
    pub job: Job,
    /// Where in a trace it belongs, if it does; travels as the header `traceparent`.
    pub trace: Option<TraceContext>,
}

/// One event on its way to whoever listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Names it; becomes the message id.
    pub id: EventId,
    /// Its type: the routing key.
    pub event_type: String,
    /// The `CloudEvent`, in JSON.
    pub body: Vec<u8>,
}

/// What was found at the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerReport {
    /// Product and version, if it says so.
    pub version: Option<String>,
    /// Those of the jobs, and that of the dead letters.
    pub queues: Vec<QueueReport>,
    /// What becomes of a job that is published.
    pub publishing: Publishing,
}

/// What a broker does with a job that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// It says that it has it.
    Confirmed,
    /// It says nothing: an alarm blocks whoever publishes.
    Unanswered,
    /// It refuses it, for this log-in may not: right for a worker, which only fetches.
    Forbidden,
}

/// A queue, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueReport {
    /// What it is called.
    pub name: String,
    /// How many messages are in it and how many consumers wait for them; or why that cannot be told.
    pub state: Result<(u32, u32), String>,
    /// Whether it was made as this program makes it.
    pub arguments: Arguments,
    /// Whether what is published for it gets there.
    pub binding: Binding,
}

/// How the arguments of a queue compare with those that this program gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// They are the same.
    Right,
    /// They differ; the broker's own words name the first one that does.
    Wrong(String),
    /// The broker tells only a log-in that may configure the queue.
    Hidden,
}

/// Whether the exchange knows of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// It does.
    There,
    /// It has no queue for such messages.
    Missing,
    /// Nothing but a message shows it, and none was published, for this reason.
    Hidden(&'static str),
}

/// What is in a queue, and who takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// Jobs that no worker has in hand.
    pub jobs: u32,
    /// Workers that wait for them.
    pub workers: u32,
}

/// What workers take jobs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// The mails.
    Email,
    /// The webhooks.
    Webhook,
}

impl Queue {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Email, Self::Webhook];

    /// What it is called in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    const fn of(job: Job) -> Self {
        match job {
            Job::V1(JobV1::Email { .. } | JobV1::TestMail { .. }) => Self::Email,
            Job::V1(JobV1::Webhook { .. }) => Self::Webhook,
        }
    }
}

/// A handle on the broker; clones share the connections.
#[derive(Clone)]
pub struct Broker(Backend);

#[derive(Clone)]
enum Backend {
    Memory(memory::Memory),
    Amqp(amqp::Amqp),
}

impl Broker {
    /// Starts connecting in the background, for ever; an absent server is no error.
    pub fn connect(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        if settings.url.trim_end_matches("//") == "memory:" {
            return Ok(Self(Backend::Memory(memory::Memory::new())));
        }
        amqp::Amqp::connect(settings).map(|amqp| Self(Backend::Amqp(amqp)))
    }

    /// Looks at the broker once; `None` for one in memory. The error says what it does not do.
    pub async fn examine(&self) -> Option<Result<BrokerReport, String>> {
        match &self.0 {
            Backend::Memory(_) => None,
            Backend::Amqp(amqp) => Some(amqp.examine().await),
        }
    }

    /// What is in a queue now: cheap, and `None` if the broker does not say so within a second, or keeps
    /// its jobs in this process.
    pub async fn depth(&self, queue: Queue) -> Option<QueueDepth> {
        match &self.0 {
            Backend::Memory(_) => None,
            Backend::Amqp(amqp) => amqp.depth(queue).await,
        }
    }

    /// How many jobs no worker has in hand; `None` if the broker does not say so within a second.
    pub async fn waiting(&self, queue: Queue) -> Option<u64> {
        match &self.0 {
            Backend::Memory(memory) => Some(memory.waiting(queue)),
            Backend::Amqp(amqp) => amqp.depth(queue).await.map(|depth| depth.jobs.into()),
        }
    }

    /// Whether it keeps its messages in memory: it began empty, whatever was published before.
    pub const fn is_forgetful(&self) -> bool {
        matches!(self.0, Backend::Memory(_))
    }

    /// Publishes a batch and says which of it the broker has safely.
    ///
    /// Bounded by the confirm timeout, also while the server is away. An id that is missing from
    /// the answer may still have arrived; publishing it again is right.
    pub async fn publish(&self, batch: &[Outgoing]) -> HashSet<OutboxId> {
        if batch.is_empty() {
            return HashSet::new();
        }
        match &self.0 {
            Backend::Memory(memory) => memory.publish(batch),
            Backend::Amqp(amqp) => amqp.publish(batch).await,
        }
    }

    /// Publishes events to the topic exchange and says which of them the broker has. Whether anybody
    /// listens makes no difference. Bounded and repeatable like [`Broker::publish`].
    ///
    /// The first call opens a connection of its own: an exchange that is missing holds up no mail.
    pub async fn announce(&self, batch: &[Announcement]) -> HashSet<EventId> {
        if batch.is_empty() {
            return HashSet::new();
        }
        match &self.0 {
            // Nobody outside of this process could listen.
            Backend::Memory(_) => batch.iter().map(|event| event.id).collect(),
            Backend::Amqp(amqp) => amqp.announce(batch).await,
        }
    }

    /// Starts to receive jobs, at most `prefetch` (0 counts as 1) unsettled at a time.
    pub fn consumer(&self, queue: Queue, prefetch: u16) -> Consumer {
        let prefetch = prefetch.max(1);
        match &self.0 {
            Backend::Memory(memory) => Consumer::memory(memory.jobs(queue, prefetch)),
            Backend::Amqp(amqp) => Consumer::amqp(amqp.jobs(queue, prefetch)),
        }
    }

    /// Starts to receive what nobody could process.
    pub fn dead_letters(&self) -> DeadLetters {
        match &self.0 {
            Backend::Memory(memory) => DeadLetters::memory(memory.dead()),
            Backend::Amqp(amqp) => DeadLetters::amqp(amqp.dead()),
        }
    }

    /// Whether every connection in use is up now; for readiness only.
    pub fn is_connected(&self) -> bool {
        match &self.0 {
            Backend::Memory(memory) => memory.is_open(),
            Backend::Amqp(amqp) => amqp.is_connected(),
        }
    }

    /// Ends all consumers and connections; what is unsettled comes again elsewhere.
    pub async fn close(&self) {
        match &self.0 {
            Backend::Memory(memory) => memory.close(),
            Backend::Amqp(amqp) => amqp.close().await,
        }
    }
}

impl std::fmt::Debug for Broker {
    /// Names the kind only: the address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Backend::Memory(_) => "Broker(memory)",
            Backend::Amqp(_) => "Broker(amqp)",
        })
    }
}
