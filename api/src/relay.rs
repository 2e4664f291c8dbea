//! Takes due outbox rows to the broker, for ever.
//!
//! claim (commits) → publish (no transaction is open) → settle. Dying anywhere in between costs
//! nothing but time: the rows become due again when their lock runs out, and a job that is
//! published twice is claimed once.

use std::time::Duration;

use adapters::broker::{Broker, Outgoing};
use adapters::failpoint;
use adapters::settings::RelaySettings;
use adapters::store::{OutboxEntry, Store, StoreError};
use domain::OutboxId;
use domain::retry::jittered;
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Tries to note what was published before the lock is left to run out.
const SETTLE_TRIES: u32 = 3;

/// How a round went.
enum Round {
    /// As many rows as fit: there may be more.
    Full,
    /// Some rows.
    Some,
    /// No row was due.
    Idle,
    /// The broker took nothing.
    Refused,
}

/// Relays until `stop`; a round that has begun is finished.
pub async fn run(store: Store, broker: Broker, settings: RelaySettings, stop: CancellationToken) {
    let wake = store.outbox_wake();
    let mut failures = 0;
    while !stop.is_cancelled() {
        // Before the round, so that a row committed during it is not slept over.
        let woken = wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let pause = match round(&store, &broker, &settings).await {
            Ok(Round::Full) => {
                failures = 0;
                continue;
            }
            Ok(Round::Some) => {
                failures = 0;
                settings.busy_poll
            }
            Ok(Round::Idle) => {
                failures = 0;
                settings.idle_poll
            }
            Ok(Round::Refused) => {
                failures += 1;
                back_off(failures)
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, failures, "the relay cannot read the outbox");
                back_off(failures)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            // While something is broken, new rows are no reason to try faster.
            () = &mut woken, if failures == 0 => {}
        }
    }
}

async fn round(
    store: &Store,
    broker: &Broker,
    settings: &RelaySettings,
) -> Result<Round, StoreError> {
    let claimed = store.claim_outbox(settings.batch, settings.lock).await?;
    let Some(first) = claimed.first() else { return Ok(Round::Idle) };
    let lock = first.lock;
    let outgoing: Vec<Outgoing> =
        claimed.iter().map(|entry| Outgoing { id: entry.id, job: entry.job }).collect();
    failpoint::reach("relay.claimed").await;
    let safe = broker.publish(&outgoing).await;
    if !safe.is_empty() {
        failpoint::reach("relay.confirmed").await;
    }
    let (published, unpublished): (Vec<OutboxId>, Vec<OutboxId>) =
        claimed.iter().map(|entry: &OutboxEntry| entry.id).partition(|id| safe.contains(id));
    let mut tries = 1;
    while let Err(error) = store.settle_outbox(lock, &published, &unpublished).await {
        if tries == SETTLE_TRIES {
            return Err(error);
        }
        tokio::time::sleep(back_off(tries)).await;
        tries += 1;
    }
    let full = u64::try_from(claimed.len()).unwrap_or(u64::MAX) >= settings.batch;
    tracing::debug!(published = published.len(), unpublished = unpublished.len(), "relayed");
    Ok(if published.is_empty() {
        tracing::warn!(unpublished = unpublished.len(), "the broker takes no jobs at present");
        Round::Refused
    } else if full {
        Round::Full
    } else {
        Round::Some
    })
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
