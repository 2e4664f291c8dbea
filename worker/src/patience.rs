//! Repeats a call to the database until it answers, but not for ever.

use std::time::Duration;

use adapters::store::StoreError;
use domain::retry::jittered;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A statement that is refused so often is refused for good.
const MOST_REFUSALS: u32 = 4;

/// How long, and whose word ends it earlier.
pub struct Patience<'a> {
    /// After this moment the last error is the answer.
    pub until: Instant,
    /// Once cancelled, the next error is the answer.
    pub unless: &'a CancellationToken,
}

impl Patience<'_> {
    /// Makes `call` until it succeeds, patience ends or the error is one that time does not heal.
    pub async fn with<T, F>(
        &self,
        what: &'static str,
        mut call: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pause = FIRST_PAUSE;
        let mut refusals = 0;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = jittered(pause, &mut adapters::rng());
            let for_good = match error {
                StoreError::Unavailable(_) | StoreError::Busy => false,
                StoreError::Inconsistent { .. } | StoreError::TooNew(_) => true,
                // Somebody may just be granting it.
                StoreError::Forbidden(_) | StoreError::Database(_) => {
                    refusals += 1;
                    refusals >= MOST_REFUSALS
                }
            };
            let over = Instant::now() + wait >= self.until || self.unless.is_cancelled();
            if over || for_good {
                return Err(error);
            }
            if pause == FIRST_PAUSE {
                tracing::warn!(%error, what, "the database does not answer; trying again");
            }
            // Only the sleep is cut short: a call that is cut off may leave its connection broken.
            tokio::select! {
                () = sleep(wait) => {}
                () = self.unless.cancelled() => return Err(error),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const FOR_LONG: Duration = Duration::from_mins(1);

    /// Calls what fails `failures` times; gives the answer and the number of calls.
    async fn call(
        failures: u32,
        error: fn() -> StoreError,
        patience: Duration,
        unless: &CancellationToken,
    ) -> (Result<(), StoreError>, u32) {
        let calls = Cell::new(0);
        let answer = Patience { until: Instant::now() + patience, unless }
            .with("test", || {
                calls.set(calls.get() + 1);
                std::future::ready(if calls.get() > failures { Ok(()) } else { Err(error()) })
            })
            .await;
        (answer, calls.get())
    }

    fn away() -> StoreError {
        StoreError::Unavailable("away".into())
    }

    fn refused() -> StoreError {
        StoreError::Database("refused".into())
    }

    fn inconsistent() -> StoreError {
        StoreError::Inconsistent { table: "delivery", column: "status" }
    }

    #[tokio::test]
    async fn ends_with_success_time_an_order_or_an_error_that_stays() {
        let go_on = CancellationToken::new();
        let stop = CancellationToken::new();
        stop.cancel();
        assert!(matches!(call(1, away, FOR_LONG, &go_on).await, (Ok(()), 2)));
        assert!(matches!(call(9, away, Duration::ZERO, &go_on).await, (Err(_), 1)));
        assert!(matches!(call(9, inconsistent, FOR_LONG, &go_on).await, (Err(_), 1)));
        assert!(matches!(call(9, refused, FOR_LONG, &go_on).await, (Err(_), MOST_REFUSALS)));
        assert!(matches!(call(9, away, FOR_LONG, &stop).await, (Err(_), 1)));
        assert!(matches!(call(0, away, FOR_LONG, &stop).await, (Ok(()), 1)));
    }
}
