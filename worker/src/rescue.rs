//! Finds what got lost: attempts whose worker died, and jobs that the broker no longer has.

use std::time::Duration;

use adapters::store::{Store, StoreError};
use domain::retry::jittered;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;

/// How often, and what counts as lost.
#[derive(Debug, Clone, Copy)]
pub struct Rescue {
    /// The pause between two looks.
    pub interval: Duration,
    /// The pause before a mail is repeated that may have arrived.
    pub uncertain_pause: Duration,
    /// How long a job may be under way before it counts as lost.
    pub requeue_after: Duration,
}

impl Rescue {
    /// Looks again and again until `stopping`; an error is a reason to look again later.
    pub async fn run(self, store: &Store, gate: &Gate, stopping: &CancellationToken) {
        let mut failing = false;
        while !stopping.is_cancelled() {
            gate.forget_if_stale();
            let result = self.look(store).await;
            // Once for a row of failures: the reason is the same until it is over.
            match &result {
                Ok(()) if failing => tracing::info!("lost deliveries are looked for again"),
                Err(error) if !failing => tracing::warn!(%error, "cannot look for lost deliveries"),
                _ => {}
            }
            failing = result.is_err();
            tokio::select! {
                // Workers that were started together do not stay in step.
                () = sleep(jittered(self.interval, &mut adapters::rng())) => {}
                () = stopping.cancelled() => {}
            }
        }
    }

    async fn look(&self, store: &Store) -> Result<(), StoreError> {
        // The answer also sets the clock: what is due and what is over is the database's to say.
        store.ping().await?;
        let rescued = store.rescue(self.uncertain_pause).await?;
        let requeued = store.requeue_lost(self.requeue_after).await?;
        if rescued + requeued > 0 {
            tracing::warn!(rescued, requeued, "deliveries were stuck and go on");
        }
        let rescued = store.rescue_webhooks().await?;
        let requeued = store.requeue_lost_webhooks(self.requeue_after).await?;
        if rescued + requeued > 0 {
            tracing::warn!(rescued, requeued, "webhook deliveries were stuck and go on");
        }
        Ok(())
    }
}
