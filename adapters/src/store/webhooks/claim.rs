//! A worker takes a delivery to an endpoint.

use std::time::Duration;

use domain::webhook::WebhookEvent;
use domain::{AttemptToken, Generation, Timestamp, WebhookDelivery, WebhookDeliveryId, WebhookId};
use entity::{announcement, webhook_delivery, webhook_endpoint};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QuerySelect,
};

use super::super::{Result, Store, StoreError, Verdict, convert};
use super::columns;

/// A delivery that is this worker's until its lease ends.
#[derive(Debug, Clone)]
pub struct ClaimedWebhook {
    /// The delivery, in the state `Sending`.
    pub delivery: WebhookDelivery,
    /// Proof of the claim.
    pub attempt: AttemptToken,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it was last asked for.
    pub asked_at: Timestamp,
    /// Whom to tell.
    pub endpoint: WebhookId,
    /// Where.
    pub url: String,
    /// Since when the endpoint has taken nothing.
    pub failing_since: Option<Timestamp>,
    /// What to say: the same bytes for every attempt.
    pub body: String,
    /// What signs it, sealed: the secret in use, and the one before while that still counts.
    pub sealed_secrets: Vec<Vec<u8>>,
}

impl Store {
    /// Takes a delivery for `lease`; `None` if there is nothing to do: it is delivered, taken, not due,
    /// or was asked for once more since. One whose endpoint is off ends here.
    pub async fn claim_webhook(
        &self,
        id: WebhookDeliveryId,
        generation: Generation,
        lease: Duration,
    ) -> Result<Option<ClaimedWebhook>> {
        self.write(move |tx, now| {
            Box::pin(async move { claim(tx, now, id, generation, lease).await })
        })
        .await
    }
}

async fn claim(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: WebhookDeliveryId,
    generation: Generation,
    lease: Duration,
) -> Result<Verdict<Option<ClaimedWebhook>>> {
    let nothing = || Ok(Verdict::RollBack(None));
    let mut query = webhook_delivery::Entity::find_by_id(id.uuid());
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::Update);
    }
    let Some(row) = query.one(tx).await? else { return nothing() };
    if convert::count(row.generation) != generation {
        return nothing();
    }
    let delivery = columns::read(&row)?;
    let endpoint = webhook_endpoint::Entity::find_by_id(row.endpoint_id).one(tx).await?;
    let endpoint = endpoint.filter(|endpoint| endpoint.disabled_at.is_none());
    let told = announcement::Entity::find_by_id(row.event_id).one(tx).await?;
    let (Some(endpoint), Some(told)) = (endpoint, told) else {
        let Ok(ended) = delivery.apply(&WebhookEvent::GiveUp, now) else { return nothing() };
        write(tx, now, &row, &ended).await?;
        return Ok(Verdict::Commit(None));
    };
    let attempt = AttemptToken::new(now, &mut crate::rng());
    let event = WebhookEvent::Claim { attempt, lease_until: now + lease };
    let Ok(next) = delivery.apply(&event, now) else { return nothing() };
    write(tx, now, &row, &next).await?;
    let previous = endpoint.previous_until.filter(|until| *until > now);
    let previous = previous.and(endpoint.previous_sealed_secret);
    Ok(Verdict::Commit(Some(ClaimedWebhook {
        delivery: next,
        attempt,
        started_at: now,
        asked_at: row.asked_at,
        endpoint: WebhookId::from_uuid(endpoint.id),
        url: endpoint.url,
        failing_since: endpoint.failing_since,
        body: body(&told)?,
        sealed_secrets: [Some(endpoint.sealed_secret), previous].into_iter().flatten().collect(),
    })))
}

/// The domain has allowed it; the database holds it once more.
async fn write(
    tx: &DatabaseTransaction,
    now: Timestamp,
    before: &webhook_delivery::Model,
    next: &WebhookDelivery,
) -> Result<()> {
    let done = webhook_delivery::Entity::update_many()
        .set(columns::written(next, now))
        .filter(webhook_delivery::Column::Id.eq(before.id))
        .filter(webhook_delivery::Column::Status.eq(before.status.as_str()))
        .filter(webhook_delivery::Column::Generation.eq(before.generation))
        .exec(tx)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(StoreError::Busy) }
}

/// As Standard Webhooks recommends it: what happened, when, and to what.
fn body(told: &announcement::Model) -> Result<String> {
    let (kind, at) = (convert::json(&told.event_type)?, convert::json(told.created_at)?);
    Ok(format!("{{\"type\":{kind},\"timestamp\":{at},\"data\":{}}}", told.data))
}
