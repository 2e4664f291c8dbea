//! Deletes what is only kept for a while, so that no table grows without a limit.

use chrono::TimeDelta;
use entity::{idempotency_key, outbox, tally};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Result, Store, Verdict};

// A client that repeats a request does so within minutes; the usual promise is a day.
const ANSWERS_KEPT: TimeDelta = TimeDelta::hours(48);
// A transaction that began in a window that has ended since may still count in it.
const COUNTS_KEPT: TimeDelta = TimeDelta::hours(1);
// Published rows tell the search for lost messages what is on its way.
const PUBLISHED_KEPT: TimeDelta = TimeDelta::hours(24);

impl Store {
    /// Deletes kept answers, published outbox rows and counts that have had their time. Returns how
    /// many.
    pub async fn forget_old(&self) -> Result<u64> {
        self.write(|tx, now| {
            Box::pin(async move {
                let answers = idempotency_key::Entity::delete_many()
                    .filter(idempotency_key::Column::CreatedAt.lt(now - ANSWERS_KEPT))
                    .exec(tx)
                    .await?;
                let published = outbox::Entity::delete_many()
                    .filter(outbox::Column::PublishedAt.lt(now - PUBLISHED_KEPT))
                    .exec(tx)
                    .await?;
                let counts = tally::Entity::delete_many()
                    .filter(tally::Column::ForgetAt.lt(now - COUNTS_KEPT))
                    .exec(tx)
                    .await?;
                let deleted = [answers, published, counts].map(|done| done.rows_affected);
                Ok(Verdict::Commit(deleted.iter().sum()))
            })
        })
        .await
    }
}
