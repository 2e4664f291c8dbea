//! Takes in what the broker gave up: into a table, where people see it and can send it again.

use std::time::Duration;

use adapters::broker::{Broker, DeadReceived};
use adapters::store::{Store, StoreError};
use domain::{DeliveryId, Job};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::patience::Patience;

/// How long one dead letter is held while the database is away; then the broker has it again.
const PATIENCE: Duration = Duration::from_mins(15);
/// How long one that cannot be kept is left alone.
const REST: Duration = Duration::from_secs(30);

/// Takes in dead letters until `stopping`.
pub async fn run(broker: &Broker, store: &Store, stopping: &CancellationToken) {
    let letters = broker.dead_letters();
    loop {
        let letter = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            letter = letters.next() => letter,
        };
        let Some(letter) = letter else { return };
        match keep(store, &letter, stopping).await {
            // Only now: what is acknowledged is gone from the broker.
            Ok(()) => {
                tracing::warn!(
                    reason = letter.reason,
                    "a message was given up; it can be redriven"
                );
                letter.ack().await;
            }
            Err(error) => {
                tracing::error!(%error, "cannot keep a dead letter; it comes again");
                // Held meanwhile: dropped, it would be back at once.
                tokio::select! {
                    () = sleep(REST) => {}
                    () = stopping.cancelled() => {}
                }
            }
        }
    }
}

async fn keep(
    store: &Store,
    letter: &DeadReceived,
    stopping: &CancellationToken,
) -> Result<(), StoreError> {
    let until = Instant::now() + PATIENCE;
    let delivery = delivery_in(&letter.raw);
    Patience { until, unless: stopping }
        .with("keep dead letter", || async {
            let headers = letter.headers.clone();
            store.keep_dead_letter(&letter.raw, &letter.reason, headers, delivery).await?;
            Ok(())
        })
        .await
}

/// The delivery that the message was about, if it can be read at all.
fn delivery_in(raw: &[u8]) -> Option<DeliveryId> {
    let Job::V1(job) = Job::decode(raw).ok()?;
    Some(DeliveryId::from_uuid(job.subject()))
}

#[cfg(test)]
mod tests {
    use domain::job::JobV1;

    use super::*;

    #[test]
    fn a_readable_message_names_its_delivery() {
        let delivery = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let job = Job::V1(JobV1::Email { delivery, generation: 1 });
        assert_eq!(delivery_in(&job.encode()), Some(delivery));
        assert_eq!(delivery_in(b"{}"), None);
    }
}
