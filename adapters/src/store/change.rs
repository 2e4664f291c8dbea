//! Changing an open invitation: resend, revoke, expire; and the audit log of every change.

use domain::invitation::{IllegalInvitationEvent, InvitationEvent};
use domain::{
    Delivery, DeliveryStatus, EventId, EventKind, InvitationId, InvitationStatus, OrganizationId,
    Timestamp,
};
use entity::{delivery, event, invitation};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QuerySelect, Set,
};

use super::create::{Actor, add_delivery};
use super::view::InvitationView;
use super::{DeliveryPolicy, Result, Store, StoreError, Verdict, convert};
use crate::rng;

/// How a request to change an invitation ended.
#[derive(Debug)]
pub enum ChangeOutcome {
    /// Done; this is how it stands now.
    Changed(Box<InvitationView>),
    /// The organization has no such invitation.
    NotFound,
    /// It is not in a state for that.
    Illegal(IllegalInvitationEvent),
    /// A worker is sending its mail right now: ask again in a moment.
    SendingNow,
}

/// Who made a change, for the audit log.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Caller(Actor),
    Invitee,
    System,
}

impl From<Actor> for By {
    fn from(actor: Actor) -> Self {
        Self::Caller(actor)
    }
}

impl Store {
    /// Plans a new mail with a new secret. The old link stays good until the new mail is made.
    pub async fn resend(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
    ) -> Result<ChangeOutcome> {
        let change = InvitationEvent::Resend;
        let outcome = self.change(organization, actor, id, change).await?;
        self.outbox_wake.notify_one();
        Ok(outcome)
    }

    /// Takes the invitation back; a mail that is under way arrives with a dead link.
    pub async fn revoke(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
    ) -> Result<ChangeOutcome> {
        self.change(organization, actor, id, InvitationEvent::Revoke).await
    }

    async fn change(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
        change: InvitationEvent,
    ) -> Result<ChangeOutcome> {
        let policy = self.policy.clone();
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(row) = locked(tx, id).await? else {
                    return Ok(Verdict::RollBack(ChangeOutcome::NotFound));
                };
                if row.organization_id != organization.uuid() {
                    return Ok(Verdict::RollBack(ChangeOutcome::NotFound));
                }
                let next = match convert::invitation(&row)?.apply(change, now) {
                    Ok(next) => next,
                    Err(illegal) => {
                        return Ok(Verdict::RollBack(ChangeOutcome::Illegal(illegal)));
                    }
                };
                let current = current_delivery(tx, &row).await?;
                if change == InvitationEvent::Resend {
                    if current.status == DeliveryStatus::Sending.as_str() {
                        return Ok(Verdict::RollBack(ChangeOutcome::SendingNow));
                    }
                    return resend(tx, now, &policy, actor, row).await;
                }
                let kind = EventKind::InvitationRevoked;
                let row = close(tx, now, row, &next, kind, actor.into()).await?;
                let delivery = current_delivery(tx, &row).await?;
                let view = InvitationView::new(row, delivery)?;
                Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))))
            })
        })
        .await
    }
}

async fn resend(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    actor: Actor,
    mut row: invitation::Model,
) -> Result<Verdict<ChangeOutcome>> {
    cancel_deliveries(tx, now, row.id).await?;
    row.generation += 1;
    row.email_sent = false;
    row.email_sent_at = None;
    row.updated_at = now;
    let changed = invitation::ActiveModel {
        generation: Set(row.generation),
        email_sent: Set(false),
        email_sent_at: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    compare_and_set(tx, &row, changed).await?;
    let delivery = add_delivery(tx, now, policy, &row).await?;
    let data = serde_json::json!({ "generation": row.generation, "delivery_id": delivery.id });
    record(tx, now, &row, EventKind::InvitationResent, actor.into(), data).await?;
    let view = InvitationView::new(row, delivery)?;
    Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))))
}

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
    record(tx, now, &row, kind, by, serde_json::json!({})).await?;
    Ok(row)
}

/// Adds to the audit log.
pub(super) async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: &invitation::Model,
    kind: EventKind,
    by: By,
    data: serde_json::Value,
) -> Result<()> {
    let actor = match by {
        By::Caller(actor) => format!("user:{} key:{}", actor.user, actor.key),
        By::Invitee => format!("user:{}", invitation.user_id),
        By::System => "system".to_owned(),
    };
    let row = event::ActiveModel {
        id: Set(EventId::new(now, &mut rng()).uuid()),
        organization_id: Set(invitation.organization_id),
        invitation_id: Set(Some(invitation.id)),
        kind: Set(kind.as_str().to_owned()),
        actor: Set(actor),
        data: Set(data),
        created_at: Set(now),
    };
    event::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Reads an invitation and keeps others from changing it until the transaction ends.
pub(super) async fn locked(
    tx: &DatabaseTransaction,
    id: InvitationId,
) -> Result<Option<invitation::Model>> {
    let mut query = invitation::Entity::find_by_id(id.uuid());
    // On SQLite the transaction is the only writer already.
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::Update);
    }
    Ok(query.one(tx).await?)
}

/// The delivery of an invitation's current generation.
pub(super) async fn current_delivery(
    tx: &impl ConnectionTrait,
    invitation: &invitation::Model,
) -> Result<delivery::Model> {
    delivery::Entity::find()
        .filter(delivery::Column::InvitationId.eq(invitation.id))
        .filter(delivery::Column::Generation.eq(invitation.generation))
        .one(tx)
        .await?
        .ok_or(convert::inconsistent("delivery", "generation"))
}

async fn compare_and_set(
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
async fn cancel_deliveries(
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
    let cancelled = convert::delivery(row)?.apply(&domain::delivery::DeliveryEvent::Cancel, now);
    // A delivery that is being sent stays with its worker, whose report ends it.
    cancelled.map_err(|_| StoreError::Busy)
}
