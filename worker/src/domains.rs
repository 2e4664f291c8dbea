//! How many mails for one recipient domain leave at the same time and in a minute, as far as one worker
//! can say: what is too much is put off, so that it holds up nobody else's mail.
//!
//! Nothing waits here. A mail that is put off comes back when its turn should be, by what is known of
//! those that were put off before it; whether it is, is decided then. Pure but for the lock: every time
//! is an argument.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::settings::WorkerSettings;
use domain::retry::jittered;
use rand::{Rng, RngExt};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);
/// The least that a mail is put off: a moment, but many would come back in vain.
const LEAST: Duration = Duration::from_secs(2);
/// The most: a worker may know of mails that others have sent meanwhile.
const MOST: Duration = Duration::from_hours(2);
/// What is not in use is forgotten beyond so many: strangers choose the names.
const KNOWN: usize = 10_000;

/// What is under way to each domain.
pub struct Domains {
    /// Mails at the same time; `None` for any number.
    at_once: Option<u32>,
    /// Mails in a minute; `None` for any number.
    per_minute: Option<u32>,
    known: Mutex<HashMap<String, Traffic>>,
}

/// What is known of one domain.
struct Traffic {
    under_way: u32,
    /// Since when `sent` is counted.
    since: Instant,
    sent: u32,
    /// Put off, and not come back.
    put_off: u32,
    /// What the last mail took.
    took: Duration,
}

/// Whether a mail may leave.
pub enum Turn<'a> {
    /// It may; to be dropped when it has left.
    Now(Place<'a>),
    /// Not now, but perhaps then.
    In(Duration),
}

/// A mail that is under way.
pub struct Place<'a> {
    held: Option<(&'a Domains, String, Instant)>,
}

impl Domains {
    /// Nothing is under way yet.
    pub fn new(settings: &WorkerSettings) -> Self {
        let limit = |number: u32| (number > 0).then_some(number);
        Self {
            at_once: limit(settings.domain_at_once),
            per_minute: limit(settings.domain_per_minute),
            known: Mutex::default(),
        }
    }

    /// Asks whether a mail for the domain may leave `now`.
    pub fn ask(&self, domain: &str, now: Instant, rng: &mut impl Rng) -> Turn<'_> {
        if self.at_once.is_none() && self.per_minute.is_none() {
            return Turn::Now(Place { held: None });
        }
        let domain = domain.to_ascii_lowercase();
        let mut known = self.known();
        if known.len() >= KNOWN {
            known.retain(|_, traffic| traffic.is_in_use(now));
        }
        let traffic = known.entry(domain.clone()).or_insert_with(|| Traffic::new(now));
        traffic.turn_of_minute(now);
        let pauses = [self.until_one_has_left(traffic), self.until_next_minute(traffic, now)];
        if let Some(pause) = pauses.into_iter().flatten().max() {
            traffic.put_off = traffic.put_off.saturating_add(1);
            let pause = pause + LEAST.mul_f64(rng.random_range(0.0..1.0));
            return Turn::In(pause.clamp(LEAST, jittered(MOST, rng)));
        }
        traffic.under_way += 1;
        traffic.sent += 1;
        traffic.put_off = traffic.put_off.saturating_sub(1);
        Turn::Now(Place { held: Some((self, domain, now)) })
    }

    /// Until there is a place, and those have had theirs that were put off before; `None` if there is one.
    fn until_one_has_left(&self, traffic: &Traffic) -> Option<Duration> {
        let at_once = self.at_once.filter(|&most| traffic.under_way >= most)?;
        Some(traffic.took * traffic.put_off / at_once)
    }

    /// Until a minute in which not everybody leaves who was put off before; `None` if that is this one.
    fn until_next_minute(&self, traffic: &Traffic, now: Instant) -> Option<Duration> {
        let per_minute = self.per_minute.filter(|&most| traffic.sent >= most)?;
        let rest = (traffic.since + MINUTE).saturating_duration_since(now);
        Some(rest + MINUTE * (traffic.put_off / per_minute))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Traffic>> {
        // Every use leaves it whole, so a poisoned lock spoils nothing.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic {
    const fn new(now: Instant) -> Self {
        Self { under_way: 0, since: now, sent: 0, put_off: 0, took: Duration::from_secs(1) }
    }

    fn turn_of_minute(&mut self, now: Instant) {
        if now.duration_since(self.since) >= MINUTE {
            (self.since, self.sent) = (now, 0);
        }
    }

    fn is_in_use(&self, now: Instant) -> bool {
        self.under_way > 0 || now.duration_since(self.since) < MINUTE
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some((domains, domain, since)) = self.held.take() else { return };
        if let Some(traffic) = domains.known().get_mut(&domain) {
            traffic.under_way = traffic.under_way.saturating_sub(1);
            traffic.took = since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn domains(at_once: u32, per_minute: u32) -> Domains {
        let limit = |number: u32| (number > 0).then_some(number);
        let (at_once, per_minute) = (limit(at_once), limit(per_minute));
        Domains { at_once, per_minute, known: Mutex::default() }
    }

    fn put_off(turn: &Turn<'_>) -> Option<Duration> {
        match turn {
            Turn::Now(_) => None,
            Turn::In(pause) => Some(*pause),
        }
    }

    #[test]
    fn so_many_are_under_way_at_once_to_each_domain() {
        let (domains, now) = (domains(2, 0), Instant::now());
        let mut rng = StdRng::seed_from_u64(1);
        let mut ask = |domain| domains.ask(domain, now, &mut rng);
        let under_way = [ask("a.example"), ask("A.example")];
        assert!(under_way.iter().all(|turn| put_off(turn).is_none()));
        assert!(put_off(&ask("a.example")).is_some());
        assert!(put_off(&ask("b.example")).is_none(), "another domain has places of its own");
        drop(under_way);
        assert!(put_off(&ask("a.example")).is_none());
    }

    #[test]
    fn so_many_leave_in_a_minute_and_the_others_in_their_own() {
        let (domains, start) = (domains(0, 10), Instant::now());
        let mut rng = StdRng::seed_from_u64(2);
        let mut later = Vec::new();
        for number in 0..35_u64 {
            let turn = domains.ask("a.example", start + Duration::from_millis(number), &mut rng);
            later.extend(put_off(&turn));
        }
        // Ten when the second minute begins, ten with the third, five with the fourth.
        let mut minutes = [0; 4];
        for pause in later {
            minutes[usize::try_from((pause + LEAST).as_secs() / 60).unwrap()] += 1;
        }
        assert_eq!(minutes, [0, 10, 10, 5]);
        let next = start + MINUTE;
        let left = (0..20).filter(|_| put_off(&domains.ask("a.example", next, &mut rng)).is_none());
        assert_eq!(left.count(), 10);
    }

    #[test]
    fn without_limits_nothing_is_kept() {
        let (domains, mut rng) = (domains(0, 0), StdRng::seed_from_u64(3));
        for _ in 0..100 {
            assert!(put_off(&domains.ask("a.example", Instant::now(), &mut rng)).is_none());
        }
        assert!(domains.known().is_empty());
    }

    #[test]
    fn what_strangers_name_is_forgotten() {
        let (domains, now) = (domains(1, 1), Instant::now());
        let mut rng = StdRng::seed_from_u64(4);
        for number in 0..3 * KNOWN {
            drop(domains.ask(&format!("{number}.example"), now, &mut rng));
        }
        drop(domains.ask("last.example", now + MINUTE, &mut rng));
        assert_eq!(domains.known().len(), 1);
    }
}
