//! When a deferred mail is tried again.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The schedule of retries.
///
/// An early step of five minutes suits greylisting; the long tail suits a server that is down
/// over a night. See RFC 5321 §4.5.4.1, which asks for at least 30 minutes in the long run and
/// four to five days of patience; an invitation is stale before that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The pause after the first, second, … attempt; the last one repeats.
    pub pauses: Vec<Duration>,
    /// How long after its creation a delivery is given up, at the latest.
    pub give_up_after: Duration,
    /// The pause before a mail is repeated that may have arrived already.
    pub uncertain_pause: Duration,
}

/// Each pause is stretched by a factor from this range, so that retries do not march in step.
const JITTER: std::ops::RangeInclusive<f64> = 0.8..=1.2;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl RetryPolicy {
    /// The pause after attempt number `attempts` (counted from 1), with jitter from `rng`.
    pub fn pause_after(&self, attempts: u32, rng: &mut impl Rng) -> Duration {
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let pause = self.pauses.get(step).or_else(|| self.pauses.last());
        jittered(pause.copied().unwrap_or(Duration::from_secs(MINUTE)), rng)
    }
}

/// Stretches or shrinks `pause` by up to a fifth.
pub fn jittered(pause: Duration, rng: &mut impl Rng) -> Duration {
    pause.mul_f64(rng.random_range(JITTER))
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = [
            MINUTE,
            5 * MINUTE,
            15 * MINUTE,
            30 * MINUTE,
            HOUR,
            2 * HOUR,
            4 * HOUR,
            8 * HOUR,
            12 * HOUR,
        ];
        Self {
            pauses: seconds.map(Duration::from_secs).to_vec(),
            give_up_after: Duration::from_secs(72 * HOUR),
            uncertain_pause: Duration::from_secs(10 * MINUTE),
        }
    }
}
