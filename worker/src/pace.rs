//! How many connections to the mail server are used at once: fewer when it is under pressure, more
//! again while it is quick and work waits.
//!
//! Additive increase and multiplicative decrease, as TCP finds its window (RFC 5681): each round of
//! quick mails adds one connection, a sign of pressure halves them, and what else was under way at
//! that moment halves nothing again. Pure: every time is an argument.

use std::time::Duration;

use domain::{Phase, SendOutcome};

/// A server that takes a whole mail within this time has room for more.
const QUICK: Duration = Duration::from_secs(2);

/// The number of connections that may be used now.
#[derive(Debug)]
pub struct Pace {
    most: usize,
    limit: usize,
    /// How often the limit has fallen.
    falls: u64,
    /// Quick mails since the limit changed.
    quick: usize,
}

/// When a mail got its connection, as far as the pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round(u64);

/// What the end of one mail says about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It has no room for us: it refuses connections, or mails before it knows whom they are for.
    Pressure,
    /// It answered soon, whatever it thought of the mail.
    Quick,
    /// Neither.
    None,
}

impl Pace {
    /// Starts with `most` connections, at least one: what was asked for is tried first.
    pub const fn new(most: usize) -> Self {
        let most = if most == 0 { 1 } else { most };
        Self { most, limit: most, falls: 0, quick: 0 }
    }

    /// How many connections may be used at once: 1 to the most.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The round that a mail belongs to which gets its connection now.
    pub const fn round(&self) -> Round {
        Round(self.falls)
    }

    /// Learns from a mail that got its connection in `round`; more connections are of use only if
    /// `work_waits` for one.
    pub fn learn(&mut self, round: Round, sign: Sign, work_waits: bool) {
        // What began under a limit that has fallen since says nothing about the new one.
        if round != self.round() {
            return;
        }
        match sign {
            Sign::Pressure => {
                self.limit = (self.limit / 2).max(1);
                self.falls += 1;
                self.quick = 0;
            }
            Sign::Quick if work_waits && self.limit < self.most => {
                self.quick += 1;
                if self.quick >= self.limit {
                    self.limit += 1;
                    self.quick = 0;
                }
            }
            Sign::Quick | Sign::None => {}
        }
    }
}

impl Sign {
    /// Reads it from the end of a mail whose conversation took so long.
    pub fn of(outcome: &SendOutcome, took: Duration) -> Self {
        let quick = if took <= QUICK { Self::Quick } else { Self::None };
        let Some(trouble) = outcome.trouble() else { return quick };
        match (trouble.phase, trouble.reply.as_ref().map(|reply| reply.code)) {
            (_, Some(421)) | (Phase::Connect | Phase::Greeting | Phase::Hello, None) => {
                Self::Pressure
            }
            (Phase::Greeting | Phase::Hello | Phase::MailFrom, Some(400..=499)) => Self::Pressure,
            (Phase::Recipient | Phase::Data | Phase::FinalDot, Some(_)) => quick,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Reply, Trouble};

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    fn learn(pace: &mut Pace, sign: Sign, times: usize) {
        for _ in 0..times {
            pace.learn(pace.round(), sign, true);
        }
    }

    #[test]
    fn pressure_halves_down_to_one_and_never_further() {
        let mut pace = Pace::new(20);
        for limit in [10, 5, 2, 1, 1] {
            learn(&mut pace, Sign::Pressure, 1);
            assert_eq!(pace.limit(), limit);
        }
        assert_eq!(Pace::new(0).limit(), 1);
    }

    #[test]
    fn one_burst_of_refusals_halves_once() {
        let mut pace = Pace::new(16);
        let before = pace.round();
        for _ in 0..16 {
            pace.learn(before, Sign::Pressure, true);
        }
        assert_eq!(pace.limit(), 8);
        // Nor does what was under way let it grow.
        for _ in 0..100 {
            pace.learn(before, Sign::Quick, true);
        }
        assert_eq!(pace.limit(), 8);
    }

    #[test]
    fn a_round_of_quick_mails_adds_one_up_to_the_setting() {
        let mut pace = Pace::new(4);
        learn(&mut pace, Sign::Pressure, 2);
        for (mails, limit) in [(1, 2), (1, 2), (1, 3), (2, 3), (1, 4), (100, 4)] {
            learn(&mut pace, Sign::Quick, mails);
            assert_eq!(pace.limit(), limit);
        }
    }

    #[test]
    fn it_grows_neither_without_work_nor_with_a_slow_server() {
        let mut pace = Pace::new(4);
        learn(&mut pace, Sign::Pressure, 1);
        for _ in 0..100 {
            pace.learn(pace.round(), Sign::Quick, false);
        }
        learn(&mut pace, Sign::None, 100);
        assert_eq!(pace.limit(), 2);
    }

    #[test]
    fn what_a_mail_says_depends_on_phase_reply_and_time() {
        use Phase::{Auth, Body, Connect, Data, FinalDot, Greeting, MailFrom, Recipient, Tls};
        let table = [
            (Connect, None, Sign::Pressure),
            (Greeting, None, Sign::Pressure),
            (Greeting, Some(421), Sign::Pressure),
            (Greeting, Some(450), Sign::Pressure),
            (Greeting, Some(554), Sign::None),
            (Tls, None, Sign::None),
            (Auth, Some(535), Sign::None),
            (Auth, Some(421), Sign::Pressure),
            (MailFrom, Some(451), Sign::Pressure),
            (MailFrom, Some(550), Sign::None),
            (MailFrom, None, Sign::None),
            (Recipient, Some(421), Sign::Pressure),
            (Recipient, Some(450), Sign::Quick),
            (Recipient, Some(550), Sign::Quick),
            (Data, Some(451), Sign::Quick),
            (Body, None, Sign::None),
            (FinalDot, Some(554), Sign::Quick),
            (FinalDot, None, Sign::None),
        ];
        for (phase, code, sign) in table {
            let reply = code.map(|code| Reply { code, enhanced: None });
            let outcome = SendOutcome::Deferred(Trouble { phase, reply, detail: String::new() });
            assert_eq!(Sign::of(&outcome, SOON), sign, "{phase:?} {code:?}");
        }
        assert_eq!(Sign::of(&SendOutcome::Sent, SOON), Sign::Quick);
        assert_eq!(Sign::of(&SendOutcome::Sent, 2 * QUICK), Sign::None);
    }
}
