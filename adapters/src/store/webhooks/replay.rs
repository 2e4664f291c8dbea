//! Telling an endpoint on demand: of one event once more, of all that failed, or of nothing, as a test.

use domain::job::JobV1;
use domain::webhook::WebhookEvent;
use domain::{
    OrganizationId, Timestamp, WebhookDeliveryId, WebhookDeliveryStatus, WebhookId, event,
};
use entity::webhook_delivery;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Set,
};

use super::super::announce::{self, Plan};
use super::super::bulk::Changes;
use super::super::{Result, Store, StoreError, Verdict, outbox};
use super::view::WebhookDeliveryView;
use super::{columns, endpoint, log};
use crate::trace;

impl Store {
    /// Tells an endpoint once more of an event that was delivered or given up; one that is still under
    /// way stays so. `None` if the organization has no such delivery of this endpoint.
    pub async fn replay_webhook(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        id: WebhookDeliveryId,
    ) -> Result<Option<WebhookDeliveryView>> {
        let replayed = self.write(move |tx, now| {
            Box::pin(async move {
                let own = webhook_delivery::Entity::find_by_id(id.uuid())
                    .filter(webhook_delivery::Column::EndpointId.eq(webhook.uuid()))
                    .filter(webhook_delivery::Column::OrganizationId.eq(organization.uuid()));
                let rows = locked(tx, own).await?;
                replay(tx, now, &rows).await?;
                let own = webhook_delivery::Entity::find_by_id(id.uuid());
                let rows = if rows.is_empty() { rows } else { own.all(tx).await? };
                Ok(Verdict::Commit(log::views(tx, rows).await?.pop()))
            })
        });
        let replayed = replayed.await?;
        self.outlet.wake();
        Ok(replayed)
    }

    /// Tells an endpoint once more of up to `limit` events since `since` that it was not told of.
    /// Returns how many; `None` if the organization has no such endpoint.
    pub async fn replay_failed_webhooks(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        since: Timestamp,
        limit: u64,
    ) -> Result<Option<u64>> {
        let replayed = self.write(move |tx, now| {
            Box::pin(async move {
                if endpoint::find(tx, organization, webhook).await?.is_none() {
                    return Ok(Verdict::RollBack(None));
                }
                let failed = webhook_delivery::Entity::find()
                    .filter(webhook_delivery::Column::EndpointId.eq(webhook.uuid()))
                    .filter(
                        webhook_delivery::Column::Status.eq(WebhookDeliveryStatus::Failed.as_str()),
                    )
                    .filter(webhook_delivery::Column::CreatedAt.gte(since))
                    .limit(limit);
                let rows = locked(tx, failed).await?;
                Ok(Verdict::Commit(Some(replay(tx, now, &rows).await?)))
            })
        });
        let replayed = replayed.await?;
        self.outlet.wake();
        Ok(replayed)
    }

    /// Sends an endpoint an event that says nothing; `None` if the organization has no such endpoint.
    pub async fn test_webhook(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
    ) -> Result<Option<WebhookDeliveryView>> {
        let planned = self.write(move |tx, now| {
            Box::pin(async move {
                if endpoint::find(tx, organization, webhook).await?.is_none() {
                    return Ok(Verdict::RollBack(None));
                }
                let data = serde_json::json!({ "webhook_id": webhook });
                let mut plan = Plan::default();
                let trial = announce::trial(now, organization, event::TEST_TYPE, &data);
                plan.announcements.push(trial);
                let id = plan.tell(now, webhook.uuid(), 0, trace::current());
                plan.write(tx).await?;
                let rows = webhook_delivery::Entity::find_by_id(id.uuid()).all(tx).await?;
                Ok(Verdict::Commit(log::views(tx, rows).await?.pop()))
            })
        });
        let planned = planned.await?;
        self.outlet.wake();
        Ok(planned)
    }
}

/// In one order for all: two that replay the same cannot lock each other out.
async fn locked(
    tx: &DatabaseTransaction,
    query: Select<webhook_delivery::Entity>,
) -> Result<Vec<webhook_delivery::Model>> {
    let mut query = query.order_by_asc(webhook_delivery::Column::Id);
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::Update);
    }
    Ok(query.all(tx).await?)
}

async fn replay(
    tx: &DatabaseTransaction,
    now: Timestamp,
    rows: &[webhook_delivery::Model],
) -> Result<u64> {
    let (mut again, mut jobs) = (Vec::new(), Vec::new());
    for row in rows {
        let Ok(next) = columns::read(row)?.apply(&WebhookEvent::Replay, now) else { continue };
        let mut changed = columns::written(&next, now);
        changed.asked_at = Set(now);
        again.push(changed);
        let job = JobV1::Webhook { delivery: next.id, generation: next.generation };
        jobs.push(outbox::job_row(now, job, now));
    }
    let count = again.len() as u64;
    let settled = [WebhookDeliveryStatus::Delivered, WebhookDeliveryStatus::Failed];
    let settled = settled.map(WebhookDeliveryStatus::as_str);
    let mut changes = Changes::new(tx);
    changes.update(again, |_| webhook_delivery::Column::Status.is_in(settled))?;
    changes.insert(outbox::written(jobs))?;
    if !changes.make(tx).await? {
        return Err(StoreError::Busy);
    }
    Ok(count)
}
