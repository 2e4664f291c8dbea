//! The section about the names of people and organizations.

use domain::{LinkPolicy, NamePolicy};
use serde::{Serialize, Serializer};

use super::SettingsError;
use super::source::Leaves;

/// What a name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NameSettings {
    /// What becomes of a name that looks like a link.
    #[serde(serialize_with = "serialize_links")]
    pub links: LinkPolicy,
}

impl NameSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self { links: values.text("names.links", links)? })
    }

    /// As the domain wants it.
    pub const fn policy(self) -> NamePolicy {
        NamePolicy { links: self.links }
    }
}

fn links(text: &str) -> Result<LinkPolicy, String> {
    match text {
        "refuse" => Ok(LinkPolicy::Refuse),
        "defang" => Ok(LinkPolicy::Defang),
        _ => Err(format!("must be refuse or defang, not {text:?}")),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn serialize_links<S: Serializer>(links: &LinkPolicy, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match links {
        LinkPolicy::Refuse => "refuse",
        LinkPolicy::Defang => "defang",
    })
}
