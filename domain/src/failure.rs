//! Why the sending of a mail was given up.

use serde::{Deserialize, Serialize};

/// Why a delivery was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The mailbox does not exist; the address is suppressed from now on.
    NoSuchRecipient,
    /// The server refused this mail for good.
    Refused,
    /// The mail could not be made from its template.
    Unrenderable,
    /// It was put off until its time was over.
    Exhausted,
}

impl FailureReason {
    /// Every reason.
    pub const ALL: [Self; 4] =
        [Self::NoSuchRecipient, Self::Refused, Self::Unrenderable, Self::Exhausted];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchRecipient => "no_such_recipient",
            Self::Refused => "refused",
            Self::Unrenderable => "unrenderable",
            Self::Exhausted => "exhausted",
        }
    }

    /// Reads [`FailureReason::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}
