//! Decides whether mail is tried at all while the trouble is ours: connection, log-in, sender.
//!
//! ```text
//! closed ──trouble of ours──▶ open, for a pause ──pause over──▶ one probe is let through
//! open ──a mail got past MAIL FROM──▶ closed      probe fails ──▶ open, for twice the pause
//! ```
//!
//! Pure: time and randomness are arguments.

use std::time::Duration;

use domain::retry::jittered;
use domain::{Phase, SendOutcome, Trouble};
use rand::Rng;
use tokio::time::Instant;

/// The state of our way to the mail server.
#[derive(Debug)]
pub struct Breaker {
    shortest: Duration,
    longest: Duration,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    trouble: Trouble,
    pause: Duration,
    until: Instant,
    probing: bool,
}

/// Whether a mail may be tried.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes; whoever holds the pass says how it ended, or gives it back.
    Go(Pass),
    /// Not now.
    Postpone {
        /// What is wrong.
        trouble: Trouble,
        /// How long to wait.
        pause: Duration,
    },
}

/// The right to try one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Nothing was known against the server.
    Regular,
    /// The one mail that finds out whether the trouble is over.
    Probe,
}

/// What an outcome taught the breaker.
#[derive(Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Nothing new.
    Nothing,
    /// The trouble is ours: the mail waits this long.
    Postpone(Duration),
    /// The trouble is over: whatever was postponed can leave.
    Recovered,
}

impl Breaker {
    /// A closed breaker that will pause between `shortest` and `longest`.
    pub const fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, open: None }
    }

    /// What is wrong; `None` if nothing is known to be.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.open.as_ref().map(|open| &open.trouble)
    }

    /// Asks whether a mail may be tried at `now`.
    pub fn admit(&mut self, now: Instant, rng: &mut impl Rng) -> Admission {
        let shortest = self.shortest;
        let Some(open) = &mut self.open else { return Admission::Go(Pass::Regular) };
        if !open.probing && open.until <= now {
            open.probing = true;
            return Admission::Go(Pass::Probe);
        }
        Admission::Postpone { trouble: open.trouble.clone(), pause: open.wait(now, shortest, rng) }
    }

    /// Learns from the end of a mail that was let through.
    pub fn learn(
        &mut self,
        pass: Pass,
        outcome: &SendOutcome,
        now: Instant,
        rng: &mut impl Rng,
    ) -> Lesson {
        if let SendOutcome::Ours(trouble) = outcome {
            return Lesson::Postpone(self.failed(pass, trouble, now, rng));
        }
        if shows_that_the_server_works(outcome) && self.open.take().is_some() {
            return Lesson::Recovered;
        }
        self.release(pass);
        Lesson::Nothing
    }

    /// Takes back a pass whose mail taught nothing: the next mail may be the probe.
    pub fn release(&mut self, pass: Pass) {
        if let (Pass::Probe, Some(open)) = (pass, &mut self.open) {
            open.probing = false;
        }
    }

    /// Closes a breaker that nobody has probed for long; true if it did.
    ///
    /// Without mail there is no probe, and old trouble must not keep the service unready for ever.
    pub fn forget_if_stale(&mut self, now: Instant) -> bool {
        let longest = self.longest;
        self.open.take_if(|open| !open.probing && open.until + longest * 2 <= now).is_some()
    }

    fn failed(
        &mut self,
        pass: Pass,
        trouble: &Trouble,
        now: Instant,
        rng: &mut impl Rng,
    ) -> Duration {
        let pause = match (&self.open, pass) {
            (None, _) => self.shortest,
            (Some(open), Pass::Probe) => (open.pause * 2).min(self.longest),
            // It was on its way when another mail met the same trouble: nothing new.
            (Some(open), Pass::Regular) => return open.wait(now, self.shortest, rng),
        };
        let wait = jittered(pause, rng);
        let trouble = trouble.clone();
        self.open = Some(Open { trouble, pause, until: now + wait, probing: false });
        wait
    }
}

impl Open {
    /// How long a mail waits that is not to be the probe: a little longer than the probe.
    fn wait(&self, now: Instant, shortest: Duration, rng: &mut impl Rng) -> Duration {
        let probe = if self.probing { self.pause } else { self.until.duration_since(now) };
        probe + jittered(shortest, rng)
    }
}

/// Whether the server let us in and took our sender, whatever it thought of the mail.
fn shows_that_the_server_works(outcome: &SendOutcome) -> bool {
    outcome.trouble().is_none_or(|trouble| {
        let past_mail_from = (Phase::Recipient..=Phase::FinalDot).contains(&trouble.phase);
        past_mail_from && trouble.reply.is_some()
    })
}
