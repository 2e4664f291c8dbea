//! Takes due outbox rows to the broker, for ever.
//!
//! claim (commits) → publish (no transaction is open) → settle. Dying anywhere in between costs
//! nothing but time: the rows become due again when their lock runs out, and a job that is
//! published twice is claimed once.
//!
//! A broker's queue lets nobody overtake. So of those who are invited with many others, only some are
//! published at a time; the rest waits in the outbox, where whoever is invited alone goes first.

use std::time::Duration;

use adapters::broker::{Broker, Outgoing, Queue};
use adapters::failpoint;
use adapters::settings::RelaySettings;
use adapters::store::{OutboxEntry, Outlet, Rank, Store, StoreError};
use adapters::trace::{Span, SpanKind};
use domain::job::JobV1;
use domain::retry::jittered;
use domain::{Job, OutboxId};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Tries to note what was published before the lock is left to run out.
const SETTLE_TRIES: u32 = 3;

/// So many rows handed over at once are a sign of more to come, which wait [`GATHER`]: a window twice as
/// large costs the broker, the database and the workers hardly more. Fewer wait for nothing.
const MANY: usize = 16;
const GATHER: Duration = Duration::from_millis(25);

/// How long an answer of the broker takes that is not late.
const PROMPT: Duration = Duration::from_millis(10);

/// How soon to look whether workers have taken what others wait behind.
const ROOM_POLL: Duration = Duration::from_millis(50);

/// How a round went.
enum Round {
    /// There was nothing to publish, or some of it is published.
    Well,
    /// The broker took nothing.
    Refused,
}

/// Relays until `stop`; a round that has begun is finished, and so is what was handed over. While more than
/// `mails_ahead` wait for a worker, mails that give way are left where they are.
pub async fn run(
    store: Store,
    broker: Broker,
    settings: RelaySettings,
    mails_ahead: u64,
    stop: CancellationToken,
) {
    let outlet = store.outlet();
    let look_at = Instant::now();
    let mut relay = Relay {
        store,
        broker,
        settings,
        mails_ahead,
        crowded: false,
        asked: None,
        look_at,
        take_at: Instant::now(),
    };
    let mut failures = 0;
    while !stop.is_cancelled() {
        // Before the round, so that a row committed during it is not slept over.
        let woken = outlet.woken();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let until = match relay.round(&outlet).await {
            Ok(Round::Refused) => {
                failures += 1;
                Instant::now() + back_off(failures)
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, failures, "the relay cannot read the outbox");
                Instant::now() + back_off(failures)
            }
            Ok(Round::Well) => {
                failures = 0;
                relay.look_at
            }
        };
        if failures == 0 {
            outlet.open(relay.settings.lock);
        } else {
            // Whoever has a broker may claim what is written from now on.
            outlet.close();
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep_until(until) => {}
            // While something is broken, new rows are no reason to try faster.
            () = &mut woken, if failures == 0 => {}
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep_until(relay.take_at) => {}
        }
    }
    outlet.close();
    if let Err(error) = relay.publish(outlet.take()).await {
        tracing::warn!(%error, "the last rows are left to another relay");
    }
}

struct Relay {
    store: Store,
    broker: Broker,
    settings: RelaySettings,
    mails_ahead: u64,
    /// Whether more may give way than there is room for.
    crowded: bool,
    /// How many wait for a worker, once the broker has answered.
    asked: Option<AbortOnDropHandle<Option<u64>>>,
    /// When to look for rows that nobody has handed over.
    look_at: Instant,
    /// When to take rows that were handed over, at the earliest.
    take_at: Instant,
}

impl Relay {
    /// Publishes what was handed over, and from time to time what else is due. The first waits for no
    /// look: however long it takes, and however soon the next is due.
    async fn round(&mut self, outlet: &Outlet) -> Result<Round, StoreError> {
        let handed_over = outlet.take();
        if handed_over.len() >= MANY {
            self.take_at = Instant::now() + GATHER;
        }
        let Round::Well = self.publish(handed_over).await? else { return Ok(Round::Refused) };
        if outlet.is_to_look() {
            self.look_at = Instant::now();
        }
        if self.look_at > Instant::now() {
            return Ok(Round::Well);
        }
        let RelaySettings { batch, lock, idle_poll, busy_poll } = self.settings;
        let claimed = self.store.claim_outbox(Rank::First, batch, lock).await?;
        let first = count(&claimed);
        let Round::Well = self.publish(claimed).await? else { return Ok(Round::Refused) };
        let claimed = self.claim_those_that_give_way(batch - first.min(batch)).await?;
        self.look_at = Instant::now()
            + match first + count(&claimed) {
                count if count >= batch => Duration::ZERO,
                _ if self.crowded => ROOM_POLL,
                0 => idle_poll,
                _ => busy_poll,
            };
        self.publish(claimed).await
    }

