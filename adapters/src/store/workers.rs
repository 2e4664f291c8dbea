//! The workers that are there: each says so again and again, for whoever looks after the service.
//!
//! Nothing depends on it: what a worker has in hand is its own by the lease of the delivery.

use std::time::Duration;

use domain::{Timestamp, WorkerId};
use entity::worker::{Column, Entity, Model};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Result, Store};

impl Store {
    /// Notes that a worker is there for so long, and how many mails it can send at a time.
    pub async fn present(&self, id: WorkerId, slots: usize, valid_for: Duration) -> Result<()> {
        self.write_alone(move |db, now| {
            Box::pin(async move {
                let row = Model {
                    id: id.uuid(),
                    slots: i32::try_from(slots).unwrap_or(i32::MAX),
                    present_until: now + valid_for,
                };
                let again = OnConflict::column(Column::Id)
                    .update_columns([Column::Slots, Column::PresentUntil])
                    .to_owned();
                let insert = Entity::insert(row.into_active_model()).on_conflict(again);
                insert.exec_without_returning(db).await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a worker is there no more.
    pub async fn gone(&self, id: WorkerId) -> Result<()> {
        self.write_alone(move |db, _| {
            Box::pin(async move {
                Entity::delete_by_id(id.uuid()).exec(db).await?;
                Ok(())
            })
        })
        .await
    }
}

/// How many mails all workers together can send at a time.
pub(super) async fn slots(db: &impl ConnectionTrait, now: Timestamp) -> Result<u64> {
    let there = Entity::find().filter(Column::PresentUntil.gte(now)).all(db).await?;
    Ok(there.iter().map(|worker| u64::try_from(worker.slots).unwrap_or_default()).sum())
}
