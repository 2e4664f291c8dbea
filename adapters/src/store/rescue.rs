//! What brings back mails that got stuck: with a dead worker, or for a mail server that is there again.

use std::time::Duration;

use domain::delivery::DeliveryEvent;
use domain::job::JobV1;
use domain::retry::jittered;
use domain::{Delivery, DeliveryId, DeliveryState, DeliveryStatus, InvitationStatus, Timestamp};
use entity::{delivery, invitation, outbox as outbox_row};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set};

use super::bulk::Changes;
use super::together::Locking;
use super::{Result, Store, StoreError, Verdict, bulk, convert, locked};
use crate::rng;

// One transaction's worth: long enough to catch up fast, short enough to hold nobody up.
const BATCH: u64 = 200;
const DETAIL: &str = "the worker went away before it could say whether the mail was sent";

impl Store {
    /// Turns deliveries whose worker is gone into uncertain ones that are repeated after
    /// `uncertain_pause`; those whose invitation has ended are cancelled. Returns how many.
    pub async fn rescue(&self, uncertain_pause: Duration) -> Result<u64> {
        let store = self.clone();
        self.write(move |tx, now| {
            Box::pin(async move { store.rescue_some(tx, now, uncertain_pause).await })
        })
        .await
    }

    async fn rescue_some(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        uncertain_pause: Duration,
    ) -> Result<Verdict<u64>> {
        let stuck: Vec<Uuid> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(delivery::Column::Status.eq(DeliveryStatus::Sending.as_str()))
            .filter(delivery::Column::LeaseUntil.lte(now))
            .limit(BATCH)
            .into_tuple()
            .all(tx)
            .await?;
        // Whoever is at one of them this moment decides what becomes of it; the next look sees.
        let locked = locked::lock(tx, stuck.clone(), Locking::Skip).await?;
        let (mut rows, mut tokens, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for (row, invitation) in stuck.into_iter().filter_map(|id| locked.get(id)) {
            let next_attempt_at = now + jittered(uncertain_pause, &mut rng());
            let Some(next) = expired(now, row, invitation, next_attempt_at)? else { continue };
            if let DeliveryState::Uncertain { next_attempt_at, .. } = next.state {
                jobs.push((email(row), next_attempt_at));
            }
            let mut columns = convert::delivery_columns(&next, now);
            columns.reason = Set(Some("lease_expired".to_owned()));
            columns.detail = Set(Some(DETAIL.to_owned()));
            rows.push(columns);
            tokens.extend(row.attempt_token);
        }
        let mut changes = Changes::new(tx);
        // Each is found by its id. A token is one delivery's alone, so that the right one among them is
        // that delivery's own.
        let holds = bulk::is_any(tx, delivery::Column::AttemptToken, tokens);
        let rescued = rows.len() as u64;
        changes.update(rows, |_| holds.clone())?;
        changes.insert(self.queued_again(tx, now, "rescue", &jobs).await?)?;
        let made = changes.make(tx).await?;
        if made { Ok(Verdict::Commit(rescued)) } else { Err(StoreError::Busy) }
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
}

/// What becomes of a delivery whose worker is gone; `None` if that is not so. It is only repeated for an
/// invitation that is still open in that generation.
fn expired(
    now: Timestamp,
    row: &delivery::Model,
    invitation: &invitation::Model,
    next_attempt_at: Timestamp,
) -> Result<Option<Delivery>> {
    let expired = DeliveryEvent::LeaseExpired { next_attempt_at };
    let Ok(next) = convert::delivery(&row.into())?.apply(&expired, now) else { return Ok(None) };
    let open = invitation.status == InvitationStatus::Pending.as_str()
        && invitation.generation == row.generation;
    if open {
        return Ok(Some(next));
    }
    Ok(Some(next.clone().apply(&DeliveryEvent::Cancel, now).unwrap_or(next)))
}

fn email(row: &delivery::Model) -> JobV1 {
    JobV1::Email {
        delivery: DeliveryId::from_uuid(row.id),
        generation: convert::count(row.generation),
    }
}
