//! How the relay of this process hears of rows in the outbox, and how it gets those that a transaction
//! has just written without asking the database for them: they are locked for it from the start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{LockToken, Timestamp};
use entity::outbox;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::outbox::OutboxEntry;
use crate::rng;

/// How many rows wait for the relay, at most; what does not fit is claimed like any other row.
const ROOM: usize = 2048;

/// Between the transactions and the relay of one process.
#[derive(Default)]
pub struct Outlet {
    woken: Notify,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// For how long rows are locked; `None` while no relay works, or none publishes.
    open: Option<Duration>,
    /// Whether there may be rows that it has to claim.
    look: bool,
    /// Rows that transactions under way may still hand over.
    promised: usize,
    entries: Vec<OutboxEntry>,
}

/// Rows that one transaction locks for the relay. Dropped before they are handed over, they are
/// nobody's, as is right when the transaction was rolled back.
pub(super) struct Held {
    outlet: Arc<Outlet>,
    lock: LockToken,
    until: Timestamp,
    promised: usize,
    entries: Vec<OutboxEntry>,
}

impl Outlet {
    /// From now on rows are handed over, locked for so long: if the relay dies, another one publishes
    /// them then.
    pub fn open(&self, lock: Duration) {
        self.lock().open = Some(lock);
    }

    /// From now on rows are left to whoever claims them.
    pub fn close(&self) {
        self.lock().open = None;
    }

    /// What was handed over since the last call.
    pub fn take(&self) -> Vec<OutboxEntry> {
        std::mem::take(&mut self.lock().entries)
    }

    /// Whether, since the last call, rows were committed that have to be claimed.
    pub fn is_to_look(&self) -> bool {
        std::mem::take(&mut self.lock().look)
    }

    /// Ready when there is something new.
    pub fn woken(&self) -> Notified<'_> {
        self.woken.notified()
    }

    /// Tells the relay that rows are due; to be called after the commit.
    pub(super) fn wake(&self) {
        self.lock().look = true;
        self.woken.notify_one();
    }

    /// Room for so many rows of a transaction; `None` if there is none, or no relay.
    pub(super) fn hold(self: &Arc<Self>, rows: usize, now: Timestamp) -> Option<Held> {
        let mut inner = self.lock();
        let until = now + inner.open?;
        if inner.promised + inner.entries.len() + rows > ROOM {
            return None;
        }
        inner.promised += rows;
        let lock = LockToken::new(now, &mut rng());
        let outlet = Arc::clone(self);
        Some(Held { outlet, lock, until, promised: rows, entries: Vec::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Locks a new row, which is due at once.
    pub(super) fn add(&mut self, mut row: outbox::Model) -> outbox::Model {
        row.lock_token = Some(self.lock.uuid());
        row.locked_until = Some(self.until);
        row.tries = 1;
        self.entries.extend(OutboxEntry::new(&row, self.lock));
        row
    }

    /// Hands the rows to the relay; to be called after the commit.
    pub(super) fn hand_over(mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        self.outlet.lock().entries.append(&mut entries);
        self.outlet.woken.notify_one();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.outlet.lock().promised -= self.promised;
    }
}
