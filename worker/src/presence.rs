//! Says that this worker is there, and how many mails it can send at a time.

use std::time::Duration;

use adapters::settings::WorkerSettings;
use adapters::store::Store;
use domain::WorkerId;
use domain::retry::jittered;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Who misses one turn is still there.
const TURNS: u32 = 3;
/// How long a worker that ends waits to say so.
const LAST_WORD: Duration = Duration::from_secs(2);

/// What is said, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Presence {
    /// How many mails at a time.
    pub slots: usize,
    /// The pause between two times.
    pub interval: Duration,
}

impl Presence {
    /// As the settings want it; looking for what got lost is often enough.
    pub const fn new(settings: &WorkerSettings) -> Self {
        Self { slots: settings.concurrency, interval: settings.rescue_interval }
    }

    /// Says so until `stopping`. That it cannot be said is no reason to do nothing: it is only shown.
    pub async fn run(self, store: &Store, stopping: &CancellationToken) {
        let id = WorkerId::new(store.clock().now(), &mut adapters::rng());
        let mut failing = false;
        while !stopping.is_cancelled() {
            let said = store.present(id, self.slots, self.interval * TURNS).await;
            // Once for a row of failures, such as a missing right.
            if let Err(error) = &said
                && !failing
            {
                tracing::warn!(%error, "the console cannot be told that this worker is there");
            }
            failing = said.is_err();
            tokio::select! {
                () = sleep(jittered(self.interval, &mut adapters::rng())) => {}
                () = stopping.cancelled() => {}
            }
        }
        // Unheard, it counts for a while longer.
        let _ = timeout(LAST_WORD, store.gone(id)).await;
    }
}
