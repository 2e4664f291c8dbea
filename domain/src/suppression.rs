//! Why an organization must not write to an address.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Feedback;

/// Why an address gets no mail of an organization. `no_such_recipient`: the mail server refused it;
/// `hard_bounce`: a mail to it came back; `complaint`: its owner called a mail spam; `unwanted`: its owner
/// did not expect an invitation; `by_hand`: an admin put it on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "hard_bounce")]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The SMTP server refused the address for good.
    NoSuchRecipient,
    /// A mail came back after it was sent.
    HardBounce,
    /// Its owner called a mail spam.
    Complaint,
    /// Its owner did not expect an invitation.
    Unwanted,
    /// An admin put it on the list.
    ByHand,
}

impl SuppressionReason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::NoSuchRecipient, Self::HardBounce, Self::Complaint, Self::Unwanted, Self::ByHand];

    /// What feedback on a mail means for its address, if anything.
    pub const fn of(feedback: Feedback) -> Option<Self> {
        match feedback {
            Feedback::Bounced(crate::Bounce::Hard) => Some(Self::HardBounce),
            Feedback::Complained => Some(Self::Complaint),
            Feedback::Bounced(crate::Bounce::Soft) | Feedback::Delivered => None,
        }
    }

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchRecipient => "no_such_recipient",
            Self::HardBounce => "hard_bounce",
            Self::Complaint => "complaint",
            Self::Unwanted => "unwanted",
            Self::ByHand => "by_hand",
        }
    }

    /// Reads [`SuppressionReason::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}
