//! The section about how long people are remembered.

use std::time::Duration;

use serde::Serialize;

use super::SettingsError;
use super::source::Leaves;

const DAY: Duration = Duration::from_hours(24);
/// Ten years: nobody means more.
const MOST_DAYS: u32 = 3660;

/// What becomes of invitations that ended long ago.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RetentionSettings {
    /// After so many days they tell of nobody; 0 is never.
    pub anonymize_after_days: u32,
    /// After so many days their history is deleted; 0 is never.
    pub delete_after_days: u32,
}

impl RetentionSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            anonymize_after_days: values.number("retention.anonymize_after_days", 0..=MOST_DAYS)?,
            delete_after_days: values.number("retention.delete_after_days", 0..=MOST_DAYS)?,
        })
    }

    /// How long after its end an invitation is made anonymous; `None` is never.
    pub fn anonymize_after(&self) -> Option<Duration> {
        days(self.anonymize_after_days)
    }

    /// How long after its end an invitation's history is deleted; `None` is never.
    pub fn delete_after(&self) -> Option<Duration> {
        days(self.delete_after_days)
    }
}

fn days(count: u32) -> Option<Duration> {
    (count > 0).then(|| DAY * count)
}
