//! The section about many invitations at once.

use std::time::Duration;

use serde::Serialize;

use super::source::Leaves;
use super::{SettingsError, duration};

/// Batches.
#[derive(Debug, Clone, Serialize)]
pub struct BatchSettings {
    /// How long the body of a batch may be, in bytes.
    pub body_limit_bytes: u64,
    /// Rows that a batch may have.
    pub max_rows: u32,
    /// Rows that a batch may have which is all or nothing.
    pub max_atomic_rows: u32,
    /// How long a batch may take to arrive.
    #[serde(serialize_with = "duration::serialize")]
    pub receive_timeout: Duration,
    /// Unfinished batches that one organization may have.
    pub per_organization: u64,
    /// Mails that may wait for a worker while batches go on.
    pub mails_ahead: u64,
    /// How often to look for batches that another process took in.
    #[serde(serialize_with = "duration::serialize")]
    pub poll: Duration,
    /// How long finished batches are kept.
    #[serde(serialize_with = "duration::serialize")]
    pub keep: Duration,
}

impl BatchSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            body_limit_bytes: values.number("batches.body_limit_bytes", 1024..=1_073_741_824)?,
            max_rows: values.number("batches.max_rows", 1..=1_000_000)?,
            max_atomic_rows: values.number("batches.max_atomic_rows", 1..=10_000)?,
            receive_timeout: values.duration("batches.receive_timeout")?,
            per_organization: values.number("batches.per_organization", 1..=1000)?,
            mails_ahead: values.number("batches.mails_ahead", 1..=1_000_000)?,
            poll: values.duration("batches.poll")?,
            keep: values.duration("batches.keep")?,
        })
    }
}
