//! Writes the audit log and, in the same transaction, plans that others are told: each endpoint that
//! wants an event gets a delivery and an outbox row, and the exchange gets the announcement.
//!
//! Whoever has nobody to tell pays nothing for it: on PostgreSQL the statement that makes the changes
//! and writes the log finds the listeners as well. What they are told is read back from the rows as the transaction
//! leaves them, so that it is what the API shows, and kept as text: every attempt says the same.

use std::collections::{BTreeSet, HashMap};

use domain::job::JobV1;
use domain::{OrganizationId, Timestamp, WebhookDeliveryId, WebhookDeliveryStatus};
use entity::{announcement, event_exchange, outbox as outbox_row};
use entity::{webhook_delivery, webhook_endpoint};
use sea_orm::prelude::{Json, Uuid};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter,
};
use serde::Deserialize;

use super::audit::Entry;
use super::bulk::Changes;
use super::{Result, StoreError, convert, outbox, read};
use crate::rng;
use crate::trace::TraceContext;

/// An endpoint, or, without an id, an exchange.
#[derive(Deserialize)]
struct Listener {
    id: Option<Uuid>,
    organization_id: Option<Uuid>,
    event_types: Option<Json>,
}

/// What the log's statement finds beside: the endpoints of these organizations, and the exchanges.
const LISTENERS: &str = "SELECT id, organization_id, event_types FROM webhook_endpoint \
     WHERE organization_id = ANY(ARRAY(SELECT unnest($1))) AND disabled_at IS NULL \
     UNION ALL SELECT NULL, NULL, NULL FROM event_exchange";

/// Adds entries to the audit log, once everything they are about is written.
pub(super) async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    entries: Vec<Entry>,
) -> Result<()> {
    // Their ids are new.
    if make(tx, now, Changes::new(tx), entries).await? { Ok(()) } else { Err(StoreError::Busy) }
}

/// Makes changes, with the entries of the audit log that are about them. `false` if not each of them
/// could be made: then the transaction is to be rolled back.
pub(super) async fn make(
    tx: &DatabaseTransaction,
    now: Timestamp,
    mut changes: Changes,
    entries: Vec<Entry>,
) -> Result<bool> {
    changes.insert(entries.iter().map(|entry| entry.row.clone().into_active_model()).collect())?;
    let told: Vec<Entry> =
        entries.into_iter().filter(|entry| entry.kind.told_as().is_some()).collect();
    if told.is_empty() {
        return changes.make(tx).await;
    }
    let organizations: BTreeSet<Uuid> =
        told.iter().map(|entry| entry.row.organization_id).collect();
    let listeners = listeners(tx, changes, organizations.into_iter().collect()).await?;
    let Some(listeners) = listeners else { return Ok(false) };
    if !listeners.is_empty() {
        announce(tx, now, &told, &listeners).await?;
    }
    Ok(true)
}

/// Makes the changes and gives whoever may want to know; `None` if they cannot all be made.
async fn listeners(
    tx: &DatabaseTransaction,
    changes: Changes,
    organizations: Vec<Uuid>,
) -> Result<Option<Vec<Listener>>> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let Some(found) = changes.make_and_find(tx, LISTENERS, vec![organizations.into()]).await?
        else {
            return Ok(None);
        };
        let found: serde_json::Result<_> = found.into_iter().map(serde_json::from_value).collect();
        return found.map(Some).map_err(|error| StoreError::Database(error.to_string()));
    }
    if !changes.make(tx).await? {
        return Ok(None);
    }
    let endpoints = webhook_endpoint::Entity::find()
        .filter(webhook_endpoint::Column::OrganizationId.is_in(organizations))
        .filter(webhook_endpoint::Column::DisabledAt.is_null())
        .all(tx)
        .await?;
    let exchanges = event_exchange::Entity::find().all(tx).await?;
    let endpoints = endpoints.into_iter().map(|row| Listener {
        id: Some(row.id),
        organization_id: Some(row.organization_id),
        event_types: row.event_types,
    });
    let exchange = |_| Listener { id: None, organization_id: None, event_types: None };
    Ok(Some(endpoints.chain(exchanges.into_iter().map(exchange)).collect()))
}

impl Listener {
    fn wants(&self, entry: &Entry) -> bool {
        let is_asked = |types: &Json| {
            let told_as = entry.kind.told_as();
            types.as_array().is_some_and(|types| types.iter().any(|one| one.as_str() == told_as))
        };
        self.organization_id.is_none_or(|own| own == entry.row.organization_id)
            && self.event_types.as_ref().is_none_or(is_asked)
    }
}

