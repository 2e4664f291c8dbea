//! The figures of the large run: the same thing with and without a long past.

use crate::figures::{Better, Figure};
use crate::samples::Samples;

/// All of them.
pub const LARGE: &[Figure] = &[
    Figure {
        id: "accepted_large",
        title: "accepted at 64 connections",
        unit: "/s",
        against: "on an empty database",
        value: |samples| samples.get("large.accepted_per_s"),
        limit: Some(|samples| samples.get("empty.accepted_per_s")),
        better: Better::Higher,
        at_least: 0.8,
        goal: 0.95,
    },
    Figure {
        id: "claim_large",
        title: "mails claimed in a second of the database's time (lock, claim, secret)",
        unit: "/s",
        against: "on an empty database",
        value: |samples| claims_per_s(samples, "large"),
        limit: Some(|samples| claims_per_s(samples, "empty")),
        better: Better::Higher,
        at_least: 0.8,
        goal: 0.95,
    },
];

/// What both statements of a claim take for a mail.
fn claims_per_s(samples: &Samples, which: &str) -> Option<f64> {
    let ms = |part| samples.get(&format!("{which}.{part}_ms"));
    Some(1000.0 / (ms("lock")? + ms("claim")?))
}
