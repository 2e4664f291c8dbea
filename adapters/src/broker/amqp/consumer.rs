//! Receives from one queue on a connection of its own, and settles what was received.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{DeliveryTag, FieldTable, ShortString};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::failpoint;

use super::super::received::Verdict;
use super::acks::Acks;
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
    hold: Hold,
}

/// What settling a message needs beside its acker.
#[derive(Clone)]
struct Hold {
    tag: DeliveryTag,
    acks: Arc<Acks>,
    session: Arc<Session>,
    timeout: Duration,
}

impl Ticket {
    fn is_usable(&self) -> bool {
        self.acker.as_ref().is_some_and(Acker::usable) && self.hold.session.is_up()
    }

    pub(in crate::broker) async fn settle(mut self, verdict: Verdict) -> bool {
        let Some(acker) = self.acker.take() else { return false };
        let settled = self.hold.settle(acker, verdict).await;
        if failpoint::reach("consumer.settled").await {
            // What is not in hand cannot be acknowledged, nor twice: the broker closes the channel.
            let channel = &self.hold.session.channel;
            let _ = channel.basic_ack(u64::MAX, BasicAckOptions::default()).await;
        }
        settled
    }
}

impl Hold {
    async fn settle(&self, acker: Acker, verdict: Verdict) -> bool {
        let requeue = match verdict {
            Verdict::Ack => return self.acks.ack(self.tag, acker).await,
            Verdict::HandBack => true,
            Verdict::DeadLetter => false,
        };
        let rejected = timeout(self.timeout, acker.reject(BasicRejectOptions { requeue })).await;
        // `Ok(false)` is no error to the library, but nothing was sent then.
        let rejected = matches!(rejected, Ok(Ok(true)));
        if rejected {
            self.acks.is_back(self.tag);
        }
        rejected
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(acker) = self.acker.take().filter(Acker::usable) else { return };
        // Without a runtime the message comes back when the connection ends.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let hold = self.hold.clone();
        runtime.spawn(async move { hold.settle(acker, Verdict::HandBack).await });
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
        let acks = Acks::new(self.shared.confirm_timeout);
        loop {
            let delivery = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = session.lost() => return Ok(()),
                delivery = consumer.next() => delivery,
            };
            // The end of the stream is the broker's doing, for instance a deleted queue.
            let Some(delivery) = delivery else { return Ok(()) };
            self.pass_on(delivery?, session, &acks).await;
        }
        let drain = async {
            channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
            while let Some(delivery) = consumer.next().await {
                self.pass_on(delivery?, session, &acks).await;
            }
            Ok(())
        };
        timeout(self.shared.confirm_timeout, drain).await.unwrap_or(Ok(()))
    }

    async fn pass_on(&self, delivery: Delivery, session: &Arc<Session>, acks: &Arc<Acks>) {
        let tag = delivery.delivery_tag;
        acks.take(tag);
        let headers = delivery.properties.headers().clone().unwrap_or_default();
        let message = Message { raw: delivery.data, headers };
        let (acks, session) = (Arc::clone(acks), Arc::clone(session));
        let hold = Hold { tag, acks, session, timeout: self.shared.confirm_timeout };
        let ticket = Ticket { acker: Some(delivery.acker), hold };
        tokio::select! {
            biased;
            // A reader that is gone drops the ticket, which hands the message back.
            _ = self.arrivals.send((message, ticket)) => {}
            () = self.shared.closed.cancelled() => {}
        }
    }
}
