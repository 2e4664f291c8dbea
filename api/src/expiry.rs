//! Closes overdue invitations and deletes what is only kept for a while, for ever.
//!
//! Only for the record: an overdue invitation counts as expired whether or not it is closed.

use std::time::Duration;

use adapters::store::Store;
use tokio_util::sync::CancellationToken;

const BATCH: u64 = 500;

/// Sweeps every `interval` until `stop`; what others were `told` so long ago is deleted.
pub async fn run(store: Store, interval: Duration, told: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if sweep(&store).await == BATCH {
            continue;
        }
        if let Err(error) = store.forget_old(told).await {
            tracing::warn!(%error, "old answers and outbox rows cannot be deleted now");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(interval) => {}
        }
    }
}

async fn sweep(store: &Store) -> u64 {
    match store.expire_invitations(BATCH).await {
        Ok(0) => 0,
        Ok(expired) => {
            tracing::info!(expired, "closed overdue invitations");
            expired
        }
        Err(error) => {
            tracing::warn!(%error, "overdue invitations cannot be closed now");
            0
        }
    }
}
