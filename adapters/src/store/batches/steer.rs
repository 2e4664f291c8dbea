//! Stopping a batch, trying again what was refused, and telling others that it is finished.

use domain::{BatchId, BatchRowStatus, BatchStatus, EventKind, OrganizationId, Timestamp};
use entity::{batch, batch_row};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{ActiveValue, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::super::audit::{Entry, SYSTEM};
use super::super::together::Locking;
use super::super::{Result, Store, Verdict, announce, convert};
use super::view::BatchView;
use super::{counts, lock};
use crate::trace;

impl Store {
    /// Lets the rows that were refused, or failed through our fault, wait for another try; the others
    /// stay as they are. `None` if the organization has no such batch.
    pub async fn retry_batch(
        &self,
        organization: OrganizationId,
        id: BatchId,
    ) -> Result<Option<BatchView>> {
        let retried = self.write(move |tx, now| {
            Box::pin(async move {
                let Some(row) = own(tx, organization, id).await? else {
                    return Ok(Verdict::RollBack(None));
                };
                let again = BatchRowStatus::RETRIED.map(BatchRowStatus::as_str);
                let count = turn(tx, now, row.id, &again, BatchRowStatus::Waiting).await?;
                if count > 0 {
                    stand(tx, now, row.id, BatchStatus::Working).await?;
                }
                Ok(Verdict::Commit(Some(view(tx, row.id).await?)))
            })
        });
        let retried = retried.await?;
        self.bell.notify_one();
        Ok(retried)
    }

    /// Stops a batch: the rows that wait are not invited. `None` if the organization has no such
    /// batch; one that is finished stays as it is.
    pub async fn cancel_batch(
        &self,
        organization: OrganizationId,
        id: BatchId,
    ) -> Result<Option<BatchView>> {
        let cancelled = self.write(move |tx, now| {
            Box::pin(async move {
                let Some(row) = own(tx, organization, id).await? else {
                    return Ok(Verdict::RollBack(None));
                };
                let waiting = [BatchRowStatus::Waiting.as_str()];
                let count = turn(tx, now, row.id, &waiting, BatchRowStatus::Cancelled).await?;
                if count == 0 {
                    return Ok(Verdict::Commit(Some(view(tx, row.id).await?)));
                }
                Ok(Verdict::Commit(Some(finish(tx, now, row.id, BatchStatus::Cancelled).await?)))
            })
        });
        let cancelled = cancelled.await?;
        self.outlet.wake();
        Ok(cancelled)
    }
}

/// Ends a batch that no row of waits any more, and tells who wants to know.
pub(super) async fn finish(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: Uuid,
    status: BatchStatus,
) -> Result<BatchView> {
    stand(tx, now, id, status).await?;
    let view = view(tx, id).await?;
    tell_finished(tx, now, &view).await?;
    Ok(view)
}

/// The last step of the change.
pub(super) async fn tell_finished(
    tx: &DatabaseTransaction,
    now: Timestamp,
    view: &BatchView,
) -> Result<()> {
    let organization = view.organization_id.uuid();
    let (kind, data) = (EventKind::BatchFinished, convert::json(view)?);
    let entry = Entry::of_organization(now, organization, kind, SYSTEM.to_owned(), data);
    announce::record(tx, now, vec![entry]).await
}

/// Locks a batch of the organization.
async fn own(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    id: BatchId,
) -> Result<Option<batch::Model>> {
    // Nobody makes another organization's batch wait.
    let is_own = batch::Entity::find_by_id(id.uuid())
        .filter(batch::Column::OrganizationId.eq(organization.uuid()))
        .one(tx)
        .await?;
    if is_own.is_none() {
        return Ok(None);
    }
    lock(tx, id.uuid(), Locking::Wait).await
}

async fn view(tx: &DatabaseTransaction, id: Uuid) -> Result<BatchView> {
    let row = batch::Entity::find_by_id(id).one(tx).await?;
    let row = row.ok_or(convert::inconsistent("batch", "id"))?;
    let rows = counts::of_rows(tx, vec![id]).await?.remove(&id);
    BatchView::new(row, rows.unwrap_or_default())
}

async fn stand(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: Uuid,
    status: BatchStatus,
) -> Result<()> {
    let mut stands = batch::ActiveModel {
        status: Set(status.as_str().to_owned()),
        not_before: Set(None),
        worked_at: Set(now),
        finished_at: Set((status != BatchStatus::Working).then_some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    if status == BatchStatus::Working {
        // What is invited from now on follows from the request that is heard now.
        stands.traceparent = Set(trace::current().map(|context| context.to_string()));
    }
    let own = batch::Entity::update_many().set(stands).filter(batch::Column::Id.eq(id));
    own.exec(tx).await?;
    Ok(())
}

/// Lets all rows that stand so stand there; how many those are.
async fn turn(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: Uuid,
    from: &[&str],
    to: BatchRowStatus,
) -> Result<u64> {
    let none = || Expr::val(Option::<String>::None);
    let turned = batch_row::ActiveModel {
        status: Set(to.as_str().to_owned()),
        updated_at: Set(now),
        code: ActiveValue::NotSet,
        ..Default::default()
    };
    let turned = batch_row::Entity::update_many()
        .set(turned)
        .col_expr(batch_row::Column::Code, none())
        .col_expr(batch_row::Column::Detail, none())
        .filter(batch_row::Column::BatchId.eq(id))
        .filter(batch_row::Column::Status.is_in(from.iter().copied()))
        .exec(tx)
        .await?;
    Ok(turned.rows_affected)
}
