//! The log of an endpoint: what it was told, attempt by attempt.

use std::collections::HashMap;

use domain::{InvitationId, OrganizationId, WebhookDeliveryId, WebhookDeliveryStatus, WebhookId};
use entity::{announcement, webhook_attempt, webhook_delivery};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::super::{Result, Store, bulk};
use super::endpoint;
use super::view::{WebhookAttemptView, WebhookDeliveryView};

/// Which deliveries to list, newest first.
#[derive(Debug, Clone)]
pub struct WebhookLogFilter {
    /// Only those that stand so.
    pub status: Option<WebhookDeliveryStatus>,
    /// Only those older than this one: the cursor.
    pub before: Option<WebhookDeliveryId>,
    /// How many at most.
    pub limit: u64,
}

impl Store {
    /// A page of an endpoint's deliveries; `None` if the organization has no such endpoint.
    pub async fn webhook_deliveries(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        filter: WebhookLogFilter,
    ) -> Result<Option<Vec<WebhookDeliveryView>>> {
        self.snapshot(move |db| {
            Box::pin(async move {
                if endpoint::find(db, organization, id).await?.is_none() {
                    return Ok(None);
                }
                let mut query = webhook_delivery::Entity::find()
                    .filter(webhook_delivery::Column::EndpointId.eq(id.uuid()))
                    .order_by_desc(webhook_delivery::Column::Id)
                    .limit(filter.limit);
                if let Some(status) = filter.status {
                    query = query.filter(webhook_delivery::Column::Status.eq(status.as_str()));
                }
                if let Some(before) = filter.before {
                    query = query.filter(webhook_delivery::Column::Id.lt(before.uuid()));
                }
                let rows = query.all(db).await?;
                Ok(Some(views(db, rows).await?))
            })
        })
        .await
    }
}

/// Deliveries with all that is known of them.
pub(super) async fn views(
    db: &impl ConnectionTrait,
    rows: Vec<webhook_delivery::Model>,
) -> Result<Vec<WebhookDeliveryView>> {
    let ids = rows.iter().map(|row| row.id).collect();
    let attempts = webhook_attempt::Entity::find()
        .filter(bulk::is_any(db, webhook_attempt::Column::WebhookDeliveryId, ids))
        .order_by_asc(webhook_attempt::Column::Id)
        .all(db)
        .await?;
    let mut log: HashMap<Uuid, Vec<WebhookAttemptView>> = HashMap::new();
    for row in attempts {
        log.entry(row.webhook_delivery_id).or_default().push(row.into());
    }
    let events = rows.iter().map(|row| row.event_id).collect();
    let about: Vec<(Uuid, Option<Uuid>)> = announcement::Entity::find()
        .select_only()
        .column(announcement::Column::EventId)
        .column(announcement::Column::InvitationId)
        .filter(bulk::is_any(db, announcement::Column::EventId, events))
        .into_tuple()
        .all(db)
        .await?;
    let about: HashMap<Uuid, Option<Uuid>> = about.into_iter().collect();
    rows.into_iter()
        .map(|row| {
            let invitation = about.get(&row.event_id).copied().flatten();
            let attempts = log.remove(&row.id).unwrap_or_default();
            WebhookDeliveryView::new(row, invitation.map(InvitationId::from_uuid), attempts)
        })
        .collect()
}
