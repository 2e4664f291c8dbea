//! Many invitations that were asked for at once: where such a batch stands, and each of its rows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one bad row does to the others. `partial`: nothing, each row has a result of its own.
/// `atomic`: all rows are invited, or nobody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BatchMode, example = "partial")]
#[serde(rename_all = "snake_case")]
pub enum BatchMode {
    /// Each row has a result of its own.
    Partial,
    /// All rows are invited, or nobody is.
    Atomic,
}

/// Where a batch stands. `working`: rows wait for their turn. `done`: none does. `cancelled`:
/// somebody stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BatchStatus, example = "done")]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// All rows are there, and some may wait for their turn.
    Working,
    /// No row waits.
    Done,
    /// Somebody stopped it; what waited then is cancelled.
    Cancelled,
}

/// Where a row of a batch stands. `created`: invited. `pending`: had an open invitation already.
/// `member`: belongs to the organization already. `refused`: not invited, for the reason in `code`.
/// `invalid`: the row makes no sense as it is. `failed`: our fault. `cancelled`: the batch was
/// stopped before its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = BatchRowStatus, example = "created")]
#[serde(rename_all = "snake_case")]
pub enum BatchRowStatus {
    /// Its turn is still to come.
    Waiting,
    /// Invited.
    Created,
    /// Had an open invitation already.
    Pending,
    /// Belongs to the organization already.
    Member,
    /// Not invited; may be tried again.
    Refused,
    /// Makes no sense as it is.
    Invalid,
    /// Not invited through a fault of ours; may be tried again.
    Failed,
    /// The batch was stopped before its turn.
    Cancelled,
}

impl BatchMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Partial, Self::Atomic];

    /// The word in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Atomic => "atomic",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

impl BatchStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Working, Self::Done, Self::Cancelled];

    /// The word in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl BatchRowStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Created,
        Self::Pending,
        Self::Member,
        Self::Refused,
        Self::Invalid,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Those that another try may change.
    pub const RETRIED: [Self; 2] = [Self::Refused, Self::Failed];

    /// The word in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Member => "member",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_is_the_one_in_json() {
        fn same(word: &str, json: Result<String, serde_json::Error>) {
            assert_eq!(json.unwrap_or_default(), format!("\"{word}\""));
        }
        for mode in BatchMode::ALL {
            assert_eq!(BatchMode::parse(mode.as_str()), Some(mode));
            same(mode.as_str(), serde_json::to_string(&mode));
        }
        for status in BatchStatus::ALL {
            assert_eq!(BatchStatus::parse(status.as_str()), Some(status));
            same(status.as_str(), serde_json::to_string(&status));
        }
        for status in BatchRowStatus::ALL {
            assert_eq!(BatchRowStatus::parse(status.as_str()), Some(status));
            same(status.as_str(), serde_json::to_string(&status));
        }
        assert_eq!(BatchStatus::parse("nope"), None);
    }
}
