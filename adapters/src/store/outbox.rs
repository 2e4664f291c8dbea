//! Rows that wait to be published, written with the change they follow from.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::job::JobV1;
use domain::retry::jittered;
use domain::{DeliveryId, DeliveryStatus, Job, LockToken, OutboxId, Timestamp};
use entity::{delivery, outbox};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{LockBehavior, LockType, Order, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    IntoActiveModel, NotSet, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::{Result, Store, Verdict, bulk, convert};
use crate::rng;
use crate::trace::{self, TraceContext};

/// A row that the caller may publish while its lock holds.
#[derive(Debug, Clone)]
pub struct OutboxEntry {
    /// The row; also the message's id.
    pub id: OutboxId,
    /// What to publish.
    pub job: Job,
    /// Proof of the claim.
    pub lock: LockToken,
    /// Where in a trace it belongs, if it does.
    pub trace: Option<TraceContext>,
}

/// Which rows a relay looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// Those that wait for nobody.
    First,
    /// Those of people who are invited with many others: they let all others go first.
    GivesWay,
}

/// How far publishing is behind.
#[derive(Debug, Clone, Copy)]
pub struct OutboxLag {
    /// Rows that are due and not published.
    pub waiting: u64,
    /// Since when the oldest of them is due; those that have only given way do not count.
    pub oldest_due: Option<Timestamp>,
    /// Since when the oldest mail waits for a worker.
    pub oldest_queued: Option<Timestamp>,
}

