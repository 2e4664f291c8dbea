//! Another moment for a mail that has not gone out yet: later, earlier, or now.

use domain::delivery::DeliveryEvent;
use domain::{DeliveryId, DeliveryStatus, EventKind, InvitationId, OrganizationId, Timestamp};
use entity::{delivery, invitation, outbox as outbox_row};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::view::InvitationView;
use super::{
    Actor, ChangeOutcome, DeliveryPolicy, Result, Store, StoreError, Verdict, audit, change, close,
    convert, outbox, plan,
};

impl Store {
    /// Lets a scheduled mail go out at `send_at` instead. The invitation is good for as long as before,
    /// counted from the new moment. The mail has been counted when it was asked for.
    pub async fn reschedule(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
        send_at: Timestamp,
    ) -> Result<ChangeOutcome> {
        let policy = self.policy.clone();
        let outcome = self
            .write(move |tx, now| {
                Box::pin(async move {
                    let row = match change::open(tx, now, organization, id).await? {
                        Ok(row) => row,
                        Err(not_open) => return Ok(Verdict::RollBack(not_open)),
                    };
                    let mail = change::current_delivery(tx, &row).await?;
                    if mail.status != DeliveryStatus::Scheduled.as_str() {
                        return Ok(Verdict::RollBack(ChangeOutcome::NotScheduled));
                    }
                    let view = reschedule(tx, now, &policy, actor, row, mail, send_at).await?;
                    Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))))
                })
            })
            .await?;
        self.outlet.wake();
        Ok(outcome)
    }
}

/// Moves the scheduled `mail` of a pending, locked invitation; a moment that has passed means now.
pub(super) async fn reschedule(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    actor: Actor,
    mut row: invitation::Model,
    mut mail: delivery::Model,
    send_at: Timestamp,
) -> Result<InvitationView> {
    let event = DeliveryEvent::Reschedule { send_at };
    let next =
        convert::delivery(&(&mail).into())?.apply(&event, now).map_err(|_| StoreError::Busy)?;
    let (before, due) = (mail.send_at.unwrap_or(mail.created_at), send_at.max(now));
    (row.expires_at, row.updated_at) = (row.expires_at + (due - before), now);
    let moved = invitation::ActiveModel {
        expires_at: Set(row.expires_at),
        updated_at: Set(now),
        ..Default::default()
    };
    close::compare_and_set(tx, &row, moved).await?;
    mail.send_at = Some(due);
    mail.give_up_at = plan::give_up_at(policy, row.expires_at, due);
    mail.next_attempt_at = next.state.next_attempt_at();
    mail.updated_at = now;
    let moved = delivery::ActiveModel {
        send_at: Set(mail.send_at),
        give_up_at: Set(mail.give_up_at),
        ..convert::delivery_columns(&next, now)
    };
    let done = delivery::Entity::update_many()
        .set(moved)
        .filter(delivery::Column::Id.eq(mail.id))
        .filter(delivery::Column::Status.eq(&mail.status))
        .exec(tx)
        .await?;
    if done.rows_affected != 1 {
        return Err(StoreError::Busy);
    }
    next.state.status().as_str().clone_into(&mut mail.status);
    // A relay may have the row in hand at this very moment: then the worker finds that the mail is not
    // due, and the new row is there when it is.
    let replaced = outbox_row::Entity::delete_many()
        .filter(outbox_row::Column::SubjectId.eq(mail.id))
        .filter(outbox_row::Column::PublishedAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let mut job = outbox::row(now, DeliveryId::from_uuid(mail.id), mail.generation, due);
    // If nobody traces this request, the mail stays part of the trace of the one that asked for it.
    let before_that = replaced.into_iter().find_map(|row| row.traceparent);
    job.traceparent = job.traceparent.or(before_that);
    let job = outbox::written(vec![job]);
    outbox_row::Entity::insert_many(job).exec_without_returning(tx).await?;
    let data = serde_json::json!({
        "from": before, "send_at": due, "expires_at": row.expires_at, "delivery_id": mail.id,
    });
    let kind = EventKind::InvitationRescheduled;
    audit::record(tx, now, &row, kind, actor.into(), data).await?;
    InvitationView::new(row, mail)
}
