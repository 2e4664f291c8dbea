//! How fast batches go on: as mails leave, so that nobody else's waits behind a whole batch.

use domain::DeliveryStatus;
use entity::delivery;
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::super::{Result, Store};

/// How much of a batch may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPace {
    /// Rows that one transaction invites, at most.
    pub rows: u64,
    /// Mails that may wait for a worker or for the mail server, whoever asked for them.
    pub mails_ahead: u64,
}

/// What there was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchProgress {
    /// Something was done, and there may be more.
    Made,
    /// So many mails wait that batches wait for them.
    Held,
    /// No batch needs anything.
    Nothing,
}

impl Store {
    /// How many rows one transaction may invite now.
    ///
    /// What waits for its next attempt or its time does not count: only a worker's hands are scarce. But
    /// what our own trouble has put off does: it will want them all at once when that is over. The index
    /// of open deliveries finds these, and no more of them than matter are read.
    pub(super) async fn rows_to_invite(&self, pace: BatchPace) -> Result<u64> {
        self.read(move |db, _| {
            Box::pin(async move {
                let some = |status: DeliveryStatus, most| {
                    let these = delivery::Column::Status.eq(status.as_str());
                    let ids = delivery::Entity::find().select_only().column(delivery::Column::Id);
                    ids.filter(these).limit(most)
                };
                let queued = some(DeliveryStatus::Queued, pace.mails_ahead);
                let queued: Vec<Uuid> = queued.into_tuple().all(db).await?;
                let room = pace.mails_ahead.saturating_sub(queued.len() as u64);
                let put_off = some(DeliveryStatus::Retrying, room);
                let put_off = put_off.filter(delivery::Column::Postponed.eq(true));
                let put_off: Vec<Uuid> = put_off.into_tuple().all(db).await?;
                Ok(room.saturating_sub(put_off.len() as u64).min(pace.rows))
            })
        })
        .await
    }
}
