//! Takes jobs from the broker, as many at a time as there are slots, and settles each when done.

use std::sync::Arc;
use std::time::Duration;

use adapters::broker::{Broker, Consumer, Payload, Received};
use adapters::mailer::{Mailer, Slot};
use domain::Job;
use domain::retry::jittered;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::handle::{Handler, Verdict};

/// How long a slot rests after a message that it had to hand back.
const REST: Duration = Duration::from_secs(5);
/// How long an attempt that was cut off has to write its report.
const FAREWELL: Duration = Duration::from_secs(5);

/// The consuming side of a worker.
pub struct Consume {
    /// Does the work.
    pub handler: Arc<Handler>,
    /// Where slots come from.
    pub mailer: Mailer,
    /// How many there are.
    pub concurrency: usize,
    /// How many jobs the broker sends ahead.
    pub prefetch: u16,
    /// How long work that was begun may take once the worker stops.
    pub grace: Duration,
}

impl Consume {
    /// Works until the handler's `stopping`, then finishes what was begun.
    pub async fn run(self, broker: &Broker) {
        let consumer = broker.consumer(self.prefetch);
        let mut running = JoinSet::new();
        // An idle slot is the permission to take a job.
        let (home, mut idle) = mpsc::channel(self.concurrency);
        for _ in 0..self.concurrency {
            // There is room for each of them.
            let _ = home.try_send(self.mailer.slot());
        }
        while let Some((received, slot)) = self.next(&consumer, &mut idle).await {
            let worker =
                Slotted { handler: Arc::clone(&self.handler), mailer: self.mailer.clone() };
            let home = home.clone();
            running.spawn(async move {
                let slot = worker.settle(received, slot).await;
                // Fails only once nobody takes jobs any more.
                let _ = home.try_send(slot);
            });
            while running.try_join_next().is_some() {}
        }
        self.wind_down(&consumer, &mut running).await;
        drop(home);
        let mut closing = JoinSet::new();
        while let Ok(slot) = idle.try_recv() {
            closing.spawn(slot.close());
        }
        closing.join_all().await;
    }

    /// The next job and a slot for it; `None` once the worker is to stop.
    async fn next(
        &self,
        consumer: &Consumer,
        idle: &mut mpsc::Receiver<Slot>,
    ) -> Option<(Received, Slot)> {
        let take = async {
            let slot = idle.recv().await?;
            Some((consumer.next().await?, slot))
        };
        tokio::select! {
            biased;
            // A message that was about to be taken comes again: nothing is acknowledged yet.
            () = self.handler.stopping.cancelled() => None,
            taken = take => taken,
        }
    }

    async fn wind_down(&self, consumer: &Consumer, running: &mut JoinSet<()>) {
        consumer.stop();
        // Jobs that nobody has begun are for somebody else.
        let hand_back = async {
            while let Some(received) = consumer.next().await {
                received.hand_back().await;
            }
        };
        let finish = async { while running.join_next().await.is_some() {} };
        if timeout(self.grace, async { tokio::join!(hand_back, finish) }).await.is_ok() {
            return;
        }
        tracing::warn!(attempts = running.len(), "stopping attempts that take too long");
        self.handler.overrun.cancel();
        let report = async { while running.join_next().await.is_some() {} };
        // Whoever is later than this is cut off: the lease tells the others, the broker redelivers.
        let _ = timeout(FAREWELL, report).await;
        running.shutdown().await;
    }
}

/// What one running job needs.
struct Slotted {
    handler: Arc<Handler>,
    mailer: Mailer,
}

impl Slotted {
    /// Does one job and tells the broker; gives back a slot for the next one.
    async fn settle(self, received: Received, slot: Slot) -> Slot {
        let job = match &received.payload {
            Payload::Job(job) => *job,
            Payload::Malformed { reason } => {
                tracing::warn!(reason, "not a job that is known here; kept as a dead letter");
                received.dead_letter().await;
                return slot;
            }
        };
        let (verdict, slot) = self.handle(job, slot).await;
        let settled = match verdict {
            Verdict::Done => received.ack().await,
            Verdict::HandBack => {
                self.rest().await;
                received.hand_back().await
            }
        };
        if !settled {
            // It comes again, and finds nothing left to claim.
            tracing::debug!("the broker went away before a message was settled");
        }
        slot
    }

    /// In a task of its own, so that a bug that panics costs one job its turn and not the worker.
    async fn handle(&self, job: Job, mut slot: Slot) -> (Verdict, Slot) {
        let handler = Arc::clone(&self.handler);
        let task = tokio::spawn(async move { (handler.handle(job, &mut slot).await, slot) });
        AbortOnDropHandle::new(task).await.unwrap_or_else(|_| {
            tracing::error!(?job, "handling a job crashed; this is a bug");
            (Verdict::HandBack, self.mailer.slot())
        })
    }

    /// Keeps a message that cannot be handled from going in circles at full speed.
    async fn rest(&self) {
        tokio::select! {
            () = sleep(jittered(REST, &mut adapters::rng())) => {}
            () = self.handler.stopping.cancelled() => {}
        }
    }
}
