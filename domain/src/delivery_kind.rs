//! What a mail is for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a mail is for: `invitation` invites, `reminder` comes after it, as the organization's policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "invitation")]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// Invites, for the first time or once more.
    Invitation,
    /// Reminds of an invitation that nobody has answered.
    Reminder,
}

impl DeliveryKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Invitation, Self::Reminder];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reminder => "reminder",
        }
    }

    /// Reads [`DeliveryKind::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
