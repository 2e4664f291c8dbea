//! Invitees who did not expect to be invited: the organization's mails spare them from then on.

use domain::{EventKind, SuppressionReason, Timestamp};
use entity::invitation;
use sea_orm::DatabaseTransaction;

use super::audit::{self, By};
use super::{Result, insert_if_new, suppress};

/// Suppresses the invited address for the organization, and notes it the first time.
pub(super) async fn suppress(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: &invitation::Model,
) -> Result<()> {
    let row = suppress::row(now, invitation, SuppressionReason::Unwanted);
    if insert_if_new(tx, row).await? {
        let data = serde_json::json!({});
        audit::record(tx, now, invitation, EventKind::Unwanted, By::Invitee, data).await?;
    }
    Ok(())
}
