//! The mails of the whole instance that are still to be sent: how many wait, are at work, and come again.

use chrono::TimeDelta;
use domain::{DeliveryStatus, Timestamp};
use entity::delivery;
use sea_orm::prelude::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Result, Store, workers};

/// More than this is counted as this.
const MOST: u64 = 20_000;
/// Until when the next tries are counted, from now, in minutes; what is later is the rest.
const UNTIL: [i64; 3] = [1, 10, 60];

/// What is open at one moment, each count at most [`OpenMails::MOST`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenMails {
    /// Wait for a worker.
    pub queued: u64,
    /// Since when the oldest of them does.
    pub oldest_queued: Option<Timestamp>,
    /// Held by workers: how many of their slots are taken.
    pub sending: u64,
    /// How many slots the workers have that are there.
    pub slots: u64,
    /// Will be tried again: within a minute, ten minutes, an hour, and later.
    pub retries: [u64; 4],
}

impl OpenMails {
    /// Nothing is counted beyond this.
    pub const MOST: u64 = MOST;
}

impl Store {
    /// What is open, of all organizations.
    pub async fn open_mails(&self) -> Result<OpenMails> {
        self.read(|db, now| {
            Box::pin(async move {
                let queued =
                    moments(db, DeliveryStatus::Queued, delivery::Column::UpdatedAt).await?;
                let sending =
                    moments(db, DeliveryStatus::Sending, delivery::Column::UpdatedAt).await?;
                let mut retries = [0; 4];
                for status in [DeliveryStatus::Retrying, DeliveryStatus::Uncertain] {
                    for at in moments(db, status, delivery::Column::NextAttemptAt).await? {
                        retries[place(at.unwrap_or(now) - now)] += 1;
                    }
                }
                Ok(OpenMails {
                    queued: queued.len() as u64,
                    oldest_queued: queued.first().copied().flatten(),
                    sending: sending.len() as u64,
                    slots: workers::slots(db, now).await?,
                    retries,
                })
            })
        })
        .await
    }
}

/// The moments of the deliveries in a state, those first that were changed longest ago. The condition is
/// written out, so that the planner sees that the index of open deliveries will do.
async fn moments(
    db: &impl ConnectionTrait,
    status: DeliveryStatus,
    column: delivery::Column,
) -> Result<Vec<Option<Timestamp>>> {
    Ok(delivery::Entity::find()
        .select_only()
        .column(column)
        .filter(Expr::cust(format!("status = '{}'", status.as_str())))
        .order_by_asc(delivery::Column::UpdatedAt)
        .limit(MOST)
        .into_tuple()
        .all(db)
        .await?)
}

fn place(wait: TimeDelta) -> usize {
    UNTIL.iter().position(|minutes| wait <= TimeDelta::minutes(*minutes)).unwrap_or(UNTIL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_try_is_counted_by_how_soon_it_is() {
        for (seconds, at) in [(-5, 0), (60, 0), (61, 1), (3600, 2), (3601, 3), (86_400, 3)] {
            assert_eq!(place(TimeDelta::seconds(seconds)), at, "{seconds}");
        }
    }
}
