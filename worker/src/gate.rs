//! Shares one [`Breaker`] between all slots and tells the rest of the program what it learnt.

use std::sync::{Mutex, MutexGuard, PoisonError};

use adapters::health::Health;
use adapters::settings::RetrySettings;
use domain::{SendOutcome, Trouble};
use tokio::time::Instant;

use crate::breaker::{self, Breaker, Lesson};

/// Where each mail asks before it is tried.
pub struct Gate {
    breaker: Mutex<Breaker>,
    health: Health,
}

/// Whether a mail may be tried.
pub enum Admission<'a> {
    /// Yes.
    Go(Pass<'a>),
    /// Not now; see [`breaker::Admission::Postpone`].
    Postpone {
        /// What is wrong.
        trouble: Trouble,
        /// How long to wait.
        pause: std::time::Duration,
    },
}

/// The right to try one mail. Dropped without a verdict, it leaves the probe to the next mail.
pub struct Pass<'a> {
    gate: &'a Gate,
    pass: breaker::Pass,
}

impl Gate {
    /// An open way, until something is known against it.
    pub fn new(settings: &RetrySettings, health: Health) -> Self {
        let breaker = Breaker::new(settings.breaker_min, settings.breaker_max);
        Self { breaker: Mutex::new(breaker), health }
    }

    /// Asks whether a mail may be tried now.
    pub fn admit(&self) -> Admission<'_> {
        match self.breaker().admit(Instant::now(), &mut adapters::rng()) {
            breaker::Admission::Go(pass) => Admission::Go(Pass { gate: self, pass }),
            breaker::Admission::Postpone { trouble, pause } => {
                Admission::Postpone { trouble, pause }
            }
        }
    }

    /// Whether nothing is known against the mail server.
    pub fn is_clear(&self) -> bool {
        self.breaker().trouble().is_none()
    }

    /// Forgets trouble that no mail has met for long.
    pub fn forget_if_stale(&self) {
        let mut breaker = self.breaker();
        if breaker.forget_if_stale(Instant::now()) {
            tracing::info!("no mail was due for long; the next one finds out how the server is");
            self.publish(&breaker);
        }
    }

    /// Shown while the lock is held, so that the last word is also the last state.
    fn publish(&self, breaker: &Breaker) {
        self.health.set_mail_trouble(breaker.trouble().map(|trouble| trouble.detail.clone()));
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // Every method leaves the breaker whole, so a poisoned lock spoils nothing.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Pass<'a> {
    /// Asks again after a wait: another mail may have met trouble meanwhile.
    pub fn confirm(self) -> Admission<'a> {
        if self.pass == breaker::Pass::Probe || self.gate.is_clear() {
            return Admission::Go(self);
        }
        self.gate.admit()
    }

    /// Says how the mail ended that the pass was for.
    pub fn learn(self, outcome: &SendOutcome) -> Lesson {
        let gate = self.gate;
        let mut breaker = gate.breaker();
        let was_clear = breaker.trouble().is_none();
        let lesson = breaker.learn(self.pass, outcome, Instant::now(), &mut adapters::rng());
        match (&lesson, breaker.trouble()) {
            (Lesson::Recovered, _) => tracing::info!("mail can be sent again"),
            (Lesson::Postpone(_), Some(trouble)) if was_clear => tracing::error!(
                phase = trouble.phase.as_str(),
                reply.code = trouble.reply.as_ref().map(|reply| reply.code),
                detail = trouble.detail,
                "mail cannot be sent at present; it waits, nothing is failed"
            ),
            _ => {}
        }
        gate.publish(&breaker);
        drop(breaker);
        // The verdict is in. Giving the probe back as well could take it from the next mail.
        std::mem::forget(self);
        lesson
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.gate.breaker().release(self.pass);
    }
}
