//! Links and passwords that do not exist: one client may try a few a minute.
//!
//! Each process counts for itself and forgets with the minute: no guess will ever hit one of 2^130
//! secrets, so this only keeps guessers from being a load. No address is written anywhere.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use adapters::settings::Network;
use domain::{Timestamp, Window};

/// The tries of this minute, by client.
pub struct Guesses {
    per_minute: u32,
    minute: Mutex<Minute>,
}

struct Minute {
    start: Timestamp,
    tries: HashMap<Network, u32>,
}

/// A try that counts, unless it is given back.
pub struct Try<'a> {
    from: Option<(&'a Guesses, Network)>,
    start: Timestamp,
}

/// Whoever has so many addresses is not held up by counting them.
const MOST_CLIENTS: usize = 10_000;
/// A customer gets as many IPv6 addresses at least (RFC 6177 §2).
const IPV6_CLIENT: u32 = 64;

impl Guesses {
    /// Lets every client try so often; 0 is as often as it likes.
    pub fn new(per_minute: u32) -> Self {
        let minute = Minute { start: Timestamp::UNIX_EPOCH, tries: HashMap::new() };
        Self { per_minute, minute: Mutex::new(minute) }
    }

    /// Takes one of the client's tries; if there is none left, says when there are new ones.
    pub fn take(&self, now: Timestamp, client: Option<IpAddr>) -> Result<Try<'_>, Duration> {
        let start = Window::Minute.start(now);
        let Some(client) = client.filter(|_| self.per_minute > 0) else {
            return Ok(Try { from: None, start });
        };
        let width = if client.to_canonical().is_ipv4() { u32::BITS } else { IPV6_CLIENT };
        let client = Network::around(client, width);
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.start != start {
            *minute = Minute { start, tries: HashMap::new() };
        }
        if minute.tries.len() >= MOST_CLIENTS && !minute.tries.contains_key(&client) {
            return Ok(Try { from: None, start });
        }
        let tries = minute.tries.entry(client).or_default();
        if *tries >= self.per_minute {
            return Err(Window::Minute.rest(now));
        }
        *tries += 1;
        Ok(Try { from: Some((self, client)), start })
    }
}

impl Try<'_> {
    /// It was no guess.
    pub fn give_back(self) {
        let Some((guesses, client)) = self.from else { return };
        let mut minute = guesses.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.start == self.start
            && let Some(tries) = minute.tries.get_mut(&client)
        {
            *tries = tries.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn left(guesses: &Guesses, now: Timestamp, client: &str) -> u32 {
        let client = client.parse().ok();
        (0..100).map(|_| u32::from(guesses.take(now, client).is_ok())).sum()
    }

    #[test]
    fn a_client_has_its_tries_and_gets_new_ones() {
        let (guesses, now) = (Guesses::new(3), Timestamp::UNIX_EPOCH + TimeDelta::seconds(20));
        assert_eq!(left(&guesses, now, "192.0.2.1"), 3);
        let refused = guesses.take(now, "192.0.2.1".parse().ok()).err();
        assert_eq!(refused, Some(Duration::from_secs(40)));
        assert_eq!(left(&guesses, now, "192.0.2.2"), 3, "somebody else");
        assert_eq!(left(&guesses, now + TimeDelta::seconds(40), "192.0.2.1"), 3);
    }

    #[test]
    fn what_is_given_back_does_not_count() {
        let (guesses, now) = (Guesses::new(3), Timestamp::UNIX_EPOCH);
        for _ in 0..10 {
            guesses.take(now, "192.0.2.1".parse().ok()).ok().unwrap().give_back();
        }
        assert_eq!(left(&guesses, now, "192.0.2.1"), 3);
    }

    #[test]
    fn a_network_of_ipv6_addresses_is_one_client() {
        let (guesses, now) = (Guesses::new(3), Timestamp::UNIX_EPOCH);
        assert_eq!(left(&guesses, now, "2001:db8::1"), 3);
        assert_eq!(left(&guesses, now, "2001:db8::ffff:2"), 0);
        assert_eq!(left(&guesses, now, "2001:db8:0:1::1"), 3);
        assert_eq!(left(&guesses, now, "::ffff:192.0.2.1"), 3);
        assert_eq!(left(&guesses, now, "192.0.2.1"), 0, "the same, spelt differently");
    }

    #[test]
    fn memory_is_bounded_and_no_limit_is_no_limit() {
        let (guesses, now) = (Guesses::new(1), Timestamp::UNIX_EPOCH);
        for address in 0..20_000_u32 {
            let _ = guesses.take(now, Some(IpAddr::from(address.to_be_bytes())));
        }
        assert_eq!(guesses.minute.lock().unwrap().tries.len(), MOST_CLIENTS);
        assert_eq!(left(&Guesses::new(0), now, "192.0.2.1"), 100);
    }
}
