//! A mail that shows what a template makes: it is tried once, while whoever asked for it looks on.
//!
//! ```text
//! queued ──▶ sending ──▶ sent | failed | uncertain
//! ```
//!
//! Nothing depends on it and a person waits for it, so that trouble is told and not waited out: they
//! ask again once it is over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SendOutcome;

/// How a test mail stands.
///
/// `sent`: the mail server took it. `failed`: it did not, and nothing is tried again. `uncertain`: it may
/// have arrived, because the answer of the mail server, or the worker, was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "sent")]
#[serde(rename_all = "snake_case")]
pub enum TestMailStatus {
    /// A worker will take it.
    Queued,
    /// A worker has it.
    Sending,
    /// The mail server took it.
    Sent,
    /// It did not leave.
    Failed,
    /// It may have arrived.
    Uncertain,
}

impl TestMailStatus {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Sending, Self::Sent, Self::Failed, Self::Uncertain];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
        }
    }

    /// Reads [`TestMailStatus::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more happens to it.
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }

    /// Where its one attempt leaves it.
    pub const fn after(outcome: &SendOutcome) -> Self {
        match outcome {
            SendOutcome::Sent => Self::Sent,
            SendOutcome::Uncertain(_) => Self::Uncertain,
            _ => Self::Failed,
        }
    }

    /// Where it ends if its worker or its job is not heard of any more; `None` if it has ended.
    pub const fn when_lost(self) -> Option<Self> {
        match self {
            Self::Queued => Some(Self::Failed),
            Self::Sending => Some(Self::Uncertain),
            Self::Sent | Self::Failed | Self::Uncertain => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Phase, Trouble};

    use super::*;

    #[test]
    fn each_word_is_read_back_and_each_end_is_one() {
        for status in TestMailStatus::ALL {
            assert_eq!(TestMailStatus::parse(status.as_str()), Some(status));
            assert_eq!(status.when_lost().is_none(), status.has_ended(), "{status:?}");
        }
        assert_eq!(TestMailStatus::parse("retrying"), None);
    }

    #[test]
    fn one_attempt_decides() {
        let trouble = || Trouble { phase: Phase::Connect, reply: None, detail: String::new() };
        let table = [
            (SendOutcome::Sent, TestMailStatus::Sent),
            (SendOutcome::Uncertain(trouble()), TestMailStatus::Uncertain),
            (SendOutcome::Ours(trouble()), TestMailStatus::Failed),
            (SendOutcome::Unrenderable(trouble()), TestMailStatus::Failed),
        ];
        for (outcome, status) in table {
            assert_eq!(TestMailStatus::after(&outcome), status, "{outcome:?}");
        }
    }
}
