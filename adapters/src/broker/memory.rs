//! The broker for one process: bounded queues with the manners of the real ones.
//!
//! It forgets everything when the process ends; whoever starts the next one queues it again.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::OutboxId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::received::Verdict;
use super::{DELIVERY_LIMIT, Outgoing, Queue as JobQueue};
use crate::trace::TraceContext;

/// About 15 MB of messages; more wait in the database, where they are safe anyway.
const CAPACITY: usize = 100_000;
/// Dead letters are few and are stored one after the other.
const DEAD_PREFETCH: u16 = 10;

#[derive(Clone)]
pub(super) struct Memory {
    shared: Arc<Shared>,
}

struct Shared {
    queues: Mutex<Queues>,
    changed: Notify,
    closed: CancellationToken,
    capacity: usize,
}

#[derive(Default)]
struct Queues {
    emails: VecDeque<Message>,
    webhooks: VecDeque<Message>,
    dead: VecDeque<Message>,
    /// Counted with the rest, so that what comes back always has room.
    in_hand: usize,
}

struct Message {
    raw: Vec<u8>,
    trace: Option<TraceContext>,
    returns: u32,
    reason: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    Jobs(JobQueue),
    Dead,
}

impl Queues {
    fn of(&mut self, queue: Queue) -> &mut VecDeque<Message> {
        match queue {
            Queue::Jobs(JobQueue::Email) => &mut self.emails,
            Queue::Jobs(JobQueue::Webhook) => &mut self.webhooks,
            Queue::Dead => &mut self.dead,
        }
    }

    fn held(&self) -> usize {
        self.emails.len() + self.webhooks.len() + self.dead.len() + self.in_hand
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                queues: Mutex::default(),
                changed: Notify::new(),
                closed: CancellationToken::new(),
                capacity,
            }),
        }
    }

    /// Takes what fits and leaves the rest out of the answer, like a queue that rejects.
    pub(super) fn publish(&self, batch: &[Outgoing]) -> HashSet<OutboxId> {
        let push = |out: &&Outgoing| self.push(JobQueue::of(out.job), out.job.encode(), out.trace);
        batch.iter().filter(push).map(|out| out.id).collect()
    }

    fn push(&self, queue: JobQueue, raw: Vec<u8>, trace: Option<TraceContext>) -> bool {
        let mut queues = self.shared.lock();
        if queues.held() >= self.shared.capacity || self.shared.closed.is_cancelled() {
            return false;
        }
        let message = Message { raw, trace, returns: 0, reason: "" };
        queues.of(Queue::Jobs(queue)).push_back(message);
        drop(queues);
        self.shared.changed.notify_waiters();
        true
    }

    pub(super) fn jobs(&self, queue: JobQueue, prefetch: u16) -> Inbox {
        self.inbox(Queue::Jobs(queue), prefetch)
    }

    pub(super) fn dead(&self) -> Inbox {
        self.inbox(Queue::Dead, DEAD_PREFETCH)
    }

    fn inbox(&self, queue: Queue, prefetch: u16) -> Inbox {
        Inbox {
            shared: Arc::clone(&self.shared),
            queue,
            window: Arc::new(Semaphore::new(usize::from(prefetch))),
            stop: self.shared.closed.child_token(),
        }
    }

    pub(super) fn waiting(&self, queue: JobQueue) -> u64 {
        self.shared.lock().of(Queue::Jobs(queue)).len() as u64
    }

    pub(super) fn is_open(&self) -> bool {
        !self.shared.closed.is_cancelled()
    }

    pub(super) fn close(&self) {
        self.shared.closed.cancel();
    }
}

impl Shared {
    /// No code panics while it holds this, and the queues are whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, queue: Queue) -> Option<Message> {
        let mut queues = self.lock();
        let message = queues.of(queue).pop_front()?;
        queues.in_hand += 1;
        Some(message)
    }
}

/// One consumer's view of a queue.
pub(super) struct Inbox {
    shared: Arc<Shared>,
    queue: Queue,
    window: Arc<Semaphore>,
    pub(super) stop: CancellationToken,
}

impl Inbox {
    pub(super) async fn next(&self) -> Option<Ticket> {
        let permit = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            permit = Arc::clone(&self.window).acquire_owned() => permit.ok()?,
        };
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            // Listening starts before looking, or a message in between would go unnoticed.
            changed.as_mut().enable();
            if self.stop.is_cancelled() {
                return None;
            }
            if let Some(message) = self.shared.take(self.queue) {
                let shared = Arc::clone(&self.shared);
                let queue = self.queue;
                return Some(Ticket { message: Some(message), shared, queue, _permit: permit });
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = changed => {}
            }
        }
    }
}

/// A message in hand; goes back into its queue when dropped.
pub(super) struct Ticket {
    message: Option<Message>,
    shared: Arc<Shared>,
    queue: Queue,
    _permit: OwnedSemaphorePermit,
}

impl Ticket {
    pub(super) fn raw(&self) -> &[u8] {
        self.message.as_ref().map_or(&[], |message| &message.raw)
    }

    pub(super) fn trace(&self) -> Option<TraceContext> {
        self.message.as_ref().and_then(|message| message.trace)
    }

    pub(super) fn reason(&self) -> &'static str {
        self.message.as_ref().map_or("", |message| message.reason)
    }

    pub(super) fn settle(mut self, verdict: Verdict) -> bool {
        // After closing nobody could see the difference, as with a connection that is gone.
        let open = !self.shared.closed.is_cancelled();
        self.finish(verdict);
        open
    }

    fn finish(&mut self, verdict: Verdict) {
        let Some(mut message) = self.message.take() else { return };
        let mut queues = self.shared.lock();
        queues.in_hand -= 1;
        match (verdict, self.queue) {
            (Verdict::Ack, _) => return,
            (Verdict::DeadLetter, Queue::Jobs(_)) => {
                message.reason = "rejected";
                queues.dead.push_back(message);
            }
            (Verdict::HandBack, queue @ Queue::Jobs(_)) => {
                message.returns += 1;
                if message.returns > DELIVERY_LIMIT {
                    message.reason = "delivery_limit";
                    queues.dead.push_back(message);
                } else {
                    queues.of(queue).push_front(message);
                }
            }
            (Verdict::HandBack | Verdict::DeadLetter, Queue::Dead) => {
                queues.dead.push_front(message);
            }
        }
        drop(queues);
        self.shared.changed.notify_waiters();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.finish(Verdict::HandBack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_is_left_out_until_something_is_settled() {
        let memory = Memory::with_capacity(2);
        assert_eq!(
            [true, true, false],
            [(); 3].map(|()| memory.push(JobQueue::Email, b"{}".to_vec(), None))
        );
        let inbox = memory.jobs(JobQueue::Email, 1);
        let ticket = inbox.next().await.unwrap();
        assert!(
            !memory.push(JobQueue::Email, b"{}".to_vec(), None),
            "a message in hand still takes its place"
        );
        assert!(ticket.settle(Verdict::Ack));
        assert!(memory.push(JobQueue::Email, b"{}".to_vec(), None));
    }

    #[tokio::test]
    async fn what_is_no_job_arrives_as_malformed() {
        let memory = Memory::new();
        assert!(memory.push(JobQueue::Email, b"not a job".to_vec(), None));
        let consumer = super::super::Consumer::memory(memory.jobs(JobQueue::Email, 1));
        let received = consumer.next().await.unwrap();
        assert!(matches!(received.payload, super::super::Payload::Malformed { .. }));
        assert_eq!(received.raw(), b"not a job");
    }
}
