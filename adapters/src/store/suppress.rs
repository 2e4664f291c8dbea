//! Puts addresses on the list of those that get no mail of an organization.

use domain::{SuppressionId, SuppressionReason, Timestamp};
use entity::{invitation, suppression};
use sea_orm::Set;
use sea_orm::prelude::Uuid;

use crate::rng;

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