// How long a row waits that the broker did not take, doubling from the first to the second.
const PUBLISH_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Store {
    /// Claims up to `limit` due rows of that rank for `lock`; no other relay gets them meanwhile.
    pub async fn claim_outbox(
        &self,
        rank: Rank,
        limit: u64,
        lock: Duration,
    ) -> Result<Vec<OutboxEntry>> {
        self.write_alone(move |tx, now| {
            Box::pin(async move {
                let token = LockToken::new(now, &mut rng());
                let rows = outbox::Entity::update_many()
                    .col_expr(outbox::Column::LockToken, Expr::value(token.uuid()))
                    .col_expr(outbox::Column::LockedUntil, Expr::value(now + lock))
                    .col_expr(outbox::Column::Tries, Expr::col(outbox::Column::Tries).add(1))
                    .filter(bulk::is_any_of(tx, outbox::Column::Id, due(now, rank, limit)))
                    .exec_with_returning(tx)
                    .await?;
                // A job of a later release waits until one that knows it is back.
                let entries = rows.iter().filter_map(|row| OutboxEntry::new(row, token));
                Ok(entries.collect())
            })
        })
        .await
    }

    /// Records what became of locked rows: the published are done, the others come again. Rows that
    /// somebody else has locked since are left alone.
    pub async fn settle_outbox(
        &self,
        published: &[OutboxEntry],
        unpublished: &[OutboxEntry],
    ) -> Result<()> {
        let (published, unpublished) = (Rows::of(published), Rows::of(unpublished));
        if unpublished.ids.is_empty() {
            return self
                .write_alone(move |db, now| Box::pin(async move { published.done(db, now).await }))
                .await;
        }
        self.write(move |tx, now| {
            Box::pin(async move {
                published.done(tx, now).await?;
                put_off(tx, now, unpublished).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// Frees rows that are locked until then at the latest: whoever has them is gone.
    pub(super) async fn free_outbox(&self, locked_until: Timestamp) -> Result<()> {
        let freed = self
            .write_alone(move |db, _| {
                Box::pin(async move {
                    let freed = outbox::Entity::update_many()
                        .col_expr(outbox::Column::LockedUntil, Expr::value(None::<Timestamp>))
                        .filter(outbox::Column::PublishedAt.is_null())
                        .filter(outbox::Column::LockedUntil.lte(locked_until))
                        .exec(db)
                        .await?;
                    Ok(freed.rows_affected)
                })
            })
            .await?;
        if freed > 0 {
            self.outlet.wake();
        }
        Ok(())
    }

    /// Counts what is due and not published.
    pub async fn outbox_lag(&self) -> Result<OutboxLag> {
        self.read(|db, now| {
            Box::pin(async move {
                let due = outbox::Entity::find()
                    .filter(outbox::Column::PublishedAt.is_null())
                    .filter(outbox::Column::AvailableAt.lte(now));
                let waiting = due.clone().count(db).await?;
                let tried = Condition::any()
                    .add(outbox::Column::GivesWay.eq(false))
                    .add(outbox::Column::Tries.gt(0));
                let oldest = due.filter(tried).order_by_asc(outbox::Column::AvailableAt);
                let oldest_due = oldest.one(db).await?.map(|row| row.available_at);
                Ok(OutboxLag { waiting, oldest_due, oldest_queued: oldest_queued(db).await? })
            })
        })
        .await
    }
}

/// By the index of open deliveries.
async fn oldest_queued(db: &impl ConnectionTrait) -> Result<Option<Timestamp>> {
    let oldest = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::UpdatedAt)
        .filter(delivery::Column::Status.eq(DeliveryStatus::Queued.as_str()))
        .filter(delivery::Column::SettledAt.is_null())
        .order_by_asc(delivery::Column::UpdatedAt)
        .limit(1);
    Ok(oldest.into_tuple().one(db).await?)
}

/// Adds a row.
pub(super) async fn add(tx: &DatabaseTransaction, row: outbox::Model) -> Result<()> {
    outbox::Entity::insert_many(written(vec![row])).exec_without_returning(tx).await?;
    Ok(())
}

/// As they are to be inserted: without the column of traces where none of them is part of one, and without
/// that of giving way where none does. Rows that are inserted together have the same columns.
pub(super) fn written(rows: Vec<outbox::Model>) -> Vec<outbox::ActiveModel> {
    let traced = rows.iter().any(|row| row.traceparent.is_some());
    let gives_way = rows.iter().any(|row| row.gives_way);
    let written = |row: outbox::Model| {
        let mut row = row.into_active_model();
        if !traced {
            row.traceparent = NotSet;
        }
        if !gives_way {
            row.gives_way = NotSet;
        }
        row
    };
    rows.into_iter().map(written).collect()
}

/// A row that becomes due at `available_at`.
pub(super) fn row(
    now: Timestamp,
    delivery: DeliveryId,
    generation: i32,
    available_at: Timestamp,
) -> outbox::Model {
    let job = JobV1::Email { delivery, generation: convert::count(generation) };
    job_row(now, job, available_at)
}

/// A row for a job of any kind, which belongs where the task does that writes it.
pub(super) fn job_row(now: Timestamp, job: JobV1, available_at: Timestamp) -> outbox::Model {
    outbox::Model {
        id: OutboxId::new(now, &mut rng()).uuid(),
        kind: job.kind().to_owned(),
        subject_id: job.subject(),
        generation: convert::column(job.generation()),
        available_at,
        lock_token: None,
        locked_until: None,
        tries: 0,
        published_at: None,
        created_at: now,
        traceparent: trace::current().map(|context| context.to_string()),
        gives_way: false,
    }
}

impl OutboxEntry {
    /// A row that is locked with this token; `None` if its job is not known here.
    pub(super) fn new(row: &outbox::Model, lock: LockToken) -> Option<Self> {
        let job = JobV1::of(&row.kind, row.subject_id, convert::count(row.generation))?;
        let trace = row.traceparent.as_deref().and_then(TraceContext::parse);
        Some(Self { id: OutboxId::from_uuid(row.id), job: Job::V1(job), lock, trace })
    }
}

fn due(now: Timestamp, rank: Rank, limit: u64) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(outbox::Column::Id)
        .from(outbox::Entity)
        .and_where(outbox::Column::PublishedAt.is_null())
        // In the words of the index, which is not for values that come with the query.
        .and_where(Expr::cust(match rank {
            Rank::First => "NOT gives_way",
            Rank::GivesWay => "gives_way",
        }))
        .and_where(outbox::Column::AvailableAt.lte(now))
        .and_where(outbox::Column::LockedUntil.is_null().or(outbox::Column::LockedUntil.lte(now)))
        .order_by(outbox::Column::AvailableAt, Order::Asc)
        .limit(limit)
        // Left out on SQLite, where the single statement is atomic by itself.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned()
}

/// Rows and the tokens that they are locked with. A token is never given twice, so that the right one
/// among them is that row's own.
#[derive(Clone)]
struct Rows {
    ids: Vec<Uuid>,
    locks: Vec<Uuid>,
}

impl Rows {
    fn of(entries: &[OutboxEntry]) -> Self {
        let locks: BTreeSet<Uuid> = entries.iter().map(|entry| entry.lock.uuid()).collect();
        Self {
            ids: entries.iter().map(|entry| entry.id.uuid()).collect(),
            locks: locks.into_iter().collect(),
        }
    }

    async fn done(self, db: &impl ConnectionTrait, now: Timestamp) -> Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let done = outbox::ActiveModel {
            published_at: Set(Some(now)),
            lock_token: Set(None),
            locked_until: Set(None),
            ..Default::default()
        };
        self.change(db, done).await
    }

    async fn change(self, tx: &impl ConnectionTrait, changed: outbox::ActiveModel) -> Result<()> {
        outbox::Entity::update_many()
            .set(changed)
            .filter(bulk::is_any(tx, outbox::Column::Id, self.ids))
            .filter(bulk::is_any(tx, outbox::Column::LockToken, self.locks))
            .exec(tx)
            .await?;
        Ok(())
    }
}

/// Lets the rows come again later: by the most tries of any, with jitter.
async fn put_off(tx: &DatabaseTransaction, now: Timestamp, rows: Rows) -> Result<()> {
    let tries: Option<i32> = outbox::Entity::find()
        .select_only()
        .column_as(outbox::Column::Tries.max(), "tries")
        .filter(bulk::is_any(tx, outbox::Column::Id, rows.ids.clone()))
        .into_tuple::<Option<i32>>()
        .one(tx)
        .await?
        .flatten();
    let (first, last) = PUBLISH_RETRY;
    let doublings = convert::count(tries.unwrap_or(1)).saturating_sub(1);
    let doublings = std::cmp::min(doublings, 16);
    let pause = jittered(first.saturating_mul(1 << doublings).min(last), &mut rng());
    let later = outbox::ActiveModel {
        lock_token: Set(None),
        locked_until: Set(Some(now + pause)),
        ..Default::default()
    };
    rows.change(tx, later).await
}

#[cfg(test)]
mod tests {
    use sea_orm::Unchanged;

    use super::*;

    #[test]
    fn columns_that_nobody_fills_are_left_out() {
        let now = Timestamp::UNIX_EPOCH;
        let plain = row(now, DeliveryId::new(now, &mut rng()), 1, now);
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned();
        let traced = outbox::Model { traceparent: Some(text.clone()), ..plain.clone() };
        let polite = outbox::Model { gives_way: true, ..plain.clone() };
        let columns = |rows: Vec<outbox::Model>| {
            let columns = |row: outbox::ActiveModel| (row.traceparent, row.gives_way);
            written(rows).into_iter().map(columns).collect::<Vec<_>>()
        };
        assert_eq!(
            columns(vec![plain.clone(), plain.clone()]),
            [(NotSet, NotSet), (NotSet, NotSet)]
        );
        let traced = columns(vec![plain.clone(), traced]);
        assert_eq!(traced, [(Unchanged(None), NotSet), (Unchanged(Some(text)), NotSet)]);
        let polite = columns(vec![plain, polite]);
        assert_eq!(polite, [(NotSet, Unchanged(false)), (NotSet, Unchanged(true))]);
    }
}
