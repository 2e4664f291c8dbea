//! Closes overdue invitations, plans reminders, ends lost test mails and forgets what is only kept for a
//! while, for ever.
//!
//! Only for the record: an overdue invitation counts as expired whether or not it is closed.

use std::time::Duration;

use adapters::settings::{BatchSettings, RetentionSettings};
use adapters::store::Store;
use tokio_util::sync::CancellationToken;

const BATCH: u64 = 500;

/// A batch that is still arriving after twice the time that it may take has broken off.
const ARRIVING: u32 = 2;

/// How long things are kept.
pub struct Keeping {
    /// What others were told.
    pub told: Duration,
    /// Batches, and the rows of those that are still arriving.
    pub batches: BatchSettings,
    /// Whoever was invited.
    pub people: RetentionSettings,
}

/// Sweeps every `interval` until `stop`.
pub async fn run(store: Store, interval: Duration, keeping: Keeping, stop: CancellationToken) {
    let Keeping { told, batches, people } = keeping;
    while !stop.is_cancelled() {
        if sweep(&store).await == BATCH {
            continue;
        }
        remind(&store).await;
        end_lost_test_mails(&store).await;
        if let Err(error) = store.forget_old(told).await {
            tracing::warn!(%error, "old answers and outbox rows cannot be deleted now");
        }
        let arriving = batches.receive_timeout * ARRIVING;
        if let Err(error) = store.forget_batches(batches.keep, arriving).await {
            tracing::warn!(%error, "old batches cannot be deleted now");
        }
        forget_people(&store, people).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// What ended long ago tells of nobody, and then has no history.
async fn forget_people(store: &Store, after: RetentionSettings) {
    if let Some(after) = after.anonymize_after() {
        match store.anonymize_ended(after).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old invitations are anonymous"),
            Err(error) => tracing::warn!(%error, "old invitations cannot be made anonymous now"),
        }
    }
    if let Some(after) = after.delete_after() {
        match store.prune_ended(after).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "the history of old invitations is deleted"),
            Err(error) => tracing::warn!(
                %error,
                "the history of old invitations cannot be deleted now; on PostgreSQL it takes \
                 deploy/postgres/grants-retention.sql"
            ),
        }
    }
}

async fn remind(store: &Store) {
    match store.remind().await {
        Ok(0) => {}
        Ok(planned) => tracing::info!(planned, "reminders are planned"),
        Err(error) => tracing::warn!(%error, "reminders cannot be planned now"),
    }
}

async fn end_lost_test_mails(store: &Store) {
    match store.end_lost_test_mails().await {
        Ok(0) => {}
        Ok(ended) => tracing::warn!(ended, "test mails were lost"),
        Err(error) => tracing::warn!(%error, "lost test mails cannot be looked for now"),
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
