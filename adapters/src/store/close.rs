//! The end of an invitation, whatever ended it: its secret is shredded, its mail cancelled.

use domain::delivery::DeliveryEvent;
use domain::invitation::InvitationEvent;
use domain::{DeliveryStatus, EventKind, InvitationStatus, Timestamp};
use entity::{delivery, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, Set, Unchanged,
};

use super::audit::{By, Entry};
use super::bulk::Changes;
use super::{Result, StoreError, announce, bulk, convert};

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
    row: invitation::Model,
    closed: &domain::Invitation,
    kind: EventKind,
    by: By,
) -> Result<invitation::Model> {
    let row = ended(now, row, closed);
    let entry = Entry::new(now, &row, kind, by, serde_json::json!({}));
    write(tx, now, std::slice::from_ref(&row), vec![entry]).await?;
    Ok(row)
}

/// What its end makes of an invitation.
pub(super) fn ended(
    now: Timestamp,
    row: invitation::Model,
    closed: &domain::Invitation,
) -> invitation::Model {
    invitation::Model {
        status: closed.state.status().as_str().to_owned(),
        closed_at: closed.state.closed_at(),
        sealed: None,
        updated_at: now,
        ..row
    }
}

/// Writes invitations that have just [`ended`], with the log of it, and cancels their mails.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    now: Timestamp,
    ended: &[invitation::Model],
    log: Vec<Entry>,
) -> Result<()> {
    let columns = |row: &invitation::Model| invitation::ActiveModel {
        id: Unchanged(row.id),
        status: Set(row.status.clone()),
        closed_at: Set(row.closed_at),
        sealed: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    let columns: Vec<_> = ended.iter().map(columns).collect();
    let mut changes = Changes::new(tx);
    let pending = invitation::Column::Status.eq(InvitationStatus::Pending.as_str());
    changes.update(columns, |_| pending.clone())?;
    cancel(tx, now, ended.iter().map(|row| row.id).collect(), &mut changes).await?;
    if announce::make(tx, now, changes, log).await? { Ok(()) } else { Err(StoreError::Busy) }
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
    invitation: Uuid,
) -> Result<()> {
    let mut changes = Changes::new(tx);
    cancel(tx, now, vec![invitation], &mut changes).await?;
    if changes.make(tx).await? { Ok(()) } else { Err(StoreError::Busy) }
}

/// Adds to `changes` that the deliveries of these invitations are cancelled. One that is being sent stays
/// with its worker, whose report ends it.
async fn cancel(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitations: Vec<Uuid>,
    changes: &mut Changes,
) -> Result<()> {
    let rows = delivery::Entity::find()
        .filter(bulk::is_any(tx, delivery::Column::InvitationId, invitations))
        .filter(delivery::Column::SettledAt.is_null())
        .all(tx)
        .await?;
    let mut cancelled = Vec::new();
    for row in &rows {
        let next = convert::delivery(&row.into())?.apply(&DeliveryEvent::Cancel, now);
        cancelled.extend(next.map(|next| convert::delivery_columns(&next, now)));
    }
    changes.update(cancelled, |_| is_nobodys())
}

/// No worker is at a delivery, and nothing has ended it.
fn is_nobodys() -> Expr {
    let sending = delivery::Column::Status.eq(DeliveryStatus::Sending.as_str());
    delivery::Column::SettledAt.is_null().and(sending.not())
}
