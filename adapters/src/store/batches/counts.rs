//! How many rows, invitations and mails of batches stand where.

use std::collections::HashMap;

use domain::{BatchRowStatus, DeliveryStatus, InvitationStatus};
use entity::{batch_row, delivery, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::super::read::is_current_delivery;
use super::super::{Result, bulk};
use super::view::Counts;

/// Of the rows of each of these batches; every status is there.
pub(super) async fn of_rows(
    db: &impl ConnectionTrait,
    batches: Vec<Uuid>,
) -> Result<HashMap<Uuid, Counts>> {
    let none: Counts = BatchRowStatus::ALL.iter().map(|status| (status.as_str(), 0)).collect();
    let mut counts: HashMap<Uuid, Counts> = batches.iter().map(|&id| (id, none.clone())).collect();
    let found: Vec<(Uuid, String, i64)> = batch_row::Entity::find()
        .select_only()
        .column(batch_row::Column::BatchId)
        .column(batch_row::Column::Status)
        .column_as(batch_row::Column::Number.count(), "number")
        .filter(bulk::is_any(db, batch_row::Column::BatchId, batches))
        .group_by(batch_row::Column::BatchId)
        .group_by(batch_row::Column::Status)
        .into_tuple()
        .all(db)
        .await?;
    for (batch, word, number) in found {
        if let Some(counts) = counts.get_mut(&batch) {
            add(counts, &word, number);
        }
    }
    Ok(counts)
}

/// Of the invitations of one batch.
pub(super) async fn of_invitations(db: &impl ConnectionTrait, batch: Uuid) -> Result<Counts> {
    let mut counts: Counts =
        InvitationStatus::ALL.iter().map(|status| (status.as_str(), 0)).collect();
    let status = Expr::col((invitation::Entity, invitation::Column::Status));
    for (word, number) in grouped(db, batch, status, false).await? {
        add(&mut counts, &word, number);
    }
    Ok(counts)
}

/// Of the newest mails of the invitations of one batch.
pub(super) async fn of_deliveries(db: &impl ConnectionTrait, batch: Uuid) -> Result<Counts> {
    let mut counts: Counts =
        DeliveryStatus::ALL.iter().map(|status| (status.as_str(), 0)).collect();
    let status = Expr::col((delivery::Entity, delivery::Column::Status));
    for (word, number) in grouped(db, batch, status, true).await? {
        add(&mut counts, &word, number);
    }
    Ok(counts)
}

/// Rows that found the same invitation count it once.
async fn grouped(
    db: &impl ConnectionTrait,
    batch: Uuid,
    status: Expr,
    mails: bool,
) -> Result<Vec<(String, i64)>> {
    let its = Expr::col((batch_row::Entity, batch_row::Column::InvitationId));
    let mut select = batch_row::Entity::find()
        .select_only()
        .column_as(status.clone(), "status")
        .column_as(its.clone().count_distinct(), "number")
        .filter(batch_row::Column::BatchId.eq(batch));
    let query = QueryTrait::query(&mut select);
    let same = its.equals((invitation::Entity, invitation::Column::Id));
    query.inner_join(invitation::Entity, same);
    if mails {
        query.inner_join(delivery::Entity, is_current_delivery());
    }
    query.add_group_by([status]);
    Ok(select.into_tuple().all(db).await?)
}

fn add(counts: &mut Counts, word: &str, number: i64) {
    if let Some(count) =
        counts.iter_mut().find_map(|(known, count)| (*known == word).then_some(count))
    {
        *count += u64::try_from(number).unwrap_or_default();
    }
}
