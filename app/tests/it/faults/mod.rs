//! Faults, injected for real: what was promised is kept, and the service heals by itself.
//!
//! Each test proves that its fault happened and then holds everything that clients were told
//! against what the mail server got and what the database says (`processes/history.rs`). Its row of
//! the table in docs/reliability.md is written by [`record`].

mod broker;
#[cfg(feature = "long-faults")]
mod cluster;
mod crashes;
mod database;
#[cfg(feature = "long-faults")]
mod endurance;
mod full_disk;
mod imported;
mod mail;
mod operator;
mod poison;
pub mod proxy;
mod queue;
#[cfg(feature = "long-faults")]
mod race;
#[cfg(feature = "long-faults")]
mod redrive;
mod relay;
mod smtp;
#[cfg(feature = "long-faults")]
mod smtp_long;
#[cfg(feature = "long-faults")]
mod smtp_pace;
mod smtp_pipelining;
mod smtp_protocol;
#[cfg(feature = "long-faults")]
mod topology;
mod worker;
#[cfg(feature = "long-faults")]
mod worker_long;

use std::time::{Duration, Instant};

use self::operator::{Operator, until_published};
use crate::processes::fleet::Fleet;
use crate::processes::history::Tally;
pub use crate::processes::record::{Repeats, record};

/// Limits that are minutes in production, small enough for a test: a worker that is gone is noticed
/// within seconds.
pub const HASTE: [(&str, &str); 9] = [
    ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "2s"),
    ("WELCOMAT_WORKER_LEASE", "4s"),
    ("WELCOMAT_WORKER_RESCUE_INTERVAL", "300ms"),
    ("WELCOMAT_WORKER_REQUEUE_AFTER", "5s"),
    ("WELCOMAT_WORKER_CONCURRENCY", "8"),
    ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "500ms"),
    // A busy machine may take longer to a final dot than so short a lease allows.
    ("WELCOMAT_RETRY_PAUSES", "500ms"),
    ("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "3s"),
    ("WELCOMAT_RELAY_LOCK", "4s"),
];

/// For faults that concern no mail: nobody loses patience with one because the machine is slow or
/// the test holds it back.
pub const CALM: [(&str, &str); 2] =
    [("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "60s"), ("WELCOMAT_WORKER_LEASE", "20m")];

/// Takes the net away that catches whatever the broker lost: what is lost stays lost.
pub const NO_NET: [(&str, &str); 1] = [("WELCOMAT_WORKER_REQUEUE_AFTER", "1h")];

/// How soon everything is well again once a fault is over, with the limits of [`HASTE`].
const HEALING: Duration = Duration::from_secs(10);

/// Nobody else has this number.
const LATECOMER: usize = 1_000_000;

/// The fault is over now: everything must be settled soon, and no process is started again for it.
/// What was published twice has been taken twice before the mails are counted.
pub async fn heals(fleet: &Fleet) -> Tally {
    settles(fleet).await;
    until_published(&fleet.apis[0]).await;
    Operator::of(fleet).await.until_empty().await;
    // Whatever was taken last is on its way before somebody who is invited only now.
    let mails = fleet.sink.count();
    fleet.invite(LATECOMER..LATECOMER + 1).await;
    fleet.until_mails(mails + 1).await;
    fleet.settled().await
}

/// The fault is over now: everything must be settled soon.
pub async fn settles(fleet: &Fleet) -> Tally {
    let over = Instant::now();
    let tally = fleet.settled().await;
    assert!(over.elapsed() < HEALING, "healing took {:?}", over.elapsed());
    tally
}
