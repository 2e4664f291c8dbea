//! Deleting batches: those whose rows broke off, and those that were finished long ago.

use std::time::Duration;

use domain::{BatchId, BatchStatus, Timestamp};
use entity::{batch, batch_row};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::super::{Result, Store, Verdict, bulk};
use super::RECEIVING;

/// Rows of one transaction: others want to write, too.
const ROWS: u64 = 2000;
/// Batches of one sweep.
const BATCHES: u64 = 100;

impl Store {
    /// Deletes a batch that was given up before it was started, with what has arrived of it.
    pub async fn drop_batch(&self, id: BatchId) -> Result<()> {
        self.delete_batch(id.uuid()).await
    }

    /// Deletes batches that have been finished for so long, and those whose rows have been arriving
    /// for longer than they may. Returns how many.
    pub async fn forget_batches(&self, finished: Duration, arriving: Duration) -> Result<u64> {
        let found = self
            .read(move |db, now| {
                Box::pin(async move {
                    let old = old(now, finished, arriving);
                    let old = batch::Entity::find()
                        .select_only()
                        .column(batch::Column::Id)
                        .filter(old)
                        .order_by_asc(batch::Column::CreatedAt)
                        .limit(BATCHES);
                    Ok(old.into_tuple::<Uuid>().all(db).await?)
                })
            })
            .await?;
        let mut deleted = 0;
        for id in found {
            if self.hide_batch(id, finished, arriving).await? {
                self.delete_batch(id).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// From now on nobody sees it, so that nobody has it tried again while its rows go. A sweep that
    /// breaks off leaves what the next one deletes.
    async fn hide_batch(&self, id: Uuid, finished: Duration, arriving: Duration) -> Result<bool> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let hidden =
                    batch::ActiveModel { status: Set(RECEIVING.to_owned()), ..Default::default() };
                let hidden = batch::Entity::update_many()
                    .set(hidden)
                    .filter(batch::Column::Id.eq(id))
                    .filter(old(now, finished, arriving))
                    .exec(tx)
                    .await?;
                Ok(Verdict::Commit(hidden.rows_affected == 1))
            })
        })
        .await
    }

    async fn delete_batch(&self, id: Uuid) -> Result<()> {
        while self
            .write(move |tx, _| {
                Box::pin(async move {
                    let rows: Vec<Uuid> = batch_row::Entity::find()
                        .select_only()
                        .column(batch_row::Column::Id)
                        .filter(batch_row::Column::BatchId.eq(id))
                        .limit(ROWS)
                        .into_tuple()
                        .all(tx)
                        .await?;
                    if rows.is_empty() {
                        batch::Entity::delete_by_id(id).exec(tx).await?;
                        return Ok(Verdict::Commit(false));
                    }
                    batch_row::Entity::delete_many()
                        .filter(bulk::is_any(tx, batch_row::Column::Id, rows))
                        .exec(tx)
                        .await?;
                    Ok(Verdict::Commit(true))
                })
            })
            .await?
        {}
        Ok(())
    }
}

fn old(now: Timestamp, finished: Duration, arriving: Duration) -> Condition {
    let ended = [BatchStatus::Done, BatchStatus::Cancelled].map(BatchStatus::as_str);
    Condition::any()
        .add(batch::Column::FinishedAt.lt(now - finished).and(batch::Column::Status.is_in(ended)))
        .add(batch::Column::CreatedAt.lt(now - arriving).and(batch::Column::Status.eq(RECEIVING)))
}
