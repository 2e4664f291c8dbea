//! Deletes what is only kept for a while, so that no table grows without a limit.

use chrono::TimeDelta;
use entity::{idempotency_key, outbox};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Result, Store, Verdict};

// A client that repeats a request does so within minutes; the usual promise is a day.
const ANSWERS_KEPT: TimeDelta = TimeDelta::hours(48);
// Published rows tell the search for lost messages what is on its way.
const PUBLISHED_KEPT: TimeDelta = TimeDelta::hours(24);

impl Store {
    /// Deletes kept answers and published outbox rows that have had their time. Returns how many.
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
                Ok(Verdict::Commit(answers.rows_affected + published.rows_affected))
            })
        })
        .await
    }
}
