//! What brings back deliveries to endpoints whose worker died.

use domain::WebhookDeliveryStatus;
use domain::job::JobV1;
use domain::webhook::WebhookEvent;
use entity::{outbox as outbox_row, webhook_delivery};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::super::{Result, Store, Verdict, outbox};
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
}
