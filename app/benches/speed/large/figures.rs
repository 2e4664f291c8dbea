//! The figures of the large run: the same thing with and without a long past.

use crate::figures::{Better, Figure};

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
        title: "claims in a second of the database's time",
        unit: "/s",
        against: "on an empty database",
        value: |samples| samples.get("large.claim_ms").map(|ms| 1000.0 / ms),
        limit: Some(|samples| samples.get("empty.claim_ms").map(|ms| 1000.0 / ms)),
        better: Better::Higher,
        at_least: 0.8,
        goal: 0.95,
    },
];
