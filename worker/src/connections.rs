//! Lends the connections to the mail server: the one that was used last first, and as many at once
//! as the [`Pace`] allows.
//!
//! A mail holds a connection only while it is being sent. Whoever does not bring one back (a panic,
//! an end of the worker) has spoilt it: it may hold the answer to another mail, and is dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};

use adapters::mailer::{Mail, Mailer, Slot};
use domain::SendOutcome;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::pace::{Pace, Round, Sign};

/// How many mails may be sent or on their way for each connection: enough that reports form batches
/// while the next are sent.
const OPEN: usize = 8;

/// All connections of a worker.
pub struct Connections {
    mailer: Mailer,
    /// One for each connection that may be lent; whoever waits longest is served first.
    permits: Semaphore,
    /// [`OPEN`] for each connection: so many mails may be under way or sent without a report. They are
    /// what comes twice if the worker dies, and there is no end to them while no report is heard.
    open: Semaphore,
    state: Mutex<State>,
}

struct State {
    pace: Pace,
    /// Permits that exist, taken ones too. Follows the limit of the pace.
    permits: usize,
    lent: usize,
    /// What is not lent; used last at the end.
    idle: Vec<Slot>,
}

/// The right to use a connection, which may have to be made first.
pub struct Lent<'a> {
    home: &'a Connections,
    permit: Option<SemaphorePermit<'a>>,
    slot: Option<Slot>,
    round: Round,
    since: Instant,
}

/// A mail that may be sent while nobody else knows; to be dropped once it is reported.
pub struct Unreported<'a> {
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    /// None is made yet, and never more than `most`.
    pub fn new(mailer: Mailer, most: usize) -> Self {
        let pace = Pace::new(most);
        let permits = pace.limit();
        let state = State { pace, permits, lent: 0, idle: Vec::with_capacity(permits) };
        let (permits, open) = (Semaphore::new(permits), Semaphore::new(OPEN * permits));
        Self { mailer, permits, open, state: Mutex::new(state) }
    }

    /// Waits until then for reports of earlier mails, if too many lack theirs; `None` if none came. To be
    /// asked for before a mail is made, so that not all that is in hand lies around as a mail.
    pub async fn room(&self, until: Instant) -> Option<Unreported<'_>> {
        let permit = timeout_at(until, self.open.acquire()).await.ok()?.ok()?;
        Some(Unreported { _permit: permit })
    }

    /// Waits for a connection until then; `None` if none came free.
    pub async fn lend(&self, until: Instant) -> Option<Lent<'_>> {
        let permit = timeout_at(until, self.permits.acquire()).await.ok()?.ok()?;
        let mut state = self.state();
        state.lent += 1;
        let slot = state.idle.pop().unwrap_or_else(|| self.mailer.slot());
        let round = state.pace.round();
        drop(state);
        let (permit, slot, since) = (Some(permit), Some(slot), Instant::now());
        Some(Lent { home: self, permit, slot, round, since })
    }

    /// Takes leave of the server on every connection that is not lent.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        idle.into_iter().map(Slot::close).collect::<JoinSet<()>>().join_all().await;
    }

    /// Lets as many be lent as the pace allows after another mail.
    fn learn(&self, round: Round, sign: Sign) {
        let work_waits = self.permits.available_permits() == 0;
        let mut state = self.state();
        let before = state.pace.limit();
        state.pace.learn(round, sign, work_waits);
        let limit = state.pace.limit();
        if limit < before {
            tracing::info!(limit, "the mail server is under pressure; fewer connections to it");
        } else if limit > before {
            tracing::debug!(limit, "one more connection to the mail server");
        }
        if limit > state.permits {
            self.permits.add_permits(limit - state.permits);
            state.permits = limit;
        } else {
            // Those that are taken go when they come back.
            state.permits -= self.permits.forget_permits(state.permits - limit);
        }
        let surplus = (state.lent + state.idle.len()).saturating_sub(limit);
        let surplus = surplus.min(state.idle.len());
        state.idle.drain(..surplus).for_each(take_leave);
    }

    fn take_back(&self, permit: SemaphorePermit<'_>, slot: Option<Slot>) {
        let mut state = self.state();
        state.lent -= 1;
        if state.permits > state.pace.limit() {
            state.permits -= 1;
            permit.forget();
            slot.into_iter().for_each(take_leave);
            return;
        }
        // Before its permit: whoever waits for that takes this one.
        state.idle.extend(slot);
        drop(permit);
        // Few are in use, or the one that was used longest ago would not be so old.
        if state.idle.first().is_some_and(Slot::is_worn) {
            take_leave(state.idle.remove(0));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every use leaves the state whole, so a poisoned lock spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// Tries once to hand the mail over, see [`Slot::send`], and gives the connection back.
    pub async fn send(mut self, mail: &Mail, dot_deadline: Instant) -> SendOutcome {
        // Away from here meanwhile: what is dropped half-way is not given back.
        let mut slot = self.slot.take().unwrap_or_else(|| self.home.mailer.slot());
        let outcome = slot.send(mail, dot_deadline).await;
        self.slot = Some(slot);
        self.home.learn(self.round, Sign::of(&outcome, self.since.elapsed()));
        outcome
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.home.take_back(permit, self.slot.take());
        }
    }
}

/// In its own time: nobody has to wait for it.
fn take_leave(slot: Slot) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(slot.close());
    }
}