    /// As many as there is room for.
    async fn claim_those_that_give_way(
        &mut self,
        most: u64,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let room = self.room().await.min(most);
        if room == 0 {
            return Ok(Vec::new());
        }
        let claimed = self.store.claim_outbox(Rank::GivesWay, room, self.settings.lock).await?;
        self.crowded = count(&claimed) == room;
        Ok(claimed)
    }

    /// How many more may wait for a worker. The broker is asked only if there were more than that the last
    /// time; while its answer is late there is no room, and nobody else waits for it.
    async fn room(&mut self) -> u64 {
        if !self.crowded {
            return self.mails_ahead;
        }
        let broker = &self.broker;
        let asked = self.asked.get_or_insert_with(|| {
            let broker = broker.clone();
            AbortOnDropHandle::new(tokio::spawn(async move { broker.waiting(Queue::Email).await }))
        });
        let Ok(answer) = timeout(PROMPT, asked).await else { return 0 };
        self.asked = None;
        self.mails_ahead.saturating_sub(answer.ok().flatten().unwrap_or_default())
    }

    /// What is to be published, and a span for each job that is part of a trace: all are as long as
    /// the batch, which is what each waits for.
    fn outgoing(&self, locked: &[OutboxEntry]) -> (Vec<Outgoing>, Vec<(OutboxId, Span)>) {
        let mut spans = Vec::new();
        let outgoing = locked.iter().map(|&OutboxEntry { id, job, trace, .. }| {
            let mut outgoing = Outgoing { id, job, trace };
            let mut span = self.store.tracer().follow(trace, publish(job), SpanKind::Producer);
            if let Some(context) = span.context() {
                outgoing.trace = Some(context);
                let size = i64::try_from(locked.len()).unwrap_or(i64::MAX);
                span.set("messaging.batch.message_count", || size);
                spans.push((id, span));
            }
            outgoing
        });
        (outgoing.collect(), spans)
    }

    async fn publish(&self, locked: Vec<OutboxEntry>) -> Result<Round, StoreError> {
        if locked.is_empty() {
            return Ok(Round::Well);
        }
        let (outgoing, spans) = self.outgoing(&locked);
        failpoint::reach("relay.claimed").await;
        let since = Instant::now();
        let safe = self.broker.publish(&outgoing).await;
        for (id, mut span) in spans {
            if !safe.contains(&id) {
                span.fail("unconfirmed");
            }
        }
        let unconfirmed = locked.len() - safe.len();
        self.store.metrics().published(safe.len(), unconfirmed, since.elapsed());
        if !safe.is_empty() {
            failpoint::reach("relay.confirmed").await;
        }
        let (published, unpublished): (Vec<_>, Vec<_>) =
            locked.into_iter().partition(|entry| safe.contains(&entry.id));
        let mut tries = 1;
        while let Err(error) = self.store.settle_outbox(&published, &unpublished).await {
            if tries == SETTLE_TRIES {
                return Err(error);
            }
            tokio::time::sleep(back_off(tries)).await;
            tries += 1;
        }
        tracing::debug!(published = published.len(), unpublished = unpublished.len(), "relayed");
        if published.is_empty() {
            tracing::warn!(unpublished = unpublished.len(), "the broker takes no jobs at present");
            return Ok(Round::Refused);
        }
        Ok(Round::Well)
    }
}

fn count(entries: &[OutboxEntry]) -> u64 {
    entries.len().try_into().unwrap_or(u64::MAX)
}

const fn publish(job: Job) -> &'static str {
    match job {
        Job::V1(JobV1::Email { .. }) => "publish email",
        Job::V1(JobV1::TestMail { .. }) => "publish test mail",
        Job::V1(JobV1::Webhook { .. }) => "publish webhook",
    }
}

/// Doubles from a quarter of a second to ten seconds.
fn back_off(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE * 2_u32.saturating_pow(failures.saturating_sub(1).min(10));
    jittered(doubled.min(LONGEST_PAUSE), &mut adapters::rng())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert!(back_off(1) <= Duration::from_millis(300));
        for failures in [7, 100, u32::MAX] {
            let pause = back_off(failures);
            assert!(pause >= Duration::from_secs(8) && pause <= Duration::from_secs(12));
        }
    }
}
