//! What brings back deliveries to endpoints that got stuck: dead workers, lost messages.

use std::time::Duration;

use domain::job::JobV1;
use domain::webhook::WebhookEvent;
use domain::{WebhookDeliveryId, WebhookDeliveryStatus};
use entity::{outbox as outbox_row, webhook_delivery};
use sea_orm::prelude::Expr;
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::super::bulk::Changes;
use super::super::{Result, Store, StoreError, Verdict, convert, outbox};
use super::columns;

// One transaction's worth: long enough to catch up fast, short enough to hold nobody up.
const BATCH: u64 = 200;

impl Store {
    /// Lets deliveries go on whose worker is gone. Returns how many.
    pub async fn rescue_webhooks(&self) -> Result<u64> {
        let rescued = self.write(move |tx, now| {
            Box::pin(async move {
                let sending = WebhookDeliveryStatus::Sending.as_str();
                let rows = webhook_delivery::Entity::find()
                    .filter(webhook_delivery::Column::Status.eq(sending))
                    .filter(webhook_delivery::Column::LeaseUntil.lte(now))
                    .order_by_asc(webhook_delivery::Column::Id)
                    .limit(BATCH)
                    .all(tx)
                    .await?;
                let mut rescued = 0;
                for row in rows {
                    let expired = columns::read(&row)?.apply(&WebhookEvent::LeaseExpired, now);
                    let Ok(next) = expired else { continue };
                    let done = webhook_delivery::Entity::update_many()
                        .set(columns::written(&next, now))
                        .filter(webhook_delivery::Column::Id.eq(row.id))
                        .filter(webhook_delivery::Column::AttemptToken.eq(row.attempt_token))
                        .exec(tx)
                        .await?;
                    if done.rows_affected == 1 {
                        rescued += 1;
                        let (delivery, generation) = (next.id, next.generation);
                        let job = JobV1::Webhook { delivery, generation };
                        let row = outbox::job_row(now, job, now).into_active_model();
                        outbox_row::Entity::insert(row).exec_without_returning(tx).await?;
                    }
                }
                Ok(Verdict::Commit(rescued))
            })
        });
        let rescued = rescued.await?;
        if rescued > 0 {
            self.outlet.wake();
        }
        Ok(rescued)
    }

    /// Publishes again what the broker must have lost: deliveries that wait for a worker, without an
    /// outbox row, and untouched for `after`. Returns how many.
    pub async fn requeue_lost_webhooks(&self, after: Duration) -> Result<u64> {
        let requeued = self.write(move |tx, now| {
            Box::pin(async move {
                let waiting = [WebhookDeliveryStatus::Queued, WebhookDeliveryStatus::Retrying];
                let subject = Expr::col((outbox_row::Entity, outbox_row::Column::SubjectId));
                let delivery = Expr::col((webhook_delivery::Entity, webhook_delivery::Column::Id));
                // Still to be published, or published so recently that a worker may have it.
                let published = outbox_row::Column::PublishedAt;
                let on_its_way = Query::select()
                    .expr(Expr::val(1))
                    .from(outbox_row::Entity)
                    .and_where(subject.eq(delivery))
                    .and_where(published.is_null().or(published.gt(now - after)))
                    .to_owned();
                let next = webhook_delivery::Column::NextAttemptAt;
                let rows = webhook_delivery::Entity::find()
                    .filter(
                        webhook_delivery::Column::Status
                            .is_in(waiting.map(WebhookDeliveryStatus::as_str)),
                    )
                    .filter(webhook_delivery::Column::UpdatedAt.lte(now - after))
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
                let jobs = rows.iter().map(|row| outbox::job_row(now, job(row), now));
                let mut changes = Changes::new(tx);
                changes.insert(jobs.map(outbox_row::Model::into_active_model).collect())?;
                let made = changes.make(tx).await?;
                if made { Ok(Verdict::Commit(rows.len() as u64)) } else { Err(StoreError::Busy) }
            })
        });
        let requeued = requeued.await?;
        if requeued > 0 {
            self.outlet.wake();
        }
        Ok(requeued)
    }
}
