//! What an invitee will be beside the role, in words that the product chooses and we only keep.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A member's place in the organization: each part is there only if the inviter gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Position {
    /// What the member does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Accountant")]
    pub job_title: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Finance")]
    pub department: Option<String>,
    /// The product's own word for how far the member gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "basic")]
    pub access_level: Option<String>,
    /// Whether the product should give the member its usual working days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    pub auto_assign_default_workdays: Option<bool>,
    /// The product's own number for the kind of membership.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    pub scope: Option<i32>,
    /// What the member may read and manage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub permissions: Option<Permissions>,
    /// The product's own number for the profession.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    pub profession_id: Option<i64>,
}

/// What a member may do, as numbers of the product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Permissions {
    /// A group of permissions; 0 is none.
    #[schema(example = 0)]
    pub group: i64,
    /// What the member may read.
    #[schema(example = json!([1, 2]))]
    pub read: Vec<i64>,
    /// What the member may change; reading it is included.
    #[schema(example = json!([1]))]
    pub manage: Vec<i64>,
}

impl Permissions {
    /// Whether somebody with these permissions has all of `wanted`: nobody gives what they lack.
    pub fn cover(&self, wanted: &Self) -> bool {
        (wanted.group == 0 || wanted.group == self.group)
            && wanted.manage.iter().all(|id| self.manage.contains(id))
            && wanted.read.iter().all(|id| self.read.contains(id) || self.manage.contains(id))
    }
}
