//! Invitations and deliveries as people see them: what the API answers with.

use domain::{AddressWarning, DeliveryId, EmailAddress, InvitationId, OrganizationId, Timestamp};
use entity::{attempt, delivery, event, invitation};
use serde::Serialize;
use utoipa::ToSchema;

use super::convert;
use super::{Result, StoreError};

/// An invitation and where its newest mail stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationView {
    /// Names the invitation.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    pub id: InvitationId,
    /// The organization that invites.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub organization_id: OrganizationId,
    /// The address as it was given, without surrounding spaces.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// What makes it doubtful that a person reads what is sent to the address; mostly nothing.
    #[schema(example = json!([]))]
    pub warnings: Vec<AddressWarning>,
    /// The invitee's first name.
    #[schema(example = "Ann")]
    pub first_name: Option<String>,
    /// The invitee's last name.
    #[schema(example = "Lee")]
    pub last_name: Option<String>,
    /// The role that the invitee gets in your product.
    #[schema(example = "editor")]
    pub role: String,
    /// Where the invitation stands.
    pub status: domain::InvitationStatus,
    /// Counts the secrets of this invitation; each resend makes a new one, and the old one good for a while only.
    #[schema(minimum = 1, example = 1)]
    pub generation: u32,
    /// The language of the mail and of the page behind its link.
    #[schema(example = "en")]
    pub locale: String,
    /// What you gave along with the invitation, unchanged.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({ "team": "design" }))]
    pub metadata: serde_json::Value,
    /// Whether the SMTP server has taken the newest mail.
    #[schema(example = true)]
    pub email_sent: bool,
    /// When the SMTP server took it.
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-11-24T09:31:02.482913Z")]
    pub email_sent_at: Option<Timestamp>,
    /// For when its newest mail was scheduled; null if that went out at once.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub send_at: Option<Timestamp>,
    /// Until when the invitation can be accepted.
    #[schema(value_type = DateTime<Utc>, example = "2026-12-01T09:30:00.113402Z")]
    pub expires_at: Timestamp,
    /// When the invitation was made.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.113402Z")]
    pub created_at: Timestamp,
    /// When the invitation last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:02.482913Z")]
    pub updated_at: Timestamp,
    /// When the invitation ended; null while it is pending.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub closed_at: Option<Timestamp>,
    /// The newest mail.
    pub delivery: DeliveryView,
}

/// The sending of one mail.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// Names the delivery.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90")]
    pub id: DeliveryId,
    /// Where the sending stands.
    pub status: domain::DeliveryStatus,
    /// Which of the invitation's secrets the mail carries.
    #[schema(minimum = 1, example = 1)]
    pub generation: u32,
    /// What the mail is for.
    #[schema(value_type = domain::DeliveryKind)]
    pub kind: String,
    /// The address that the mail is for, if the invitation has another one now.
    #[schema(example = json!(null))]
    pub recipient: Option<String>,
    /// For when the mail was scheduled; null if it was to go out at once.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub send_at: Option<Timestamp>,
    /// Attempts used up; trouble on the side of the sender uses none.
    #[schema(example = 2)]
    pub attempts: u32,
    /// When the next attempt is due, if one is planned.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub next_attempt_at: Option<Timestamp>,
    /// Why it stands where it stands: a stable word such as `no_such_recipient`, `deferred` or
    /// `hard_bounce`.
    #[schema(example = json!(null))]
    pub reason: Option<String>,
    /// The same for people, in one sentence.
    #[schema(example = json!(null))]
    pub detail: Option<String>,
    /// The mail's `Message-ID`, which repeats of the mail share.
    #[schema(example = "<01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90@example.org>")]
    pub message_id: String,
    /// Which of the organization's own templates the newest attempt was made from: its language and
    /// its version, such as `de/3`. Null for the mail that everybody has.
    #[schema(example = json!(null))]
    pub template: Option<String>,
    /// When the SMTP server took the mail.
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-11-24T09:31:02.482913Z")]
    pub sent_at: Option<Timestamp>,
    /// When it was heard that the mail is `delivered`, `bounced` or `complained`; null as long as nothing
    /// was heard of it.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub feedback_at: Option<Timestamp>,
    /// How often the mail was sent again although it may have arrived before.
    #[schema(example = 0)]
    pub repeated: u32,
    /// When the mail was asked for.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.113402Z")]
    pub created_at: Timestamp,
    /// When the delivery last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:02.482913Z")]
    pub updated_at: Timestamp,
}

/// An invitation with everything that happened to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// Its unsuccessful attempts, oldest first.
    pub attempts_log: Vec<AttemptView>,
}

/// One attempt that did not succeed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// Counts the attempts of a delivery from 1.
    #[schema(minimum = 1, example = 1)]
    pub number: u32,
    /// How it ended: `deferred`, `refused`, `no_such_recipient`, `unrenderable`, `parked`, `uncertain`, `ours`, `crowded`.
    #[schema(example = "deferred")]
    pub outcome: String,
    /// How far the conversation with the SMTP server had come.
    #[schema(value_type = domain::Phase)]
    pub phase: String,
    /// The three digits of the server's reply, if it replied.
    #[schema(example = 451)]
    pub reply_code: Option<i32>,
    /// The enhanced status code (RFC 3463), if the reply had one.
    #[schema(example = "4.7.1")]
    pub enhanced: Option<String>,
    /// What went wrong, in one sentence.
    #[schema(example = "the server put the mail off: greylisted, try again later")]
    pub detail: String,
    /// When the attempt began.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.201377Z")]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.318842Z")]
    pub finished_at: Timestamp,
}

/// One entry of the audit log.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// What happened.
    #[schema(value_type = domain::EventKind)]
    pub kind: String,
    /// When.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.113402Z")]
    pub at: Timestamp,
    /// Who did it: `user:…` with `key:…`, the invitee's `user:…`, or `system`.
    #[schema(
        example = "user:01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37 key:01937a5d-0c44-7f0a-b7d2-95c1e3a86b04"
    )]
    pub actor: String,
    /// What else is known about it.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({ "role": "editor", "delivery_id": "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90" }))]
    pub data: serde_json::Value,
}

impl InvitationView {
    pub(super) fn new(row: invitation::Model, delivery: delivery::Model) -> Result<Self> {
        Ok(Self {
            status: convert::invitation_status(&row.status)?,
            generation: convert::count(row.generation),
            send_at: delivery.send_at,
            delivery: DeliveryView::new(delivery)?,
            id: InvitationId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            // One that was anonymized is no address any more.
            warnings: EmailAddress::parse(&row.email)
                .as_ref()
                .map(AddressWarning::of)
                .unwrap_or_default(),
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
        Ok(Self {
            id: DeliveryId::from_uuid(row.id),
            status,
            generation: convert::count(row.generation),
            kind: row.kind,
            recipient: row.recipient,
            send_at: row.send_at,
            attempts: convert::count(row.attempts),
            next_attempt_at: row.next_attempt_at,
            reason: row.reason,
            detail: row.detail,
            message_id: row.message_id,
            template: row.template,
            sent_at: row.settled_at.filter(|_| status.was_sent()),
            feedback_at: row.feedback_at,
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
