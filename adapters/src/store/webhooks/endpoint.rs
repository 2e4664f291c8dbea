//! Endpoints: making, reading, changing and deleting them.

use std::time::Duration;

use domain::{OrganizationId, WebhookDisabledReason, WebhookId};
use entity::{organization, webhook_attempt, webhook_delivery, webhook_endpoint};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{LockType, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::super::{Result, Store, Verdict, convert};
use super::view::WebhookView;

/// An endpoint to be made. The secret gets here sealed.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// The id that the secret is sealed for.
    pub id: WebhookId,
    /// Where the requests go; the guard has let it pass.
    pub url: String,
    /// What its owner calls it.
    pub description: Option<String>,
    /// Which types of events; `None` for all.
    pub event_types: Option<Vec<String>>,
    /// What signs the requests.
    pub sealed_secret: Vec<u8>,
}

/// What is to be different about an endpoint; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Where the requests go.
    pub url: Option<String>,
    /// What its owner calls it.
    pub description: Option<Option<String>>,
    /// Which types of events.
    pub event_types: Option<Option<Vec<String>>>,
    /// Whether it is told of events.
    pub enabled: Option<bool>,
}

/// A secret that takes the place of another.
#[derive(Debug, Clone)]
pub struct RotatedSecret {
    /// The new one.
    pub sealed_secret: Vec<u8>,
    /// How long the old one signs beside it.
    pub overlap: Duration,
}

impl Store {
    /// Makes an endpoint; `None` if the organization has `most` of them already.
    pub async fn create_webhook(
        &self,
        organization: OrganizationId,
        new: NewWebhook,
        most: u32,
    ) -> Result<Option<WebhookView>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                hold(tx, organization).await?;
                let count = of(organization).count(tx).await?;
                if count >= u64::from(most) {
                    return Ok(Verdict::RollBack(None));
                }
                let row = webhook_endpoint::Model {
                    id: new.id.uuid(),
                    organization_id: organization.uuid(),
                    url: new.url,
                    description: new.description,
                    event_types: new.event_types.map(convert::json).transpose()?,
                    sealed_secret: new.sealed_secret,
                    previous_sealed_secret: None,
                    previous_until: None,
                    failing_since: None,
                    disabled_at: None,
                    disabled_reason: None,
                    created_at: now,
                    updated_at: now,
                };
                let added = row.clone().into_active_model();
                webhook_endpoint::Entity::insert(added).exec_without_returning(tx).await?;
                Ok(Verdict::Commit(Some(WebhookView::new(row, now)?)))
            })
        })
        .await
    }

    /// All endpoints of an organization, oldest first.
    pub async fn webhooks(&self, organization: OrganizationId) -> Result<Vec<WebhookView>> {
        self.read(move |db, now| {
            Box::pin(async move {
                let rows = of(organization).order_by_asc(webhook_endpoint::Column::Id);
                let rows = rows.all(db).await?.into_iter();
                rows.map(|row| WebhookView::new(row, now)).collect()
            })
        })
        .await
    }

    /// An endpoint of an organization.
    pub async fn webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> Result<Option<WebhookView>> {
        self.read(move |db, now| {
            Box::pin(async move {
                let row = find(db, organization, id).await?;
                row.map(|row| WebhookView::new(row, now)).transpose()
            })
        })
        .await
    }

    /// Changes an endpoint; `None` if the organization has no such endpoint.
    pub async fn change_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<Option<WebhookView>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(mut row) = locked(tx, organization, id).await? else {
                    return Ok(Verdict::RollBack(None));
                };
                let is_new_url = change.url.as_ref().is_some_and(|url| *url != row.url);
                row.url = change.url.unwrap_or(row.url);
                row.description = change.description.unwrap_or(row.description);
                if let Some(types) = change.event_types {
                    row.event_types = types.map(convert::json).transpose()?;
                }
                if is_new_url || change.enabled == Some(true) {
                    row.failing_since = None;
                }
                match (change.enabled, row.disabled_at) {
                    (Some(true), _) => (row.disabled_at, row.disabled_reason) = (None, None),
                    (Some(false), None) => {
                        row.disabled_at = Some(now);
                        row.disabled_reason =
                            Some(WebhookDisabledReason::Requested.as_str().to_owned());
                    }
                    _ => {}
                }
                row.updated_at = now;
                save(tx, &row).await?;
                Ok(Verdict::Commit(Some(WebhookView::new(row, now)?)))
            })
        })
        .await
    }

    /// Puts another secret in the place of the one in use; what was in use before that one is
    /// forgotten. `None` if the organization has no such endpoint.
    pub async fn rotate_webhook_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        new: RotatedSecret,
    ) -> Result<Option<WebhookView>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(mut row) = locked(tx, organization, id).await? else {
                    return Ok(Verdict::RollBack(None));
                };
                let old = std::mem::replace(&mut row.sealed_secret, new.sealed_secret);
                let overlaps = !new.overlap.is_zero();
                row.previous_sealed_secret = overlaps.then_some(old);
                row.previous_until = overlaps.then(|| now + new.overlap);
                row.updated_at = now;
                save(tx, &row).await?;
                Ok(Verdict::Commit(Some(WebhookView::new(row, now)?)))
            })
        })
        .await
    }

    /// Deletes an endpoint and the log of its deliveries; `false` if the organization has no such
    /// endpoint. What is just being sent arrives.
    pub async fn delete_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> Result<bool> {
        self.write(move |tx, _| {
            Box::pin(async move {
                if locked(tx, organization, id).await?.is_none() {
                    return Ok(Verdict::RollBack(false));
                }
                let own = webhook_delivery::Column::EndpointId.eq(id.uuid());
                hold_deliveries(tx, own.clone()).await?;
                let deliveries = Query::select()
                    .column(webhook_delivery::Column::Id)
                    .from(webhook_delivery::Entity)
                    .and_where(own.clone())
                    .to_owned();
                let theirs = webhook_attempt::Column::WebhookDeliveryId.in_subquery(deliveries);
                webhook_attempt::Entity::delete_many().filter(theirs).exec(tx).await?;
                webhook_delivery::Entity::delete_many().filter(own).exec(tx).await?;
                webhook_endpoint::Entity::delete_by_id(id.uuid()).exec(tx).await?;
                Ok(Verdict::Commit(true))
            })
        })
        .await
    }
}

