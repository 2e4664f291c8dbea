//! What a key may do here, and what an invitee will be in the product.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the holder of an API key may do in its organization: `admin` everything, `member` reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Everything in the organization, keys included.
    Admin,
    /// Reading only.
    Member,
}

impl KeyRole {
    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// Reads [`KeyRole::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "admin" => Some(Self::Admin),
            "member" => Some(Self::Member),
            _ => None,
        }
    }
}

/// The role an invitee gets in the product; the product names its own, so it is not an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipRole(String);

/// Why a text is no role here. Shown to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Not of the form that role names have.
    #[error(
        "must be 1 to 64 letters, digits, '_', '-', '.' or ':', starting with a letter or digit"
    )]
    Malformed,
    /// The organization names its roles, and this is none of them.
    #[error("must be one of {0}")]
    Unknown(String),
}

/// Which roles an organization gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolePolicy {
    /// Whoever is invited without a role gets this one.
    pub default: MembershipRole,
    /// The only roles there are; `None` if the organization has not named them.
    pub allowed: Option<Vec<MembershipRole>>,
}

impl RolePolicy {
    /// The role for an invitation that asks for `wanted`.
    pub fn choose(&self, wanted: Option<&str>) -> Result<MembershipRole, RoleError> {
        let Some(wanted) = wanted else { return Ok(self.default.clone()) };
        let role = MembershipRole::parse(wanted)?;
        match &self.allowed {
            Some(allowed) if !allowed.contains(&role) => {
                let names: Vec<_> = allowed.iter().map(MembershipRole::as_str).collect();
                Err(RoleError::Unknown(names.join(", ")))
            }
            _ => Ok(role),
        }
    }
}

impl MembershipRole {
    /// Reads a role name such as `member` or `billing:read`.
    pub fn parse(text: &str) -> Result<Self, RoleError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.:".contains(&b);
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if starts && text.len() <= 64 && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RoleError::Malformed)
        }
    }

    /// The role's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for MembershipRole {
    fn default() -> Self {
        Self("member".to_owned())
    }
}

impl fmt::Display for MembershipRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
