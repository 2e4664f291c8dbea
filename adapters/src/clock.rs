//! The one clock: it follows the database, so that all processes agree on what is due.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{SubsecRound, TimeDelta, Utc};
use domain::Timestamp;

/// Tells the time. Clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<RwLock<Anchor>>);

/// A time that was known, and when it was learnt. The machine's own clock may jump; `Instant`
/// does not.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    base: Timestamp,
    learnt: Instant,
    shift: TimeDelta,
}

/// What is further apart than that is wrong, and not only late.
const APART: TimeDelta = TimeDelta::minutes(1);

impl Clock {
    /// Starts with the time of this machine, until it can [`follow`](Self::follow) the database.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine for the time"
    )]
    pub fn new() -> Self {
        let now = Utc::now();
        // Tests let machines differ: what is wrong here must be gone once the database was heard.
        #[cfg(feature = "failpoints")]
        let now = now + crate::failpoint::clock_error();
        Self::starting_at(now)
    }

    /// Starts with a given time.
    pub fn starting_at(now: Timestamp) -> Self {
        let anchor = Anchor { base: now, learnt: Instant::now(), shift: TimeDelta::zero() };
        Self(Arc::new(RwLock::new(anchor)))
    }

    /// Now, as precisely as databases keep it: a time that was stored and read back is the same.
    pub fn now(&self) -> Timestamp {
        let anchor = *self.0.read().unwrap_or_else(PoisonError::into_inner);
        let now = later(anchor.base, anchor.learnt.elapsed());
        now.checked_add_signed(anchor.shift).unwrap_or(Timestamp::MAX_UTC).trunc_subsecs(6)
    }

    /// Takes over the time that the database has at this moment, and tells the log if that is another one.
    pub fn follow(&self, database_now: Timestamp) {
        let mut ahead = TimeDelta::zero();
        self.change(|anchor| {
            ahead = database_now - later(anchor.base, anchor.learnt.elapsed());
            anchor.base = database_now;
            anchor.learnt = Instant::now();
        });
        if ahead.abs() > APART {
            tracing::warn!(
                seconds = ahead.num_seconds(),
                "the database's clock is so far ahead of this process's, which follows it now; set \
                 the clocks of both machines by NTP"
            );
        }
    }

    /// Runs ahead by `by` for ever, also after the next [`follow`](Self::follow); for tests.
    pub fn advance(&self, by: Duration) {
        self.shift(TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX));
    }

    /// Goes back by `by`, as a database's clock does when somebody sets it right; for tests.
    pub fn turn_back(&self, by: Duration) {
        self.shift(-TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX));
    }

    fn shift(&self, by: TimeDelta) {
        self.change(|anchor| {
            anchor.shift = anchor.shift.checked_add(&by).unwrap_or(TimeDelta::MAX);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Anchor)) {
        // An anchor is whole after every assignment, so a poisoned lock spoils nothing.
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

fn later(base: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| base.checked_add_signed(by))
        .unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn seconds_after(clock: &Clock, start: Timestamp) -> i64 {
        (clock.now() - start).num_seconds()
    }

    #[test]
    fn goes_on_by_itself_in_microseconds() {
        let clock = Clock::starting_at(at("2026-01-01T00:00:00.123456789Z"));
        let first = clock.now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.now() > first);
        assert_eq!(first, first.trunc_subsecs(6));
    }

    #[test]
    fn follows_the_database_in_either_direction() {
        let clock = Clock::starting_at(at("2026-01-01T00:00:00Z"));
        for start in [at("2026-02-01T00:00:00Z"), at("2025-12-01T00:00:00Z")] {
            clock.follow(start);
            assert_eq!(seconds_after(&clock, start), 0);
        }
    }

    #[test]
    fn stays_ahead_after_following_and_in_every_clone() {
        let start = at("2026-01-01T00:00:00Z");
        let clock = Clock::starting_at(start);
        clock.clone().advance(HOUR);
        assert_eq!(seconds_after(&clock, start), 3600);
        clock.follow(start);
        clock.advance(HOUR);
        assert_eq!(seconds_after(&clock, start), 7200);
        clock.turn_back(HOUR);
        assert_eq!(seconds_after(&clock, start), 3600);
    }

    #[test]
    fn does_not_overflow() {
        let clock = Clock::starting_at(at("2026-01-01T00:00:00Z"));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX_UTC.trunc_subsecs(6));
    }
}
