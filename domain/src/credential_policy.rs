//! What an invitation's mail lets the invitee in with.

use serde::{Deserialize, Serialize};

/// What the mail carries beside the invitation itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialPolicy {
    /// A link, and a temporary password for those whose link does not open.
    #[default]
    TemporaryPassword,
    /// The link alone: the inviter has told the invitee a password already.
    Link,
}

impl CredentialPolicy {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TemporaryPassword => "temporary_password",
            Self::Link => "link",
        }
    }

    /// Reads [`CredentialPolicy::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::TemporaryPassword, Self::Link].into_iter().find(|policy| policy.as_str() == word)
    }
}
