//! A queue that the server lists but cannot use, and the way out of it.
//!
//! RabbitMQ 3.10 writes down where a new quorum queue lives only after minutes or when it stops. A
//! node that is killed before that comes back with the queue in its list and nothing behind it:
//! whoever consumes or publishes waits for ever. What was in it is lost already, and the database
//! knows it all, so the queue is deleted; the next session declares it anew and the search for lost
//! messages fills it.

use std::time::Duration;

use lapin::options::QueueDeleteOptions;
use lapin::types::ShortString;
use tokio::time::{sleep, timeout};

use super::link::Session;

/// So often in a row, each over a fresh connection that works otherwise: a server that is merely
/// slow or frozen does not get this far.
const ENOUGH: u32 = 2;
/// The server takes five seconds to find that there is nothing to delete.
const DELETE_TIMEOUT: Duration = Duration::from_secs(30);
/// Consumers elsewhere are not told of a queue that is back within milliseconds.
const PAUSE: Duration = Duration::from_secs(1);

/// How often in a row the queue did not answer.
#[derive(Default)]
pub(super) struct Stuck {
    times: u32,
}

impl Stuck {
    /// The queue answered something.
    pub(super) fn answered(&mut self) {
        self.times = 0;
    }

    /// The queue did not answer although the connection works; if that goes on, it is deleted.
    pub(super) async fn no_answer(&mut self, session: &Session, queue: &ShortString) {
        self.times += 1;
        if self.times < ENOUGH {
            tracing::warn!(%queue, "the queue does not answer");
            return;
        }
        self.times = 0;
        tracing::error!(%queue, "the queue does not answer; deleting it, the database refills it");
        let delete = async {
            // The first channel still waits for the queue.
            let channel = session.side_channel().await?;
            channel.queue_delete(queue.clone(), QueueDeleteOptions::default()).await
        };
        match timeout(DELETE_TIMEOUT, delete).await {
            Ok(Ok(_)) => sleep(PAUSE).await,
            Ok(Err(error)) => tracing::warn!(%queue, %error, "the queue cannot be deleted"),
            Err(_) => tracing::warn!(%queue, "the queue was not deleted in time"),
        }
    }
}
