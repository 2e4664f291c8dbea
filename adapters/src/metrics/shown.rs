//! The metrics as text, with what is only known when somebody asks.

use std::time::Duration;

use futures_util::future::join_all;
use prometheus_client::encoding::text::encode;
use tokio::time::timeout;

use super::Metrics;
use super::labels::Waiting;
use crate::broker::{Broker, Queue};
use crate::health::Health;
use crate::store::Store;

/// Whoever asks wants the counts above all, and more than ever when the database stands still.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the text is.
///
/// Source: `OpenMetrics` 1.0.0, "Text Format".
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    /// All of it. What database or broker do not say is left as it was last time.
    pub async fn shown(&self, store: &Store, broker: &Broker, health: &Health) -> String {
        let Self(inner) = self;
        inner.mail_trouble.set(health.mail_trouble().is_some().into());
        let pool = store.pool();
        inner.connections_used.set(pool.used.into());
        inner.connections_idle.set(pool.idle.into());
        // The query goes on in its own task: nobody who stops waiting spoils its connection.
        if let Ok(Ok(lag)) = timeout(PATIENCE, store.outbox_lag()).await {
            let now = store.clock().now();
            let oldest = lag.oldest_due.map_or(0, |due| (now - due).num_seconds().max(0));
            inner.outbox_waiting.set(lag.waiting.try_into().unwrap_or(i64::MAX));
            inner.outbox_oldest.set(oldest);
            let oldest = lag.oldest_queued.map_or(0, |since| (now - since).num_seconds().max(0));
            inner.queued_oldest.set(oldest);
        }
        // Both at once: a broker that stands still holds up no scrape longer than for one.
        let depths = join_all(Queue::ALL.map(|queue| broker.depth(queue))).await;
        for (queue, depth) in Queue::ALL.into_iter().zip(depths) {
            if let Some(depth) = depth {
                let name = queue.as_str();
                inner.queued.get_or_create(&Waiting { queue: name }).set(depth.jobs.into());
            }
        }
        self.counted()
    }

    /// What needs no looking up.
    pub(crate) fn counted(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }
}
