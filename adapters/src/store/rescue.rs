//! What brings back whatever got stuck: dead workers, mails put off, passed deadlines.

use std::time::Duration;

use domain::delivery::DeliveryEvent;
use domain::retry::jittered;
use domain::{DeliveryState, DeliveryStatus, InvitationId, InvitationStatus};
use entity::{delivery, invitation, outbox as outbox_row};
use sea_orm::prelude::Expr;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use super::{Result, Store, Verdict, change, close, convert, outbox};
use crate::rng;

// One transaction's worth: long enough to catch up fast, short enough to hold nobody up.
const BATCH: u64 = 200;

impl Store {
    /// Turns deliveries whose worker is gone into uncertain ones that are repeated after
    /// `uncertain_pause`; those whose invitation has ended are cancelled. Returns how many.
    pub async fn rescue(&self, uncertain_pause: Duration) -> Result<u64> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let mut rows = delivery::Entity::find()
                    .filter(delivery::Column::Status.eq(DeliveryStatus::Sending.as_str()))
                    .filter(delivery::Column::LeaseUntil.lte(now))
                    .limit(BATCH)
                    .all(tx)
                    .await?;
                // Locked in the order that all changes keep.
                rows.sort_unstable_by_key(|row| row.invitation_id);
                let mut rescued = 0;
                for row in rows {
                    let next_attempt_at = now + jittered(uncertain_pause, &mut rng());
                    let expired = DeliveryEvent::LeaseExpired { next_attempt_at };
                    let Ok(mut next) = convert::delivery(&row)?.apply(&expired, now) else {
                        continue;
                    };
                    let id = InvitationId::from_uuid(row.invitation_id);
                    let open = change::locked(tx, id).await?.is_some_and(|invitation| {
                        invitation.status == InvitationStatus::Pending.as_str()
                            && invitation.generation == row.generation
                    });
                    if !open && let Ok(cancelled) = next.clone().apply(&DeliveryEvent::Cancel, now)
                    {
                        next = cancelled;
                    }
                    let mut columns = convert::delivery_columns(&next, now);
                    columns.reason = Set(Some("lease_expired".to_owned()));
                    columns.detail = Set(Some(
                        "the worker went away before it could say whether the mail was sent"
                            .to_owned(),
                    ));
                    let done = delivery::Entity::update_many()
                        .set(columns)
                        .filter(delivery::Column::Id.eq(row.id))
                        .filter(delivery::Column::Status.eq(DeliveryStatus::Sending.as_str()))
                        .filter(delivery::Column::AttemptToken.eq(row.attempt_token))
                        .exec(tx)
                        .await?;
                    if done.rows_affected == 1 {
                        rescued += 1;
                        if let DeliveryState::Uncertain { next_attempt_at, .. } = next.state {
                            outbox::add(tx, now, next.id, row.generation, next_attempt_at).await?;
                        }
                    }
                }
                Ok(Verdict::Commit(rescued))
            })
        })
        .await
    }

    /// Makes what our own SMTP trouble put off due at once. Returns how many.
    pub async fn wake_postponed(&self) -> Result<u64> {
        let woken = self
            .write(|tx, now| {
                Box::pin(async move {
                    let put_off = || {
                        Query::select()
                            .column(delivery::Column::Id)
                            .from(delivery::Entity)
                            .and_where(delivery::Column::Postponed.eq(true))
                            .and_where(
                                delivery::Column::Status.eq(DeliveryStatus::Retrying.as_str()),
                            )
                            .to_owned()
                    };
                    let woken = outbox_row::Entity::update_many()
                        .col_expr(outbox_row::Column::AvailableAt, Expr::value(now))
                        .filter(outbox_row::Column::PublishedAt.is_null())
                        .filter(outbox_row::Column::AvailableAt.gt(now))
                        .filter(outbox_row::Column::SubjectId.in_subquery(put_off()))
                        .exec(tx)
                        .await?;
                    delivery::Entity::update_many()
                        .col_expr(delivery::Column::NextAttemptAt, Expr::value(now))
                        .filter(delivery::Column::Postponed.eq(true))
                        .filter(delivery::Column::Status.eq(DeliveryStatus::Retrying.as_str()))
                        .filter(delivery::Column::NextAttemptAt.gt(now))
                        .exec(tx)
                        .await?;
                    Ok(Verdict::Commit(woken.rows_affected))
                })
            })
            .await?;
        if woken > 0 {
            self.outlet.wake();
        }
        Ok(woken)
    }

    /// Ends up to `limit` pending invitations whose time has passed. Returns how many.
    pub async fn expire_invitations(&self, limit: u64) -> Result<u64> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let mut rows = invitation::Entity::find()
                    .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
                    .filter(invitation::Column::ExpiresAt.lte(now))
                    .order_by_asc(invitation::Column::ExpiresAt)
                    .limit(limit)
                    .all(tx)
                    .await?;
                // Locked in the order that all changes keep.
                rows.sort_unstable_by_key(|row| row.id);
                let mut expired = 0;
                for row in rows {
                    let Some(row) = change::locked(tx, InvitationId::from_uuid(row.id)).await?
                    else {
                        continue;
                    };
                    // Another sweep may have been faster: then there is nothing left to do.
                    if row.closed_at.is_none() {
                        close::expire(tx, now, row).await?;
                        expired += 1;
                    }
                }
                Ok(Verdict::Commit(expired))
            })
        })
        .await
    }
}
