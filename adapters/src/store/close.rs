//! The end of an invitation, whatever ended it: its secret is shredded, its mail cancelled.

use domain::delivery::DeliveryEvent;
use domain::invitation::InvitationEvent;
use domain::{Delivery, EventKind, InvitationStatus, Timestamp};
use entity::{delivery, invitation};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::audit::{self, By};
use super::{Result, StoreError, convert};

/// Lets a pending invitation expire whose time has passed.
pub(super) async fn expire(
    tx: &DatabaseTransaction,
    now: Timestamp,
    row: invitation::Model,
) -> Result<()> {
    if let Ok(expired) = convert::invitation(&row)?.apply(InvitationEvent::Expire, now) {
        close(tx, now, row, &expired, EventKind::InvitationExpired, By::System).await?;
    }
    Ok(())
}

/// Writes the end of an invitation, shreds its secret and cancels what was still to be sent.
pub(super) async fn close(
    tx: &DatabaseTransaction,
    now: Timestamp,
    mut row: invitation::Model,
    closed: &domain::Invitation,
    kind: EventKind,
    by: By,
) -> Result<invitation::Model> {
    row.updated_at = now;
    row.closed_at = closed.state.closed_at();
    row.sealed = None;
    let changed = invitation::ActiveModel {
        status: Set(closed.state.status().as_str().to_owned()),
        closed_at: Set(row.closed_at),
        sealed: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    compare_and_set(tx, &row, changed).await?;
    closed.state.status().as_str().clone_into(&mut row.status);
    cancel_deliveries(tx, now, row.id).await?;
    audit::record(tx, now, &row, kind, by, serde_json::json!({})).await?;
    Ok(row)
}

/// Changes an invitation that is still pending.
pub(super) async fn compare_and_set(
    tx: &DatabaseTransaction,
    row: &invitation::Model,
    changed: invitation::ActiveModel,
) -> Result<()> {
    let done = invitation::Entity::update_many()
        .set(changed)
        .filter(invitation::Column::Id.eq(row.id))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .exec(tx)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(StoreError::Busy) }
}

/// Cancels every delivery of an invitation that no worker is at.
pub(super) async fn cancel_deliveries(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: sea_orm::prelude::Uuid,
) -> Result<()> {
    let rows = delivery::Entity::find()
        .filter(delivery::Column::InvitationId.eq(invitation))
        .filter(delivery::Column::SettledAt.is_null())
        .all(tx)
        .await?;
    for row in rows {
        let before = row.status.clone();
        let Ok(cancelled) = cancel(&row, now) else { continue };
        delivery::Entity::update_many()
            .set(convert::delivery_columns(&cancelled, now))
            .filter(delivery::Column::Id.eq(row.id))
            .filter(delivery::Column::Status.eq(before))
            .exec(tx)
            .await?;
    }
    Ok(())
}

fn cancel(row: &delivery::Model, now: Timestamp) -> Result<Delivery> {
    let cancelled = convert::delivery(row)?.apply(&DeliveryEvent::Cancel, now);
    // A delivery that is being sent stays with its worker, whose report ends it.
    cancelled.map_err(|_| StoreError::Busy)
}
