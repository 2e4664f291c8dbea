//! Mail that goes nowhere: kept in memory, bounded, for the web inbox and for tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{InvitationId, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use super::message::Mail;

/// The mails captured last, shared by everybody who holds a clone.
#[derive(Clone)]
pub struct CapturedInbox(Arc<Shared>);

struct Shared {
    mails: Mutex<VecDeque<Arc<Captured>>>,
    total: watch::Sender<u64>,
}

/// One captured mail.
#[derive(Debug)]
pub struct Captured {
    /// Grows with each mail.
    pub id: Uuid,
    /// When the mail was written.
    pub at: Timestamp,
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
    pub invitation_id: InvitationId,
    /// The message as it would have been sent.
    pub raw: Vec<u8>,
}

impl CapturedInbox {
    /// How many mails are kept; the oldest go first.
    pub const CAPACITY: usize = 1000;

    pub(super) fn new() -> Self {
        let (total, _) = watch::channel(0);
        Self(Arc::new(Shared { mails: Mutex::default(), total }))
    }

    pub(super) fn keep(&self, mail: &Mail) {
        let parts = &mail.parts;
        let mut mails = self.0.mails.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *self.0.total.borrow() + 1;
        mails.push_front(Arc::new(Captured {
            id: id(parts.date, number),
            at: parts.date,
            to: parts.to.envelope(),
            subject: parts.subject.clone(),
            text: parts.text.clone(),
            html: parts.html.clone(),
            headers: headers(&mail.raw),
            invitation_id: parts.invitation,
            raw: mail.raw.clone(),
        }));
        mails.truncate(Self::CAPACITY);
        // Under the lock, so that numbers are never given twice.
        self.0.total.send_replace(number);
    }

    /// The mails that are kept, newest first.
    pub fn list(&self) -> Vec<Arc<Captured>> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The mail of that id, if it is still kept.
    pub fn get(&self, id: Uuid) -> Option<Arc<Captured>> {
        let mails = self.0.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// Changes with each captured mail; the value counts them all, dropped ones included.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.total.subscribe()
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
