//! Faults, injected for real: what was promised is kept, and the service heals by itself.
//!
//! Each test proves that its fault happened and then holds everything that clients were told
//! against what the mail server got and what the database says (`processes/history.rs`). Its row of
//! the table in docs/reliability.md is written by [`record`].

mod crashes;
#[cfg(feature = "long-faults")]
mod endurance;
mod mail;
mod poison;
mod proxy;
mod queue;
#[cfg(feature = "long-faults")]
mod redrive;
mod smtp;
#[cfg(feature = "long-faults")]
mod smtp_long;
mod smtp_protocol;
mod worker;
#[cfg(feature = "long-faults")]
mod worker_long;

use std::path::Path;

use crate::processes::history::Tally;

/// Limits that are minutes in production, small enough for a test: a worker that is gone is noticed
/// within seconds.
pub const HASTE: [(&str, &str); 8] = [
    ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "2s"),
    ("WELCOMAT_WORKER_LEASE", "4s"),
    ("WELCOMAT_WORKER_RESCUE_INTERVAL", "300ms"),
    ("WELCOMAT_WORKER_REQUEUE_AFTER", "5s"),
    ("WELCOMAT_WORKER_CONCURRENCY", "8"),
    ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "500ms"),
    ("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "3s"),
    ("WELCOMAT_RELAY_LOCK", "4s"),
];

/// How many mails may have come twice.
pub enum Repeats {
    /// The fault leaves no doubt about any mail.
    None,
    /// So many at most: one for each moment of doubt.
    UpTo(usize),
}

/// Nothing is lost, no mail is repeated without need, and a repeat is the same mail. Leaves a row
/// for the table of the last run: the fault's number, what it is, and the tally.
pub fn record(number: &str, fault: &str, tally: &Tally, repeats: &Repeats) {
    let row = format!("| {number} | {fault} {tally}\n");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(number), &row).unwrap();
    assert_eq!((tally.lost, tally.unasked, tally.differing), (0, 0, 0), "{row}");
    assert_eq!(tally.sent + tally.failed, tally.acknowledged.max(tally.sent + tally.failed));
    match repeats {
        Repeats::None => assert_eq!(tally.repeated, 0, "{row}"),
        Repeats::UpTo(most) => assert!(tally.repeated <= *most, "{row}"),
    }
}
