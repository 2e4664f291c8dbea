//! Invitees who did not expect to be invited: the organization's mails spare them from then on.

use domain::{EventKind, Timestamp};
use entity::{invitation, suppression};
use sea_orm::{DatabaseTransaction, Set};

use super::audit::{self, By};
use super::{Result, insert_if_new};

/// Why an address is suppressed whose owner wants no mail.
const UNWANTED: &str = "unwanted";

/// Suppresses the invited address for the organization, and notes it the first time.
pub(super) async fn suppress(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: &invitation::Model,
) -> Result<()> {
    let row = suppression::ActiveModel {
        organization_id: Set(invitation.organization_id),
        email_normalized: Set(invitation.email_normalized.clone()),
        reason: Set(UNWANTED.to_owned()),
        created_at: Set(now),
    };
    if insert_if_new(tx, row).await? {
        let data = serde_json::json!({});
        audit::record(tx, now, invitation, EventKind::Unwanted, By::Invitee, data).await?;
    }
    Ok(())
}

/// The reason of a suppression, for people.
pub(super) fn why_suppressed(reason: &str) -> &'static str {
    match reason {
        UNWANTED => "the person behind this address did not expect an invitation, so none is sent",
        _ => "an earlier mail to this address was refused for good, so none is tried",
    }
}
