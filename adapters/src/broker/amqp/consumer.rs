//! Receives from one queue on a connection of its own, and settles what was received.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{FieldTable, ShortString};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::failpoint;

use super::super::received::Verdict;
use super::link::{Link, LinkError, Session, Shared};
use super::stuck::Stuck;

/// The content of one message.
pub(in crate::broker) struct Message {
    pub(in crate::broker) raw: Vec<u8>,
    pub(in crate::broker) headers: FieldTable,
}

/// What arrived for one consumer.
pub(in crate::broker) struct Inbox {
    arrived: Mutex<mpsc::Receiver<(Message, Ticket)>>,
    pub(in crate::broker) stop: CancellationToken,
}

impl Inbox {
    pub(super) fn start(
        shared: &Arc<Shared>,
        name: &'static str,
        queue: ShortString,
        prefetch: u16,
    ) -> Self {
        // The broker sends no more than this, so the task below never waits for the reader.
        let (arrivals, arrived) = mpsc::channel(usize::from(prefetch));
        let stop = shared.closed.child_token();
        let task =
            Task { shared: Arc::clone(shared), queue, prefetch, arrivals, stop: stop.clone() };
        shared.tasks.spawn(task.run(Link::new(shared, name)));
        Self { arrived: Mutex::new(arrived), stop }
    }

    pub(in crate::broker) async fn next(&self) -> Option<(Message, Ticket)> {
        loop {
            let (message, ticket) = self.arrived.lock().await.recv().await?;
            // What came over a connection that is gone comes again over the next one.
            if ticket.is_usable() {
                return Some((message, ticket));
            }
        }
    }
}

/// The right to settle one message. It keeps the connection open, which settling needs.
pub(in crate::broker) struct Ticket {
    acker: Option<Acker>,
    session: Arc<Session>,
    timeout: Duration,
}

impl Ticket {
    fn is_usable(&self) -> bool {
        self.acker.as_ref().is_some_and(Acker::usable) && self.session.is_up()
    }

    pub(in crate::broker) async fn settle(mut self, verdict: Verdict) -> bool {
        let Some(acker) = self.acker.take() else { return false };
        let settled = settle(&acker, verdict, self.timeout).await;
        if failpoint::reach("consumer.settled").await {
            // What is not in hand cannot be acknowledged, nor twice: the broker closes the channel.
            let _ = self.session.channel.basic_ack(u64::MAX, BasicAckOptions::default()).await;
        }
        settled
    }
}

async fn settle(acker: &Acker, verdict: Verdict, limit: Duration) -> bool {
    let settled = async {
        match verdict {
            Verdict::Ack => acker.ack(BasicAckOptions::default()).await,
            Verdict::HandBack => acker.reject(BasicRejectOptions { requeue: true }).await,
            Verdict::DeadLetter => acker.reject(BasicRejectOptions { requeue: false }).await,
        }
    };
    // `Ok(false)` is no error to the library, but nothing was sent then.
    matches!(timeout(limit, settled).await, Ok(Ok(true)))
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(acker) = self.acker.take().filter(Acker::usable) else { return };
        // Without a runtime the message comes back when the connection ends.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (session, limit) = (Arc::clone(&self.session), self.timeout);
        runtime.spawn(async move {
            settle(&acker, Verdict::HandBack, limit).await;
            drop(session);
        });
    }
}

struct Task {
    shared: Arc<Shared>,
    queue: ShortString,
    prefetch: u16,
    arrivals: mpsc::Sender<(Message, Ticket)>,
    stop: CancellationToken,
}

impl Task {
    async fn run(self, mut link: Link) {
        let mut stuck = Stuck::default();
        while let Some(session) = link.session(&self.stop).await {
            let ended = self.consume(&session, &mut stuck).await;
            if self.stop.is_cancelled() {
                // The messages in hand keep the connection open until they are settled.
                return;
            }
            if let Err(error) = ended {
                let topology = self.shared.names.topology;
                LinkError::of_use(error, topology).log(self.queue.as_str(), "a consumer failed");
            }
            link.lost(session);
        }
    }

    /// Receives until the session fails, the broker ends it, or `stop` is asked.
    async fn consume(&self, session: &Arc<Session>, stuck: &mut Stuck) -> lapin::Result<()> {
        let channel = &session.channel;
        let start = async {
            channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
            let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
            channel.basic_consume(self.queue.clone(), tag, options, FieldTable::default()).await
        };
        let Ok(consumer) = timeout(self.shared.confirm_timeout, start).await else {
            tokio::select! {
                () = stuck.no_answer(session, &self.queue) => {}
                () = self.stop.cancelled() => {}
            }
            return Ok(());
        };
        stuck.answered();
        let mut consumer = consumer?;
        loop {
            let delivery = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = session.lost() => return Ok(()),
                delivery = consumer.next() => delivery,
            };
            // The end of the stream is the broker's doing, for instance a deleted queue.
            let Some(delivery) = delivery else { return Ok(()) };
            self.pass_on(delivery?, session).await;
        }
        let drain = async {
            channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
            while let Some(delivery) = consumer.next().await {
                self.pass_on(delivery?, session).await;
            }
            Ok(())
        };
        timeout(self.shared.confirm_timeout, drain).await.unwrap_or(Ok(()))
    }

    async fn pass_on(&self, delivery: Delivery, session: &Arc<Session>) {
        let headers = delivery.properties.headers().clone().unwrap_or_default();
        let message = Message { raw: delivery.data, headers };
        let ticket = Ticket {
            acker: Some(delivery.acker),
            session: Arc::clone(session),
            timeout: self.shared.confirm_timeout,
        };
        tokio::select! {
            biased;
            // A reader that is gone drops the ticket, which hands the message back.
            _ = self.arrivals.send((message, ticket)) => {}
            () = self.shared.closed.cancelled() => {}
        }
    }
}
