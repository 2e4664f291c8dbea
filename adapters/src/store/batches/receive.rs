//! Taking a batch in: its rows first, in transactions of their own, then all of it at once.

use domain::{
    BatchId, BatchMode, BatchRowId, BatchRowStatus, BatchStatus, OrganizationId, Timestamp,
};
use entity::{batch, batch_row};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set};

use super::super::bulk::Changes;
use super::super::idempotency::{self, Earlier, IdempotencyKey};
use super::super::{Actor, Result, Store, StoreError, Verdict, convert};
use super::view::BatchView;
use super::{RECEIVING, SentRow, actor, counts, wanted};
use crate::failpoint;
use crate::rng;
use crate::trace;

/// What a batch is to be.
#[derive(Debug, Clone)]
pub struct BatchPlan {
    /// What the caller calls it.
    pub name: Option<String>,
    /// What one bad row does to the others.
    pub mode: BatchMode,
}

/// Whether rows may come.
#[derive(Debug)]
pub enum Begun {
    /// They may, for this batch.
    Ready(BatchId),
    /// The organization has as many unfinished batches as it may have.
    TooMany,
}

/// How taking a batch in ended.
#[derive(Debug)]
pub enum Started {
    /// It is worked on from now.
    Done(Box<BatchView>),
    /// The same request was answered before, with this JSON body; the new batch is to be dropped.
    Replayed(String),
    /// The idempotency key belongs to a different request; the new batch is to be dropped.
    KeyReused,
}

impl Store {
    /// Prepares a batch whose rows follow, unless `most` of the organization are unfinished.
    pub async fn begin_batch(
        &self,
        organization: OrganizationId,
        by: Actor,
        plan: BatchPlan,
        most: u64,
    ) -> Result<Begun> {
        let by = actor::written(by)?;
        self.write(move |tx, now| {
            Box::pin(async move {
                let unfinished = [RECEIVING, BatchStatus::Working.as_str()];
                let open = batch::Entity::find()
                    .filter(batch::Column::OrganizationId.eq(organization.uuid()))
                    .filter(batch::Column::Status.is_in(unfinished))
                    .count(tx)
                    .await?;
                if open >= most {
                    return Ok(Verdict::RollBack(Begun::TooMany));
                }
                let row = row(now, organization, by, plan);
                let id = BatchId::from_uuid(row.id);
                batch::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
                Ok(Verdict::Commit(Begun::Ready(id)))
            })
        })
        .await
    }

    /// Keeps rows of a batch that is not complete yet; the first of them has the number `first`.
    pub async fn add_batch_rows(&self, id: BatchId, first: u32, rows: Vec<SentRow>) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let mut changes = Changes::new(tx);
                changes.insert(written(now, id.uuid(), first, &rows)?)?;
                if !changes.make(tx).await? {
                    return Err(StoreError::Busy);
                }
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// Hands a batch over whose `total` rows are all there; what a repeat of the request gets is kept.
    pub async fn start_batch(
        &self,
        organization: OrganizationId,
        id: BatchId,
        total: u32,
        key: Option<IdempotencyKey>,
    ) -> Result<Started> {
        let started = self
            .write(move |tx, now| {
                Box::pin(async move {
                    if let Some(key) = &key
                        && let Some(earlier) =
                            idempotency::claim(tx, now, organization, key).await?
                    {
                        return Ok(Verdict::RollBack(earlier.into()));
                    }
                    let start = batch::ActiveModel {
                        status: Set(BatchStatus::Working.as_str().to_owned()),
                        total: Set(convert::column(total)),
                        worked_at: Set(now),
                        updated_at: Set(now),
                        ..Default::default()
                    };
                    let started = batch::Entity::update_many()
                        .set(start)
                        .filter(batch::Column::Id.eq(id.uuid()))
                        .filter(batch::Column::Status.eq(RECEIVING))
                        .exec(tx)
                        .await?;
                    let row = batch::Entity::find_by_id(id.uuid()).one(tx).await?;
                    // It took so long that it was swept away.
                    let (1, Some(row)) = (started.rows_affected, row) else {
                        return Err(StoreError::Busy);
                    };
                    let rows = counts::of_rows(tx, vec![row.id]).await?.remove(&row.id);
                    let view = BatchView::new(row, rows.unwrap_or_default())?;
                    if let Some(key) = &key {
                        idempotency::keep_answer(tx, organization, key, &view).await?;
                    }
                    failpoint::reach("batch.before_start").await;
                    Ok(Verdict::Commit(Started::Done(Box::new(view))))
                })
            })
            .await?;
        failpoint::reach("batch.after_start").await;
        self.bell.notify_one();
        Ok(started)
    }
}

impl From<Earlier> for Started {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Answer(body) => Self::Replayed(body),
            Earlier::OtherRequest => Self::KeyReused,
        }
    }
}

pub(super) fn row(
    now: Timestamp,
    organization: OrganizationId,
    by: String,
    plan: BatchPlan,
) -> batch::Model {
    batch::Model {
        id: BatchId::new(now, &mut rng()).uuid(),
        organization_id: organization.uuid(),
        name: plan.name,
        mode: plan.mode.as_str().to_owned(),
        status: RECEIVING.to_owned(),
        actor: by,
        total: 0,
        not_before: None,
        worked_at: now,
        created_at: now,
        finished_at: None,
        updated_at: now,
        // Its rows are invited when this request is long over.
        traceparent: trace::current().map(|context| context.to_string()),
    }
}

/// Rows for the table, numbered from `first`.
pub(super) fn written(
    now: Timestamp,
    batch: Uuid,
    first: u32,
    rows: &[SentRow],
) -> Result<Vec<batch_row::ActiveModel>> {
    let row = |(number, sent): (u32, &SentRow)| {
        let (status, kept, fault) = match &sent.wanted {
            Ok(new) => (BatchRowStatus::Waiting, Some(wanted::written(new)?), None),
            Err(fault) => (BatchRowStatus::Invalid, None, Some(fault)),
        };
        let row = batch_row::Model {
            id: BatchRowId::new(now, &mut rng()).uuid(),
            batch_id: batch,
            number: convert::column(number),
            line: convert::column(sent.line),
            email: sent.email.clone(),
            wanted: kept,
            status: status.as_str().to_owned(),
            code: fault.map(|fault| fault.code.to_owned()),
            detail: fault.map(|fault| fault.detail.clone()),
            invitation_id: None,
            updated_at: now,
        };
        Ok(row.into_active_model())
    };
    (first..).zip(rows).map(row).collect()
}
