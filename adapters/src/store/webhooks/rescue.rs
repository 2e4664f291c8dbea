//! What brings back deliveries to endpoints whose worker died.

use domain::job::JobV1;
use domain::webhook::WebhookEvent;
use domain::{Timestamp, WebhookDeliveryId, WebhookDeliveryStatus};
use entity::webhook_delivery;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::super::bulk::{self, Changes};
use super::super::{Result, Store, StoreError, Verdict, convert};
use super::columns;

// One transaction's worth: long enough to catch up fast, short enough to hold nobody up.
const BATCH: u64 = 200;

impl Store {
    /// Lets deliveries go on whose worker is gone. Returns how many.
    pub async fn rescue_webhooks(&self) -> Result<u64> {
        let store = self.clone();
        let rescued = self.write(move |tx, now| {
            Box::pin(async move { store.rescue_webhooks_some(tx, now).await })
        });
        let rescued = rescued.await?;
        if rescued > 0 {
            self.outlet.wake();
        }
        Ok(rescued)
    }

    async fn rescue_webhooks_some(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
    ) -> Result<Verdict<u64>> {
        let mut query = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::Status.eq(WebhookDeliveryStatus::Sending.as_str()))
            .filter(webhook_delivery::Column::LeaseUntil.lte(now))
            .order_by_asc(webhook_delivery::Column::Id)
            .limit(BATCH);
        if tx.get_database_backend() == DbBackend::Postgres {
            // Whoever is at one of them this moment decides what becomes of it; the next look sees.
            query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        let (mut rows, mut tokens, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for row in query.all(tx).await? {
            let expired = columns::read(&row)?.apply(&WebhookEvent::LeaseExpired, now);
            let Ok(next) = expired else { continue };
            rows.push(columns::written(&next, now));
            tokens.extend(row.attempt_token);
            jobs.push((webhook(&row), now));
        }
        let mut changes = Changes::new(tx);
        // A token is one delivery's alone, so that the right one among them is that delivery's own.
        let holds = bulk::is_any(tx, webhook_delivery::Column::AttemptToken, tokens);
        let rescued = rows.len() as u64;
        changes.update(rows, |_| holds.clone())?;
        changes.insert(self.queued_again(tx, now, "rescue", &jobs).await?)?;
        let made = changes.make(tx).await?;
        if made { Ok(Verdict::Commit(rescued)) } else { Err(StoreError::Busy) }
    }
}

fn webhook(row: &webhook_delivery::Model) -> JobV1 {
    JobV1::Webhook {
        delivery: WebhookDeliveryId::from_uuid(row.id),
        generation: convert::count(row.generation),
    }
}
