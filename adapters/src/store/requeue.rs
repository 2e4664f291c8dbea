//! Jobs that a broker has lost: what waits for a worker, though nothing is on its way to one.

use std::time::Duration;

use chrono::TimeDelta;
use domain::job::JobV1;
use domain::{DeliveryId, DeliveryStatus, Timestamp, WebhookDeliveryId, WebhookDeliveryStatus};
use entity::{delivery, outbox as outbox_row, webhook_delivery};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{IntoColumnRef, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Result, Store, Verdict, bulk, convert};

// One transaction's worth: long enough to catch up fast, short enough to hold nobody up.
const BATCH: u64 = 200;

/// More than the clocks of two machines disagree.
const ANY_CLOCK: TimeDelta = TimeDelta::days(1);

/// What kind of jobs is looked for.
#[derive(Clone, Copy)]
enum Kind {
    Mail,
    Webhook,
}

/// What counts as lost.
#[derive(Clone, Copy)]
enum Lost {
    /// Published so long ago that a worker would have it.
    For(Duration),
    /// Published before the broker began, which began empty.
    Before(Timestamp),
    /// Whatever was published: to a broker that is left behind.
    All,
}

impl Lost {
    /// What was touched or published after that is not lost.
    fn untouched_since(self, now: Timestamp) -> Timestamp {
        match self {
            Self::For(after) => now - after,
            Self::Before(began) => began,
            Self::All => now + ANY_CLOCK,
        }
    }
}

impl Store {
    /// Publishes again what the broker must have lost: deliveries that wait for a worker, without
    /// an outbox row, and untouched for `after`. Returns how many.
    pub async fn requeue_lost(&self, after: Duration) -> Result<u64> {
        self.requeue(Kind::Mail, Lost::For(after)).await
    }

    /// The same for deliveries to endpoints.
    pub async fn requeue_lost_webhooks(&self, after: Duration) -> Result<u64> {
        self.requeue(Kind::Webhook, Lost::For(after)).await
    }

    /// Publishes again whatever waits for a worker and was published before `began`: what a broker
    /// forgot that keeps its messages in memory. Returns how many, mails and webhooks. What the relay of
    /// that process had locked, for `lock` each time, is free again.
    pub async fn requeue_forgotten(&self, began: Timestamp, lock: Duration) -> Result<u64> {
        self.free_outbox(began + lock).await?;
        self.requeue_all(Lost::Before(began)).await
    }

    /// The same for whatever was published at all, once the database has moved away from its broker.
    pub(super) async fn requeue_left_behind(&self) -> Result<u64> {
        self.requeue_all(Lost::All).await
    }

    async fn requeue_all(&self, lost: Lost) -> Result<u64> {
        let mut total = 0;
        for kind in [Kind::Mail, Kind::Webhook] {
            // Whatever is queued again has an outbox row that is new, and is not found again.
            loop {
                match self.requeue(kind, lost).await? {
                    0 => break,
                    some => total += some,
                }
            }
        }
        Ok(total)
    }

    async fn requeue(&self, kind: Kind, lost: Lost) -> Result<u64> {
        let store = self.clone();
        let requeued = self
            .write(move |tx, now| {
                Box::pin(async move {
                    let since = lost.untouched_since(now);
                    let jobs = match kind {
                        Kind::Mail => mails(tx, now, since).await?,
                        Kind::Webhook => webhooks(tx, now, since).await?,
                    };
                    let jobs: Vec<_> = jobs.into_iter().map(|job| (job, now)).collect();
                    let rows = store.queued_again(tx, now, "requeue", &jobs).await?;
                    let rows = rows.into_iter().map(|row| named(row, lost)).collect();
                    let added = bulk::insert_new(tx, rows).await?;
                    Ok(Verdict::Commit(added.len() as u64))
                })
            })
            .await?;
        if requeued > 0 {
            self.outlet.wake();
        }
        Ok(requeued)
    }
}

/// A move that is repeated knows by its id what the one before has added: see [`is_of_a_move`].
fn named(row: outbox_row::ActiveModel, lost: Lost) -> outbox_row::ActiveModel {
    match lost {
        Lost::All => outbox_row::ActiveModel { id: row.subject_id.clone(), ..row },
        Lost::For(_) | Lost::Before(_) => row,
    }
}

/// Whether a row was added by a move, so that the database that was moved does not have it.
pub(super) fn is_of_a_move(id: Uuid, subject: Uuid) -> bool {
    id == subject
}

/// Rows about a subject that are still to be published, or were published so recently that a worker may
/// have it.
fn on_its_way(subject: impl IntoColumnRef, since: Timestamp) -> SelectStatement {
    let published = outbox_row::Column::PublishedAt;
    Query::select()
        .expr(Expr::val(1))
        .from(outbox_row::Entity)
        .and_where(
            Expr::col((outbox_row::Entity, outbox_row::Column::SubjectId)).eq(Expr::col(subject)),
        )
        .and_where(published.is_null().or(published.gt(since)))
        .to_owned()
}

async fn mails(tx: &DatabaseTransaction, now: Timestamp, since: Timestamp) -> Result<Vec<JobV1>> {
    let waiting = [DeliveryStatus::Queued, DeliveryStatus::Retrying, DeliveryStatus::Uncertain];
    let on_its_way = on_its_way((delivery::Entity, delivery::Column::Id), since);
    let next = delivery::Column::NextAttemptAt;
    let rows = delivery::Entity::find()
        .filter(delivery::Column::Status.is_in(waiting.map(DeliveryStatus::as_str)))
        .filter(delivery::Column::UpdatedAt.lte(since))
        .filter(next.is_null().or(next.lte(now)))
        .filter(Expr::exists(on_its_way.clone()).not())
        .order_by_asc(delivery::Column::UpdatedAt)
        .limit(BATCH)
        .all(tx)
        .await?;
    let due = delivery::Entity::find()
        .filter(delivery::Column::Status.eq(DeliveryStatus::Scheduled.as_str()))
        .filter(next.lte(std::cmp::min(since, now)))
        .filter(Expr::exists(on_its_way).not())
        .order_by_asc(next)
        .limit(BATCH);
    // Two statements: each has an index of its own.
    let rows = [rows, due.all(tx).await?].concat();
    let job = |row: &delivery::Model| JobV1::Email {
        delivery: DeliveryId::from_uuid(row.id),
        generation: convert::count(row.generation),
    };
    Ok(rows.iter().map(job).collect())
}

async fn webhooks(
    tx: &DatabaseTransaction,
    now: Timestamp,
    since: Timestamp,
) -> Result<Vec<JobV1>> {
    let waiting = [WebhookDeliveryStatus::Queued, WebhookDeliveryStatus::Retrying];
    let on_its_way = on_its_way((webhook_delivery::Entity, webhook_delivery::Column::Id), since);
    let next = webhook_delivery::Column::NextAttemptAt;
    let rows = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Status.is_in(waiting.map(WebhookDeliveryStatus::as_str)))
        .filter(webhook_delivery::Column::UpdatedAt.lte(since))
        .filter(next.is_null().or(next.lte(now)))
        .filter(Expr::exists(on_its_way).not())
        .order_by_asc(webhook_delivery::Column::UpdatedAt)
        .limit(BATCH)
        .all(tx)
        .await?;
    let job = |row: &webhook_delivery::Model| JobV1::Webhook {
        delivery: WebhookDeliveryId::from_uuid(row.id),
        generation: convert::count(row.generation),
    };
    Ok(rows.iter().map(job).collect())
}
