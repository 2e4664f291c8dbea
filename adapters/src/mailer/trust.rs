//! Whether a server that offers PIPELINING is believed.
//!
//! Some, or what stands in front of them, throw away what was written before their answer was read.
//! Then the other answers never come, and each try costs a mail a minute of waiting and an attempt.
//! Every mail would fail in the end that one command at a time would have sent.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a server that lost its place gets one command at a time.
const DOUBT: Duration = Duration::from_hours(1);

/// Given until it is withdrawn, and given again after an hour.
#[derive(Default)]
pub(super) struct Trust {
    withdrawn: Mutex<Option<Instant>>,
}

impl Trust {
    pub(super) fn is_given(&self) -> bool {
        self.withdrawn().is_none_or(|since| since.elapsed() >= DOUBT)
    }

    pub(super) fn withdraw(&self) {
        let given = self.is_given();
        *self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if given {
            tracing::warn!(
                "the mail server offers PIPELINING but did not keep up with pipelined commands; \
                 for an hour it gets one command at a time"
            );
        }
    }

    fn withdrawn(&self) -> Option<Instant> {
        // A copy is always whole.
        *self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trust_comes_back_after_an_hour() {
        let trust = Trust::default();
        assert!(trust.is_given());
        trust.withdraw();
        let second = Duration::from_secs(1);
        tokio::time::advance(DOUBT.saturating_sub(second)).await;
        assert!(!trust.is_given());
        tokio::time::advance(second).await;
        assert!(trust.is_given());
    }
}
