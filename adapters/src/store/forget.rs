//! Deletes what is only kept for a while, so that no table grows without a limit.

use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;
use entity::{
    announcement, console_session, idempotency_key, outbox, tally, test_mail, webhook_attempt,
    webhook_delivery, worker,
};
use sea_orm::prelude::Expr;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};

use super::{Result, Store, Verdict, former};

// A client that repeats a request does so within minutes; the usual promise is a day.
const ANSWERS_KEPT: TimeDelta = TimeDelta::hours(48);
// A transaction that began in a window that has ended since may still count in it.
const COUNTS_KEPT: TimeDelta = TimeDelta::hours(1);
// Published rows tell the search for lost messages what is on its way.
const PUBLISHED_KEPT: TimeDelta = TimeDelta::hours(24);

// Whoever asked for a test mail has long looked for it.
const TEST_MAILS_KEPT: TimeDelta = TimeDelta::days(7);

impl Store {
    /// Deletes kept answers, published outbox rows, counts, sessions, test mails, links of earlier mails
    /// and workers that have had their time, and what others were told so long ago. Returns how many.
    pub async fn forget_old(&self, told: Duration) -> Result<u64> {
        self.write(move |tx, now| {
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
                let sessions = console_session::Entity::delete_many()
                    .filter(console_session::Column::ExpiresAt.lt(now))
                    .exec(tx)
                    .await?;
                let test_mails = test_mail::Entity::delete_many()
                    .filter(test_mail::Column::CreatedAt.lt(now - TEST_MAILS_KEPT))
                    .exec(tx)
                    .await?;
                let workers = worker::Entity::delete_many()
                    .filter(worker::Column::PresentUntil.lt(now))
                    .exec(tx)
                    .await?;
                let deleted = [answers, published, counts, sessions, test_mails, workers];
                let deleted = deleted.map(|done| done.rows_affected);
                let links = former::forget_ended(tx, now).await?;
                let told = forget_told(tx, now - told).await?;
                Ok(Verdict::Commit(deleted.iter().sum::<u64>() + links + told))
            })
        })
        .await
    }
}

/// What others were told, unless somebody still has to be told of it.
async fn forget_told(tx: &DatabaseTransaction, before: Timestamp) -> Result<u64> {
    let attempts = webhook_attempt::Entity::delete_many()
        .filter(webhook_attempt::Column::FinishedAt.lt(before))
        .exec(tx)
        .await?;
    let deliveries = webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::CreatedAt.lt(before))
        .filter(webhook_delivery::Column::SettledAt.is_not_null())
        .exec(tx)
        .await?;
    let its = Expr::col((webhook_delivery::Entity, webhook_delivery::Column::EventId))
        .eq(Expr::col((announcement::Entity, announcement::Column::EventId)));
    let is_needed =
        Query::select().expr(Expr::val(1)).from(webhook_delivery::Entity).and_where(its).to_owned();
    let is_out = announcement::Column::PublishedAt
        .is_not_null()
        .or(announcement::Column::ToExchange.eq(false));
    let announcements = announcement::Entity::delete_many()
        .filter(announcement::Column::CreatedAt.lt(before))
        .filter(is_out)
        .filter(Expr::exists(is_needed).not())
        .exec(tx)
        .await?;
    Ok([attempts, deliveries, announcements].iter().map(|done| done.rows_affected).sum())
}
