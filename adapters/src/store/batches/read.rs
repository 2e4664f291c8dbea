//! Reading batches: one with its counts, a list, or a page of rows.

use domain::{BatchId, BatchRowStatus, OrganizationId};
use entity::{batch, batch_row};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::super::{Result, Store};
use super::view::{BatchDetail, BatchRowView, BatchView};
use super::{RECEIVING, counts};

/// Which rows of a batch to show, in their order.
#[derive(Debug, Clone)]
pub struct BatchRowFilter {
    /// Only those that stand so.
    pub status: Option<BatchRowStatus>,
    /// Only those with a larger number: the cursor.
    pub after: u32,
    /// How many at most.
    pub limit: u64,
}

impl Store {
    /// A batch of the organization, with all that became of its invitations.
    pub async fn batch(
        &self,
        organization: OrganizationId,
        id: BatchId,
    ) -> Result<Option<BatchDetail>> {
        self.snapshot(move |db| {
            Box::pin(async move {
                let Some(row) = own(organization, id).one(db).await? else { return Ok(None) };
                Ok(Some(BatchDetail {
                    invitations: counts::of_invitations(db, row.id).await?,
                    deliveries: counts::of_deliveries(db, row.id).await?,
                    batch: views(db, vec![row]).await?.remove(0),
                }))
            })
        })
        .await
    }

    /// The organization's batches, newest first, and only those older than `before`.
    pub async fn batches(
        &self,
        organization: OrganizationId,
        before: Option<BatchId>,
        limit: u64,
    ) -> Result<Vec<BatchView>> {
        self.snapshot(move |db| {
            Box::pin(async move {
                let mut query = all(organization).order_by_desc(batch::Column::Id).limit(limit);
                if let Some(before) = before {
                    query = query.filter(batch::Column::Id.lt(before.uuid()));
                }
                let rows = query.all(db).await?;
                views(db, rows).await
            })
        })
        .await
    }

    /// Rows of a batch; `None` if the organization has no such batch.
    pub async fn batch_rows(
        &self,
        organization: OrganizationId,
        id: BatchId,
        filter: BatchRowFilter,
    ) -> Result<Option<Vec<BatchRowView>>> {
        self.snapshot(move |db| {
            Box::pin(async move {
                if own(organization, id).one(db).await?.is_none() {
                    return Ok(None);
                }
                let after = i32::try_from(filter.after).unwrap_or(i32::MAX);
                let mut query = batch_row::Entity::find()
                    .filter(batch_row::Column::BatchId.eq(id.uuid()))
                    .filter(batch_row::Column::Number.gt(after))
                    .order_by_asc(batch_row::Column::Number)
                    .limit(filter.limit);
                if let Some(status) = filter.status {
                    query = query.filter(batch_row::Column::Status.eq(status.as_str()));
                }
                let rows = query.all(db).await?;
                rows.into_iter().map(BatchRowView::new).collect::<Result<_>>().map(Some)
            })
        })
        .await
    }
}

fn all(organization: OrganizationId) -> Select<batch::Entity> {
    batch::Entity::find()
        .filter(batch::Column::OrganizationId.eq(organization.uuid()))
        .filter(batch::Column::Status.ne(RECEIVING))
}

fn own(organization: OrganizationId, id: BatchId) -> Select<batch::Entity> {
    all(organization).filter(batch::Column::Id.eq(id.uuid()))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<batch::Model>) -> Result<Vec<BatchView>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut counts = counts::of_rows(db, ids).await?;
    rows.into_iter()
        .map(|row| {
            let counts = counts.remove(&row.id).unwrap_or_default();
            BatchView::new(row, counts)
        })
        .collect()
}
