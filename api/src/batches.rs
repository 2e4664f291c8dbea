//! Invites the rows of batches, some at a time, for ever.
//!
//! Each time is one short transaction, and only one is under way: requests that invite one person get
//! their turn in between. Several processes share the work by locks in the database.

use std::time::Duration;

use adapters::settings::BatchSettings;
use adapters::store::{BatchPace, BatchProgress, RowFault, RowRefusal, Store};
use domain::retry::jittered;
use tokio_util::sync::CancellationToken;

use crate::batch_file;
use crate::problem::ApiError;

/// Rows of one transaction: enough that its statements are worth it, few enough that nobody waits.
const CHUNK: u64 = 200;
/// How long after a failure the next round begins.
const PAUSE: Duration = Duration::from_secs(1);
/// How often to look whether enough mails have left: a worker empties what may wait no faster.
const HELD: Duration = Duration::from_millis(100);

/// Works until `stop`; what another process took in is found by looking now and then.
pub async fn run(store: Store, settings: BatchSettings, stop: CancellationToken) {
    let pace = BatchPace { rows: CHUNK, mails_ahead: settings.mails_ahead };
    while !stop.is_cancelled() {
        let pause = match store.work_on_batches(pace, explain).await {
            Ok(BatchProgress::Made) => {
                tokio::task::yield_now().await;
                continue;
            }
            Ok(BatchProgress::Held) => {
                tracing::debug!("batches wait for mails to leave");
                jittered(HELD, &mut adapters::rng())
            }
            Ok(BatchProgress::Nothing) => settings.poll,
            Err(error) => {
                tracing::warn!(%error, "batches cannot be worked on now");
                jittered(PAUSE, &mut adapters::rng())
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = store.batch_bell() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// The code and the sentence that a request for this one person would have been answered with.
pub fn explain(why: RowRefusal) -> RowFault {
    batch_file::fault(&match why {
        RowRefusal::Pending(invitation) => ApiError::AlreadyPending(invitation),
        RowRefusal::Member => ApiError::AlreadyMember,
        RowRefusal::Limit(why) => ApiError::Refused(why),
        RowRefusal::Ours => ApiError::Internal,
    })
}
