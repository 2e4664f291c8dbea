//! Mail that goes nowhere: kept in memory, bounded, for the web inbox and for tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{InvitationId, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use super::message::Mail;
use super::search::Search;

/// The mails captured last, shared by everybody who holds a clone.
#[derive(Clone)]
pub struct CapturedInbox(Arc<Shared>);

struct Shared {
    kept: Mutex<Kept>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    /// Newest first.
    mails: VecDeque<Arc<Captured>>,
    bytes: usize,
    /// How many mails were ever captured.
    total: u64,
}

/// One captured mail.
#[derive(Debug)]
pub struct Captured {
    /// Grows with each mail.
    pub id: Uuid,
    /// When the mail was written.
    pub at: Timestamp,
    /// The visible sender, decoded.
    pub from: String,
    /// The envelope's recipient.
    pub to: String,
    /// Decoded.
    pub subject: String,
    /// The plain body, decoded.
    pub text: String,
    /// The HTML body, decoded.
    pub html: String,
    /// The headers as sent: unfolded, encoded words left alone.
    pub headers: BTreeMap<String, String>,
    /// The invitation that the mail is about.
    pub invitation_id: Option<InvitationId>,
    /// The message as it would have been sent.
    pub raw: Vec<u8>,
}

impl CapturedInbox {
    /// How many mails are kept; the oldest go first.
    pub const CAPACITY: usize = 1000;
    /// How many bytes of mail are kept; the newest mail always is.
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;

    pub(super) fn new() -> Self {
        let (changes, _) = watch::channel(0);
        Self(Arc::new(Shared { kept: Mutex::default(), changes }))
    }

    pub(super) fn keep(&self, mail: &Mail) {
        let parts = &mail.parts;
        let mut kept = self.lock();
        kept.total += 1;
        let captured = Captured {
            id: id(parts.date, kept.total),
            at: parts.date,
            from: mail.from.clone(),
            to: parts.to.envelope(),
            subject: parts.subject.clone(),
            text: parts.text.clone(),
            html: parts.html.clone(),
            headers: headers(&mail.raw),
            invitation_id: parts.invitation,
            raw: mail.raw.clone(),
        };
        kept.bytes += captured.bytes();
        kept.mails.push_front(Arc::new(captured));
        kept.drop_oldest(Self::CAPACITY, Self::MAX_BYTES);
        self.tell();
    }

    /// The mails that are kept, newest first.
    pub fn list(&self) -> Vec<Arc<Captured>> {
        self.lock().mails.iter().cloned().collect()
    }

    /// Those of them that a search finds, newest first.
    pub fn find(&self, search: &Search) -> Vec<Arc<Captured>> {
        // Not under the lock: whoever sends a mail would wait for whoever searches.
        let mut mails = self.list();
        mails.retain(|mail| search.finds(mail));
        mails
    }

    /// How many mails are kept.
    pub fn count(&self) -> usize {
        self.lock().mails.len()
    }

    /// The mail of that id, if it is still kept.
    pub fn get(&self, id: Uuid) -> Option<Arc<Captured>> {
        self.lock().mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// Forgets these mails; gives how many of them were there.
    pub fn delete(&self, ids: &[Uuid]) -> usize {
        let mut kept = self.lock();
        let before = kept.mails.len();
        kept.mails.retain(|mail| !ids.contains(&mail.id));
        kept.bytes = kept.mails.iter().map(|mail| mail.bytes()).sum();
        let deleted = before - kept.mails.len();
        if deleted > 0 {
            self.tell();
        }
        deleted
    }

    /// Changes with each mail that is captured or deleted; the value counts these changes.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// A short text that is another one after each change, and after a restart.
    pub fn fingerprint(&self) -> String {
        let kept = self.lock();
        let newest = kept.mails.front().map(|mail| mail.id.simple().to_string());
        format!("{:x}-{}", *self.0.changes.borrow(), newest.as_deref().unwrap_or("none"))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.0.changes.send_modify(|changes| *changes += 1);
    }
}

impl Kept {
    fn drop_oldest(&mut self, most: usize, most_bytes: usize) {
        while self.mails.len() > most || (self.bytes > most_bytes && self.mails.len() > 1) {
            let Some(dropped) = self.mails.pop_back() else { return };
            self.bytes -= dropped.bytes();
        }
    }
}

impl Captured {
    /// What it takes in memory, near enough.
    fn bytes(&self) -> usize {
        self.raw.len() + self.html.len() + self.text.len()
    }
}

/// Unique by its number, ordered by its date; nobody has to be kept from guessing it.
fn id(at: Timestamp, number: u64) -> Uuid {
    let mut tail = [0; 10];
    tail[2..].copy_from_slice(&number.to_be_bytes());
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

fn headers(raw: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(raw);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    // A line that starts with white space continues the one before (RFC 5322 §2.2.3).
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(number: u64, size: usize) -> Arc<Captured> {
        Arc::new(Captured {
            id: Uuid::from_u128(number.into()),
            at: Timestamp::default(),
            from: String::new(),
            to: String::new(),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
            headers: BTreeMap::new(),
            invitation_id: Some(InvitationId::from_uuid(Uuid::nil())),
            raw: vec![0; size],
        })
    }

    #[test]
    fn the_oldest_go_when_bytes_run_out_and_the_newest_never() {
        let mut kept = Kept::default();
        for number in 1..=5 {
            kept.bytes += 40;
            kept.mails.push_front(captured(number, 40));
            kept.drop_oldest(10, 100);
        }
        let ids: Vec<u128> = kept.mails.iter().map(|mail| mail.id.as_u128()).collect();
        assert_eq!((ids, kept.bytes), (vec![5, 4], 80));
        kept.bytes += 500;
        kept.mails.push_front(captured(6, 500));
        kept.drop_oldest(10, 100);
        assert_eq!((kept.mails.len(), kept.bytes), (1, 500));
    }
}
