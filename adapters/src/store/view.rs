//! Invitations and deliveries as people see them: what the API answers with.

use domain::{DeliveryId, InvitationId, OrganizationId, Timestamp};
use entity::{attempt, delivery, event, invitation};
use serde::Serialize;

use super::convert;
use super::{Result, StoreError};

/// An invitation and where its newest mail stands.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the field names are the API's own words, documented there")]
pub struct InvitationView {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: String,
    pub status: domain::InvitationStatus,
    pub generation: u32,
    pub locale: String,
    pub metadata: serde_json::Value,
    pub email_sent: bool,
    pub email_sent_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub delivery: DeliveryView,
}

/// The sending of one mail.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the field names are the API's own words, documented there")]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub status: domain::DeliveryStatus,
    pub generation: u32,
    /// Attempts used up.
    pub attempts: u32,
    pub next_attempt_at: Option<Timestamp>,
    /// Why it stands where it stands: a stable word.
    pub reason: Option<String>,
    /// The same for people, in one sentence.
    pub detail: Option<String>,
    pub message_id: String,
    pub sent_at: Option<Timestamp>,
    /// How often the mail was sent again although it may have arrived before.
    pub repeated: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An invitation with everything that happened to it.
#[derive(Debug, Clone, Serialize)]
pub struct InvitationDetail {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: InvitationView,
    /// All its mails, newest first.
    pub deliveries: Vec<DeliveryDetail>,
    /// What the audit log says, oldest first.
    pub events: Vec<EventView>,
}

/// A delivery and the attempts at it that did not succeed.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// Its unsuccessful attempts, oldest first.
    pub attempts_log: Vec<AttemptView>,
}

/// One attempt that did not succeed.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the field names are the API's own words, documented there")]
pub struct AttemptView {
    pub number: u32,
    pub outcome: String,
    pub phase: String,
    pub reply_code: Option<i32>,
    pub enhanced: Option<String>,
    pub detail: String,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

/// One entry of the audit log.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the field names are the API's own words, documented there")]
pub struct EventView {
    pub kind: String,
    pub at: Timestamp,
    pub actor: String,
    pub data: serde_json::Value,
}

impl InvitationView {
    pub(super) fn new(row: invitation::Model, delivery: delivery::Model) -> Result<Self> {
        Ok(Self {
            status: convert::invitation_status(&row.status)?,
            generation: convert::count(row.generation),
            delivery: DeliveryView::new(delivery)?,
            id: InvitationId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            role: row.role,
            locale: row.locale,
            metadata: row.metadata,
            email_sent: row.email_sent,
            email_sent_at: row.email_sent_at,
            expires_at: row.expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            closed_at: row.closed_at,
        })
    }
}

impl DeliveryView {
    pub(super) fn new(row: delivery::Model) -> Result<Self, StoreError> {
        let status = convert::delivery_status(&row.status)?;
        let sent = status == domain::DeliveryStatus::Sent;
        Ok(Self {
            id: DeliveryId::from_uuid(row.id),
            status,
            generation: convert::count(row.generation),
            attempts: convert::count(row.attempts),
            next_attempt_at: row.next_attempt_at,
            reason: row.reason,
            detail: row.detail,
            message_id: row.message_id,
            sent_at: row.settled_at.filter(|_| sent),
            repeated: convert::count(row.repeated),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<attempt::Model> for AttemptView {
    fn from(row: attempt::Model) -> Self {
        Self {
            number: convert::count(row.number),
            outcome: row.outcome,
            phase: row.phase,
            reply_code: row.reply_code,
            enhanced: row.enhanced,
            detail: row.detail,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

impl From<event::Model> for EventView {
    fn from(row: event::Model) -> Self {
        Self { kind: row.kind, at: row.created_at, actor: row.actor, data: row.data }
    }
}
