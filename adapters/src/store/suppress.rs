//! Puts addresses on the list of those that get no mail of an organization.

use domain::{SuppressionId, SuppressionReason, Timestamp};
use entity::{delivery, invitation, suppression};
use sea_orm::Set;
use sea_orm::prelude::Uuid;
use sha2::{Digest, Sha256};

use super::bulk;
use super::enlist::Suppressed;
use crate::rng;

/// What stands in place of an address that was erased begins with this, as no address does.
pub(super) const ERASED: &str = "sha256:";

/// What an entry goes by: the address, or what is left of it once its person was erased. That tells an
/// address one knows from another, which is all that sparing it takes.
///
/// Each organization has another one, so that nobody sees that two of them are about one person. It has no
/// key: one that is lost or changed would let mail go to whoever must not get any.
pub(super) fn keys(organization: Uuid, email_normalized: &str) -> [String; 2] {
    let mut hash = Sha256::new_with_prefix(organization.as_bytes());
    hash.update(email_normalized);
    let digits = bulk::hex(&hash.finalize());
    let digits = digits.trim_start_matches("\\x");
    [email_normalized.to_owned(), format!("{ERASED}{digits}")]
}

/// Why an address gets no mail, if it is among those that were found by their [`keys`].
pub(super) fn reason<'a>(
    found: &'a Suppressed,
    organization: Uuid,
    email_normalized: &str,
) -> Option<&'a str> {
    if found.is_empty() {
        return None;
    }
    let mut keys = keys(organization, email_normalized).into_iter();
    keys.find_map(|key| found.get(&(organization, key))).map(String::as_str)
}

/// The invited address, as a row that is to be inserted unless it is there already: the first reason stays.
pub(super) fn row(
    now: Timestamp,
    invitation: &invitation::Model,
    reason: SuppressionReason,
) -> suppression::ActiveModel {
    address(now, invitation.organization_id, invitation.email_normalized.clone(), reason)
}

/// The same for an address by itself.
pub(super) fn address(
    now: Timestamp,
    organization: Uuid,
    email_normalized: String,
    reason: SuppressionReason,
) -> suppression::ActiveModel {
    suppression::ActiveModel {
        organization_id: Set(organization),
        email_normalized: Set(email_normalized),
        id: Set(SuppressionId::new(now, &mut rng()).uuid()),
        reason: Set(reason.as_str().to_owned()),
        created_at: Set(now),
    }
}

/// Adds to what the log says of a new mail why it is not to be sent, if it is not: no other event tells.
pub(super) fn note(data: &mut serde_json::Value, mail: &delivery::Model) {
    if let Some(reason) = &mail.reason {
        data["suppressed"] = reason.as_str().into();
    }
}

/// The reason of a suppression, for people.
pub(super) fn why(reason: &str) -> &'static str {
    match SuppressionReason::parse(reason) {
        Some(SuppressionReason::Unwanted) => {
            "the person behind this address did not expect an invitation, so none is sent"
        }
        Some(SuppressionReason::HardBounce) => {
            "an earlier mail to this address came back for good, so none is tried"
        }
        Some(SuppressionReason::Complaint) => {
            "the person behind this address called an earlier mail spam, so none is sent"
        }
        Some(SuppressionReason::ByHand) => {
            "an admin has put this address on the list of those that get no mail"
        }
        Some(SuppressionReason::NoSuchRecipient) | None => {
            "an earlier mail to this address was refused for good, so none is tried"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_address_is_known_again_in_its_organization_only() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let [address, erased] = keys(one, "ann@example.com");
        assert_eq!(address, "ann@example.com");
        assert!(erased.starts_with(ERASED) && !erased.contains("ann"), "{erased}");
        let found = Suppressed::from([((one, erased), "unwanted".to_owned())]);
        assert_eq!(reason(&found, one, "ann@example.com"), Some("unwanted"));
        assert_eq!(reason(&found, one, "bob@example.com"), None);
        assert_eq!(reason(&found, other, "ann@example.com"), None);
        assert_eq!(reason(&Suppressed::new(), one, "ann@example.com"), None);
    }
}