async fn announce(
    tx: &DatabaseTransaction,
    now: Timestamp,
    entries: &[Entry],
    listeners: &[Listener],
) -> Result<()> {
    let mut plan = Plan::default();
    let mut about = Vec::new();
    for entry in entries {
        let wanting: Vec<&Listener> = listeners.iter().filter(|one| one.wants(entry)).collect();
        if wanting.is_empty() {
            continue;
        }
        about.extend(entry.row.invitation_id);
        let to_exchange = wanting.iter().any(|one| one.id.is_none());
        plan.announcements.push(announcement_row(entry, to_exchange));
        for endpoint in wanting.into_iter().filter_map(|one| one.id) {
            plan.tell(now, endpoint, plan.announcements.len() - 1, entry.trace);
        }
    }
    let told = told(tx, about).await?;
    for row in &mut plan.announcements {
        if let Some(data) = row.invitation_id.and_then(|id| told.get(&id)) {
            row.data.clone_from(data);
        }
    }
    plan.write(tx).await
}

/// What the API shows of these invitations now, in JSON.
async fn told(tx: &DatabaseTransaction, invitations: Vec<Uuid>) -> Result<HashMap<Uuid, String>> {
    let views = read::views(tx, invitations).await?;
    let text = |(id, view)| Ok((id, convert::json(view)?.to_string()));
    views.into_iter().map(text).collect()
}

fn announcement_row(entry: &Entry, to_exchange: bool) -> announcement::Model {
    announcement::Model {
        event_id: entry.row.id,
        organization_id: entry.row.organization_id,
        invitation_id: entry.row.invitation_id,
        event_type: entry.kind.told_as().unwrap_or_default().to_owned(),
        data: entry.row.data.to_string(),
        to_exchange,
        lock_token: None,
        locked_until: None,
        published_at: None,
        created_at: entry.row.created_at,
    }
}

/// What is to be written so that others are told.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) announcements: Vec<announcement::Model>,
    deliveries: Vec<webhook_delivery::ActiveModel>,
    outbox: Vec<outbox_row::Model>,
}

impl Plan {
    /// Plans that `endpoint` is told of the announcement at this place; gives the delivery's id.
    pub(super) fn tell(
        &mut self,
        now: Timestamp,
        endpoint: Uuid,
        at: usize,
        trace: Option<TraceContext>,
    ) -> WebhookDeliveryId {
        let id = WebhookDeliveryId::new(now, &mut rng());
        let announcement = &self.announcements[at];
        let row = webhook_delivery::Model {
            id: id.uuid(),
            organization_id: announcement.organization_id,
            endpoint_id: endpoint,
            event_id: announcement.event_id,
            event_type: announcement.event_type.clone(),
            generation: 1,
            status: WebhookDeliveryStatus::Queued.as_str().to_owned(),
            attempts: 0,
            attempt_token: None,
            lease_until: None,
            next_attempt_at: None,
            reason: None,
            asked_at: now,
            settled_at: None,
            created_at: now,
            updated_at: now,
        };
        self.deliveries.push(row.into_active_model());
        let job = JobV1::Webhook { delivery: id, generation: 1 };
        let traceparent = trace.map(|trace| trace.to_string());
        self.outbox.push(outbox_row::Model { traceparent, ..outbox::job_row(now, job, now) });
        id
    }

    pub(super) async fn write(self, tx: &DatabaseTransaction) -> Result<()> {
        let announcements =
            self.announcements.into_iter().map(announcement::Model::into_active_model);
        let mut changes = Changes::new(tx);
        changes.insert(announcements.collect())?;
        changes.insert(self.deliveries)?;
        changes.insert(outbox::written(self.outbox))?;
        if changes.make(tx).await? { Ok(()) } else { Err(StoreError::Busy) }
    }
}

/// An announcement that is no entry of the log, for one endpoint only.
pub(super) fn trial(
    now: Timestamp,
    organization: OrganizationId,
    event_type: &str,
    data: &serde_json::Value,
) -> announcement::Model {
    announcement::Model {
        event_id: domain::EventId::new(now, &mut rng()).uuid(),
        organization_id: organization.uuid(),
        invitation_id: None,
        event_type: event_type.to_owned(),
        data: data.to_string(),
        to_exchange: false,
        lock_token: None,
        locked_until: None,
        published_at: None,
        created_at: now,
    }
}
