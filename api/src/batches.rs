//! Invites the rows of batches, some at a time, for ever.
//!
//! Each time is one short transaction, and only one is under way: requests that invite one person get
//! their turn in between. Several processes share the work by locks in the database.

use std::time::Duration;

use adapters::store::{RowFault, RowRefusal, Store};
use domain::retry::jittered;
use tokio_util::sync::CancellationToken;

use crate::batch_file;
use crate::problem::ApiError;

/// Rows of one transaction: enough that its statements are worth it, few enough that nobody waits.
const CHUNK: u64 = 200;
/// How long after a failure the next round begins.
const PAUSE: Duration = Duration::from_secs(1);

/// Works until `stop`; what another process took in is found by looking every `poll`.
pub async fn run(store: Store, poll: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match store.work_on_batches(CHUNK, explain).await {
            Ok(true) => {
                tokio::task::yield_now().await;
                continue;
            }
            Ok(false) => poll,
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
