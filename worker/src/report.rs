//! What an attempt led to, and when the next one is due.

use std::time::Duration;

use adapters::metrics::{JobKind, Metrics};
use adapters::store::Claimed;
use adapters::trace;
use domain::retry::jittered;
use domain::{DeliveryState, Reply, RetryPolicy, SendOutcome, Timestamp};
use rand::Rng;
use tokio::time::Instant;

use crate::attempt::Attempt;

/// Whoever mends the template lets its mails leave at once; this is for what was mended elsewhere.
const PARKED: Duration = Duration::from_hours(1);

/// The end of an attempt.
#[derive(Debug)]
pub struct Ending {
    /// How it ended.
    pub outcome: SendOutcome,
    /// How long the mail is put off, if something else than how it ended says so.
    pub pause: Option<Pause>,
    /// Whether this mail proved that the server works again.
    pub recovered: bool,
}

/// Who says how long a mail is put off.
#[derive(Debug, Clone, Copy)]
pub enum Pause {
    /// The breaker, which leaves the mail server alone for so long.
    Breaker(Duration),
    /// The limits of its domain.
    Domain(Duration),
}

impl Ending {
    /// An end that taught nothing about the mail server.
    pub const fn of(outcome: SendOutcome) -> Self {
        Self { outcome, pause: None, recovered: false }
    }

    /// When to try again, if it comes to that; the delivery decides whether it does.
    pub fn next_attempt_at(
        &self,
        policy: &RetryPolicy,
        attempts: u32,
        now: Timestamp,
        rng: &mut impl Rng,
    ) -> Timestamp {
        let pause = match (self.pause, &self.outcome) {
            (Some(Pause::Breaker(pause) | Pause::Domain(pause)), _) => pause,
            (None, SendOutcome::Uncertain(_)) => jittered(policy.uncertain_pause, rng),
            (None, SendOutcome::Parked(_)) => jittered(PARKED, rng),
            (None, _) => policy.pause_after(attempts, rng),
        };
        chrono::TimeDelta::from_std(pause)
            .ok()
            .and_then(|pause| now.checked_add_signed(pause))
            .unwrap_or(Timestamp::MAX_UTC)
    }
}

/// Writes the one log line of an attempt.
pub fn log(
    claimed: &Claimed,
    outcome: &SendOutcome,
    since: Instant,
    state: Option<&DeliveryState>,
) {
    let trouble = outcome.trouble();
    let reply = trouble.and_then(|trouble| trouble.reply.as_ref());
    tracing::info!(
        delivery.id = %claimed.delivery.id,
        invitation.id = %claimed.delivery.invitation,
        attempt = claimed.delivery.attempts,
        outcome = outcome.as_str(),
        phase = trouble.map(|trouble| trouble.phase.as_str()),
        reply.code = reply.map(|reply| reply.code),
        reply.enhanced = reply.and_then(enhanced),
        ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        status = state.map_or("taken over", |state| state.status().as_str()),
        trace_id = trace::current().map(|context| context.trace_id()),
        "attempt reported"
    );
}

/// Counts the attempt in what the process shows of itself.
pub fn count(metrics: &Metrics, attempt: &Attempt, outcome: &SendOutcome, now: Timestamp) {
    metrics.attempt(JobKind::Email, outcome.as_str(), attempt.since.elapsed());
    match outcome.trouble() {
        Some(trouble) => metrics.smtp_trouble(trouble.phase, outcome),
        // A clock that was set back must not count as an age.
        None => metrics.sent_after((now - attempt.claimed.asked_at).to_std().unwrap_or_default()),
    }
}

fn enhanced(reply: &Reply) -> Option<String> {
    reply.enhanced.map(|code| code.to_string())
}

#[cfg(test)]
mod tests {
    use domain::{Phase, Trouble};

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn trouble() -> Trouble {
        Trouble { phase: Phase::Recipient, reply: None, detail: String::new() }
    }

    #[test]
    fn the_next_attempt_follows_the_schedule_unless_the_breaker_has_a_say() {
        let policy = RetryPolicy {
            pauses: vec![MINUTE, 5 * MINUTE],
            give_up_after: 600 * MINUTE,
            uncertain_pause: 10 * MINUTE,
        };
        let ours = SendOutcome::Ours(trouble());
        let deferred = || Ending::of(SendOutcome::Deferred(trouble()));
        // (ending, attempts, least and most pause)
        let table = [
            (deferred(), 1, 0.8, 1.2),
            (deferred(), 2, 4.0, 6.0),
            (deferred(), 9, 4.0, 6.0),
            (Ending::of(SendOutcome::Uncertain(trouble())), 1, 8.0, 12.0),
            (Ending::of(ours.clone()), 1, 0.8, 1.2),
            (Ending::of(SendOutcome::Parked(trouble())), 1, 48.0, 72.0),
            (
                Ending { outcome: ours, pause: Some(Pause::Breaker(3 * MINUTE)), recovered: false },
                1,
                3.0,
                3.0,
            ),
        ];
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (ending, attempts, least, most) in table {
            let at = ending.next_attempt_at(&policy, attempts, now, &mut adapters::rng());
            let pause = (at - now).to_std().unwrap();
            let range = MINUTE.mul_f64(least)..=MINUTE.mul_f64(most);
            assert!(range.contains(&pause), "{ending:?} after {attempts}: {pause:?}");
        }
    }

    #[test]
    fn an_endless_pause_does_not_overflow() {
        let mut ending = Ending::of(SendOutcome::Ours(trouble()));
        ending.pause = Some(Pause::Domain(Duration::MAX));
        let policy = RetryPolicy::default();
        let at = ending.next_attempt_at(&policy, 1, Timestamp::UNIX_EPOCH, &mut adapters::rng());
        assert_eq!(at, Timestamp::MAX_UTC);
    }
}
