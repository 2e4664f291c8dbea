//! Seals the secrets of webhooks anew when the API starts with another first key.

use std::time::Duration;

use adapters::seal::SealKeys;
use adapters::store::Store;
use tokio_util::sync::CancellationToken;

const AGAIN: Duration = Duration::from_secs(10);

/// Does it once, as soon as the database lets it.
pub async fn run(store: Store, keys: Option<SealKeys>, stop: CancellationToken) {
    let Some(keys) = keys else { return };
    loop {
        match store.reseal_webhooks(keys.clone()).await {
            Ok(0) => return,
            Ok(lost) => {
                tracing::error!(lost, "no seal key opens the secrets of some webhooks");
                return;
            }
            Err(error) => tracing::warn!(%error, "webhooks cannot be looked through now"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}
