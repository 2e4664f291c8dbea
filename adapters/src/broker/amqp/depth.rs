//! How much is in a queue and who takes it, asked over a connection that is open already: somebody who
//! watches asks every few seconds.

use std::time::Duration;

use tokio::time::timeout;

use super::super::{Queue, QueueDepth};
use super::Amqp;
use super::examine::queue_state;
use super::link::Session;

/// Whoever watches would rather see the rest than wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

impl Amqp {
    pub(in super::super) async fn depth(&self, queue: Queue) -> Option<QueueDepth> {
        let session = self.shared.any_session()?;
        timeout(PATIENCE, self.ask(&session, queue)).await.ok().flatten()
    }

    async fn ask(&self, session: &Session, queue: Queue) -> Option<QueueDepth> {
        // A queue that is not there takes its channel along.
        let channel = session.side_channel().await.ok()?;
        let (jobs, workers) = queue_state(&channel, self.name_of(queue)).await.ok()?;
        // What was asked is answered, however the channel ends.
        let _ = channel.close(200, "done".into()).await;
        Some(QueueDepth { jobs, workers })
    }
}
