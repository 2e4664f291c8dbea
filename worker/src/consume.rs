//! Takes jobs from a queue of the broker, several at a time, and settles each when done.

use std::sync::Arc;
use std::time::Duration;

use adapters::broker::{Broker, Consumer, Payload, Queue, Received};
use adapters::trace::{Span, SpanKind, TraceContext};
use domain::Job;
use domain::job::JobV1;
use domain::retry::jittered;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::handle::{Handler, Verdict};
use crate::webhooks::WebhookHandler;

/// How long a job stays in hand that has to be handed back.
const REST: Duration = Duration::from_secs(5);
/// How long an attempt that was cut off has to write its report.
const FAREWELL: Duration = Duration::from_secs(5);

/// Whatever a job may ask for; the queue that it came from says nothing.
pub struct Jobs {
    /// Sends mails.
    pub mails: Handler,
    /// Tells endpoints of events.
    pub webhooks: WebhookHandler,
}

/// The consuming side of a worker, for one queue.
pub struct Consume {
    /// Does the work.
    pub jobs: Arc<Jobs>,
    /// Where it comes from.
    pub queue: Queue,
    /// How many jobs are in hand at the same time.
    pub prefetch: u16,
    /// How long work that was begun may take once the worker stops.
    pub grace: Duration,
    /// Cancelled when no new work is to be begun.
    pub stopping: CancellationToken,
    /// Cancelled, by this, when work that was begun has had its time.
    pub overrun: CancellationToken,
}

impl Jobs {
    /// What the doing of a job is told as, if it is part of a trace.
    fn span(&self, job: Job, trace: Option<TraceContext>) -> Span {
        let Job::V1(job) = job;
        let (name, id) = match job {
            JobV1::Email { .. } => ("process email", "delivery.id"),
            JobV1::TestMail { .. } => ("process test mail", "test_mail.id"),
            JobV1::Webhook { .. } => ("process webhook", "webhook_delivery.id"),
        };
        let mut span = self.mails.store.tracer().follow(trace, name, SpanKind::Consumer);
        span.set(id, || job.subject().to_string());
        span.set("generation", || i64::from(job.generation()));
        span
    }

    async fn handle(&self, job: Job) -> Verdict {
        let Job::V1(job) = job;
        match job {
            JobV1::Email { delivery, generation } => self.mails.handle(delivery, generation).await,
            JobV1::TestMail { mail } => self.mails.handle_test(mail).await,
            JobV1::Webhook { delivery, generation } => {
                self.webhooks.handle(delivery, generation).await
            }
        }
    }
}

impl Consume {
    /// Works until `stopping`, then finishes what was begun.
    pub async fn run(self, broker: &Broker) {
        let consumer = broker.consumer(self.queue, self.prefetch);
        // A broker that comes back sends again what is still being done: it alone is no limit.
        let hands = Arc::new(Semaphore::new(usize::from(self.prefetch)));
        let mut running = JoinSet::new();
        while let Some((received, hand)) = self.next(&consumer, &hands).await {
            let job = InHand { jobs: Arc::clone(&self.jobs), stopping: self.stopping.clone() };
            running.spawn(async move {
                job.settle(received).await;
                drop(hand);
            });
            while running.try_join_next().is_some() {}
        }
        self.wind_down(&consumer, &mut running).await;
    }

    /// The next job and a hand for it; `None` once the worker is to stop.
    async fn next(
        &self,
        consumer: &Consumer,
        hands: &Arc<Semaphore>,
    ) -> Option<(Received, OwnedSemaphorePermit)> {
        let take = async {
            let hand = Arc::clone(hands).acquire_owned().await.ok()?;
            Some((consumer.next().await?, hand))
        };
        tokio::select! {
            biased;
            // A message that was about to be taken comes again: nothing is acknowledged yet.
            () = self.stopping.cancelled() => None,
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
        self.overrun.cancel();
        let report = async { while running.join_next().await.is_some() {} };
        // Whoever is later than this is cut off: the lease tells the others, the broker redelivers.
        let _ = timeout(FAREWELL, report).await;
        running.shutdown().await;
    }
}

/// A job that is being done.
struct InHand {
    jobs: Arc<Jobs>,
    stopping: CancellationToken,
}

impl InHand {
    /// Does it and tells the broker.
    async fn settle(self, received: Received) {
        let job = match &received.payload {
            Payload::Job(job) => *job,
            Payload::Malformed { reason } => {
                tracing::warn!(reason, "not a job that is known here; kept as a dead letter");
                received.dead_letter().await;
                return;
            }
        };
        let settled = match self.handle(job, received.trace).await {
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
    }

    /// In a task of its own, so that a bug that panics costs one job its turn and not the worker.
    async fn handle(&self, job: Job, trace: Option<TraceContext>) -> Verdict {
        let jobs = Arc::clone(&self.jobs);
        let mut span = self.jobs.span(job, trace);
        let task = tokio::spawn(span.within(async move { jobs.handle(job).await }));
        let verdict = AbortOnDropHandle::new(task).await.unwrap_or_else(|_| {
            tracing::error!(?job, "handling a job crashed; this is a bug");
            Verdict::HandBack
        });
        if verdict == Verdict::HandBack {
            span.fail("handed back");
        }
        verdict
    }

    /// Keeps a message that cannot be handled from going in circles at full speed.
    async fn rest(&self) {
        tokio::select! {
            () = sleep(jittered(REST, &mut adapters::rng())) => {}
            () = self.stopping.cancelled() => {}
        }
    }
}
