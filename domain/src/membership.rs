//! Where a person's place in an organization stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The word for it, in the database and on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MembershipStatus {
    /// There is, or was, an invitation that has not been accepted.
    Invited,
    /// The person has joined.
    Active,
    /// The person was a member once.
    Removed,
}

impl MembershipStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 3] = [Self::Invited, Self::Active, Self::Removed];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Removed => "removed",
        }
    }

    /// Reads [`MembershipStatus::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