/// A report that is written at this moment is over, or finds nothing to report: otherwise its attempt
/// would stay behind alone.
async fn hold_deliveries(tx: &DatabaseTransaction, own: Expr) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let rows = webhook_delivery::Entity::find().select_only();
        let rows = rows.column(webhook_delivery::Column::Id).filter(own).lock(LockType::Update);
        rows.into_tuple::<Uuid>().all(tx).await?;
    }
    Ok(())
}

fn of(organization: OrganizationId) -> sea_orm::Select<webhook_endpoint::Entity> {
    webhook_endpoint::Entity::find()
        .filter(webhook_endpoint::Column::OrganizationId.eq(organization.uuid()))
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    id: WebhookId,
) -> Result<Option<webhook_endpoint::Model>> {
    let own = of(organization).filter(webhook_endpoint::Column::Id.eq(id.uuid()));
    Ok(own.one(db).await?)
}

/// The same, and nobody else changes it until the transaction ends.
async fn locked(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    id: WebhookId,
) -> Result<Option<webhook_endpoint::Model>> {
    let mut own = of(organization).filter(webhook_endpoint::Column::Id.eq(id.uuid()));
    // On SQLite the transaction is the only writer already.
    if tx.get_database_backend() == DbBackend::Postgres {
        own = own.lock(LockType::Update);
    }
    Ok(own.one(tx).await?)
}

/// Two that are made at once are counted one after the other.
async fn hold(tx: &DatabaseTransaction, id: OrganizationId) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let row = organization::Entity::find().filter(organization::Column::Id.eq(id.uuid()));
        row.lock(LockType::Update).one(tx).await?;
    }
    Ok(())
}

async fn save(tx: &DatabaseTransaction, row: &webhook_endpoint::Model) -> Result<()> {
    let changed = webhook_endpoint::ActiveModel {
        url: Set(row.url.clone()),
        description: Set(row.description.clone()),
        event_types: Set(row.event_types.clone()),
        sealed_secret: Set(row.sealed_secret.clone()),
        previous_sealed_secret: Set(row.previous_sealed_secret.clone()),
        previous_until: Set(row.previous_until),
        failing_since: Set(row.failing_since),
        disabled_at: Set(row.disabled_at),
        disabled_reason: Set(row.disabled_reason.clone()),
        updated_at: Set(row.updated_at),
        ..Default::default()
    };
    webhook_endpoint::Entity::update_many()
        .set(changed)
        .filter(webhook_endpoint::Column::Id.eq(row.id))
        .exec(tx)
        .await?;
    Ok(())
}
