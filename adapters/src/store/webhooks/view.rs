//! Endpoints and deliveries to them as their organization sees them.

use domain::{
    EventId, InvitationId, OrganizationId, Timestamp, WebhookDeliveryId, WebhookDeliveryStatus,
    WebhookDisabledReason, WebhookId,
};
use entity::{webhook_attempt, webhook_delivery, webhook_endpoint};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{Result, convert};
use super::columns;

/// Whether an endpoint is told of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// It is.
    Enabled,
    /// It is not, until somebody switches it on again.
    Disabled,
}

/// An endpoint that is told of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// Names the webhook.
    #[schema(value_type = Uuid, example = "01937a70-5b1e-7c11-8f2a-6d0e4b9c3a71")]
    pub id: WebhookId,
    /// The organization whose events it is told of.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub organization_id: OrganizationId,
    /// Where the requests go.
    #[schema(example = "https://hooks.example.com/welcomat")]
    pub url: String,
    /// What you call it.
    #[schema(example = "CRM")]
    pub description: Option<String>,
    /// Which events it is told of; null for all of them.
    #[schema(example = json!(["invitation.accepted", "invitation.delivery_failed"]))]
    pub event_types: Option<Vec<String>>,
    /// Whether it is told at all.
    #[schema(example = "enabled")]
    pub status: WebhookStatus,
    /// Since when it is not told any more; null while it is.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub disabled_at: Option<Timestamp>,
    /// Why: `requested`, `gone` (it answered 410) or `failing` (it took nothing for days).
    #[schema(value_type = Option<String>, example = json!(null))]
    pub disabled_reason: Option<WebhookDisabledReason>,
    /// Since when every attempt has failed; null after a success.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub failing_since: Option<Timestamp>,
    /// Until when requests are signed with the secret before this one, too; null if they are not.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub previous_secret_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:02:11.309774Z")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:02:11.309774Z")]
    pub updated_at: Timestamp,
}

/// The telling of one event to one endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct WebhookDeliveryView {
    /// Names it: the `webhook-id` of every request.
    #[schema(value_type = Uuid, example = "01937a71-02c4-7d55-9e13-5a7f1c0b8e26")]
    pub id: WebhookDeliveryId,
    /// Names the event, which other endpoints may be told of as well.
    #[schema(value_type = Uuid, example = "01937a71-02c4-7d54-8b60-3f9e2d1a7c05")]
    pub event_id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "invitation.accepted")]
    pub event_type: String,
    /// To which invitation; null for a test.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    pub invitation_id: Option<InvitationId>,
    /// Where the telling stands.
    pub status: WebhookDeliveryStatus,
    /// Counts how often it was asked for: 1, and one more for each replay.
    #[schema(minimum = 1, example = 1)]
    pub generation: u32,
    /// Attempts since it was last asked for; trouble on our side uses none.
    #[schema(example = 1)]
    pub attempts: u32,
    /// When the next attempt is due, if one is planned.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub next_attempt_at: Option<Timestamp>,
    /// Why it failed: `exhausted`, `gone` or `endpoint_disabled`; null if it did not.
    #[schema(example = json!(null))]
    pub reason: Option<String>,
    /// When the event happened.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:05:42.118203Z")]
    pub created_at: Timestamp,
    /// When it was delivered or given up; null before that.
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-11-26T10:05:42.530118Z")]
    pub settled_at: Option<Timestamp>,
    /// Every attempt, oldest first.
    pub attempts_log: Vec<WebhookAttemptView>,
}

/// One request to an endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct WebhookAttemptView {
    /// Counts the attempts of a generation from 1.
    #[schema(minimum = 1, example = 1)]
    pub number: u32,
    /// Which asking it belongs to.
    #[schema(minimum = 1, example = 1)]
    pub generation: u32,
    /// How it ended: `taken`, `not_taken`, `gone` or `ours`.
    #[schema(example = "taken")]
    pub outcome: String,
    /// The status of the answer, if there was one.
    #[schema(example = 204)]
    pub status: Option<i32>,
    /// What went wrong, in one sentence.
    #[schema(example = json!(null))]
    pub detail: Option<String>,
    /// When it began.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:05:42.401557Z")]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:05:42.530118Z")]
    pub finished_at: Timestamp,
}

impl WebhookView {
    pub(super) fn new(row: webhook_endpoint::Model, now: Timestamp) -> Result<Self> {
        let types = row.event_types.map(serde_json::from_value).transpose();
        let types = types.map_err(|_| convert::inconsistent("webhook_endpoint", "event_types"))?;
        let reason = row.disabled_reason.as_deref().map(disabled_reason).transpose()?;
        let disabled = row.disabled_at.is_some();
        Ok(Self {
            id: WebhookId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            url: row.url,
            description: row.description,
            event_types: types,
            status: if disabled { WebhookStatus::Disabled } else { WebhookStatus::Enabled },
            disabled_at: row.disabled_at,
            disabled_reason: reason,
            failing_since: row.failing_since,
            previous_secret_until: row.previous_until.filter(|until| *until > now),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl WebhookDeliveryView {
    pub(super) fn new(
        row: webhook_delivery::Model,
        invitation: Option<InvitationId>,
        attempts_log: Vec<WebhookAttemptView>,
    ) -> Result<Self> {
        Ok(Self {
            id: WebhookDeliveryId::from_uuid(row.id),
            event_id: EventId::from_uuid(row.event_id),
            status: columns::status(&row.status)?,
            event_type: row.event_type,
            invitation_id: invitation,
            generation: convert::count(row.generation),
            attempts: convert::count(row.attempts),
            next_attempt_at: row.next_attempt_at,
            reason: row.reason,
            created_at: row.created_at,
            settled_at: row.settled_at,
            attempts_log,
        })
    }
}

impl From<webhook_attempt::Model> for WebhookAttemptView {
    fn from(row: webhook_attempt::Model) -> Self {
        Self {
            number: convert::count(row.number),
            generation: convert::count(row.generation),
            outcome: row.outcome,
            status: row.status,
            detail: row.detail,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

fn disabled_reason(word: &str) -> Result<WebhookDisabledReason> {
    WebhookDisabledReason::parse(word)
        .ok_or_else(|| convert::inconsistent("webhook_endpoint", "disabled_reason"))
}
