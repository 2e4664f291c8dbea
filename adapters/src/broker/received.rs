//! What a consumer yields and the ways to settle it, the same for both kinds of broker.

use domain::Job;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{amqp, memory};
use crate::trace::TraceContext;

/// What a message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A job to be done.
    Job(Job),
    /// Nothing this release understands; it belongs to the dead letters.
    Malformed {
        /// Why, for the log.
        reason: String,
    },
}

impl Payload {
    fn read(raw: &[u8]) -> Self {
        match Job::decode(raw) {
            Ok(job) => Self::Job(job),
            Err(error) => Self::Malformed { reason: error.to_string() },
        }
    }
}

/// How a message is settled.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Ack,
    HandBack,
    DeadLetter,
}

/// The right to settle one message, once; dropping it hands the message back.
enum Ticket {
    Memory(memory::Ticket),
    Amqp(amqp::Ticket),
}

impl Ticket {
    async fn settle(self, verdict: Verdict) -> bool {
        match self {
            Self::Memory(ticket) => ticket.settle(verdict),
            Self::Amqp(ticket) => ticket.settle(verdict).await,
        }
    }
}

/// One message in hand. Dropping it unsettled lets it come again.
#[must_use = "dropping a message hands it back"]
pub struct Received {
    /// What it asks for.
    pub payload: Payload,
    /// Where in a trace it belongs, if it does.
    pub trace: Option<TraceContext>,
    raw: Vec<u8>,
    ticket: Ticket,
}

impl Received {
    fn new(raw: Vec<u8>, trace: Option<TraceContext>, ticket: Ticket) -> Self {
        Self { payload: Payload::read(&raw), trace, raw, ticket }
    }

    /// The message as it came.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// It is done; false: that did not reach the broker, so it will come again.
    pub async fn ack(self) -> bool {
        self.ticket.settle(Verdict::Ack).await
    }

    /// Somebody else shall do it; counts towards the delivery limit.
    pub async fn hand_back(self) -> bool {
        self.ticket.settle(Verdict::HandBack).await
    }

    /// Nobody can do it.
    pub async fn dead_letter(self) -> bool {
        self.ticket.settle(Verdict::DeadLetter).await
    }
}

/// A message that nobody could process. Dropping it unsettled lets it come again.
#[must_use = "dropping a dead letter hands it back"]
pub struct DeadReceived {
    /// The message as it was published.
    pub raw: Vec<u8>,
    /// Why it died, in the broker's words: `rejected`, `delivery_limit`, ….
    pub reason: String,
    /// The broker's account of it.
    pub headers: serde_json::Value,
    ticket: Ticket,
}

impl DeadReceived {
    /// It is kept elsewhere now; false: it will come again.
    pub async fn ack(self) -> bool {
        self.ticket.settle(Verdict::Ack).await
    }
}

enum Source {
    Memory(memory::Inbox),
    Amqp(amqp::Inbox),
}

/// A stream of jobs that outlives every loss of the connection.
pub struct Consumer {
    source: Source,
    stop: CancellationToken,
    // A consumer nobody holds must not keep messages from the others.
    _guard: DropGuard,
}

impl Consumer {
    pub(super) fn memory(inbox: memory::Inbox) -> Self {
        let stop = inbox.stop.clone();
        Self { source: Source::Memory(inbox), _guard: stop.clone().drop_guard(), stop }
    }

    pub(super) fn amqp(inbox: amqp::Inbox) -> Self {
        let stop = inbox.stop.clone();
        Self { source: Source::Amqp(inbox), _guard: stop.clone().drop_guard(), stop }
    }

    /// The next job; `None` only after [`Consumer::stop`] or [`super::Broker::close`].
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&self) -> Option<Received> {
        match &self.source {
            Source::Memory(inbox) => inbox.next().await.map(|ticket| {
                Received::new(ticket.raw().to_vec(), ticket.trace(), Ticket::Memory(ticket))
            }),
            Source::Amqp(inbox) => inbox.next().await.map(|(message, ticket)| {
                let trace = amqp::headers::trace(&message.headers);
                Received::new(message.raw, trace, Ticket::Amqp(ticket))
            }),
        }
    }

    /// Asks for no more; what was already received still comes and can still be settled.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// A stream of dead letters that outlives every loss of the connection.
pub struct DeadLetters(Consumer);

impl DeadLetters {
    pub(super) fn memory(inbox: memory::Inbox) -> Self {
        Self(Consumer::memory(inbox))
    }

    pub(super) fn amqp(inbox: amqp::Inbox) -> Self {
        Self(Consumer::amqp(inbox))
    }

    /// The next dead letter; `None` only after [`DeadLetters::stop`] or [`super::Broker::close`].
    pub async fn next(&self) -> Option<DeadReceived> {
        match &self.0.source {
            Source::Memory(inbox) => inbox.next().await.map(|ticket| DeadReceived {
                raw: ticket.raw().to_vec(),
                reason: ticket.reason().to_owned(),
                headers: serde_json::json!({ "x-first-death-reason": ticket.reason() }),
                ticket: Ticket::Memory(ticket),
            }),
            Source::Amqp(inbox) => inbox.next().await.map(|(message, ticket)| DeadReceived {
                reason: amqp::headers::death_reason(&message.headers),
                headers: amqp::headers::to_json(&message.headers),
                raw: message.raw,
                ticket: Ticket::Amqp(ticket),
            }),
        }
    }

    /// Asks for no more.
    pub fn stop(&self) {
        self.0.stop();
    }
}
