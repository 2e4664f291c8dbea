//! Batches and their rows as their organization sees them.

use std::collections::BTreeMap;

use domain::{
    BatchId, BatchMode, BatchRowStatus, BatchStatus, InvitationId, OrganizationId, Timestamp,
};
use entity::{batch, batch_row};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{Result, convert};

/// How many there are of each status.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// Many invitations that were asked for at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchView {
    /// Names the batch.
    #[schema(value_type = Uuid, example = "01937a80-1f2e-7b3c-9d4e-5f6a7b8c9d0e")]
    pub id: BatchId,
    /// The organization that invites.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub organization_id: OrganizationId,
    /// What you call it.
    #[schema(example = "people.csv")]
    pub name: Option<String>,
    /// What one bad row does to the others.
    pub mode: BatchMode,
    /// Where it stands.
    pub status: BatchStatus,
    /// How many rows it has.
    #[schema(minimum = 1, example = 3)]
    pub total: u32,
    /// How many rows stand where.
    #[schema(
        value_type = BTreeMap<String, u64>,
        example = json!({
            "cancelled": 0, "created": 2, "failed": 0, "invalid": 1, "member": 0, "pending": 0,
            "refused": 0, "waiting": 0,
        })
    )]
    pub rows: Counts,
    /// Until when the limit on mails a minute lets it rest; null while nothing holds it up.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub not_before: Option<Timestamp>,
    /// When it was taken in.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:12:01.540127Z")]
    pub created_at: Timestamp,
    /// Since when no row waits; null while one does.
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-11-26T10:12:02.118009Z")]
    pub finished_at: Option<Timestamp>,
    /// When it last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:12:02.118009Z")]
    pub updated_at: Timestamp,
}

/// A batch with all that became of its invitations.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BatchDetail)]
pub struct BatchDetail {
    /// The batch.
    #[serde(flatten)]
    pub batch: BatchView,
    /// Where the invitations of its rows stand, also those that were pending before.
    #[schema(
        value_type = BTreeMap<String, u64>,
        example = json!({
            "accepted": 1, "declined": 0, "expired": 0, "pending": 1, "revoked": 0,
        })
    )]
    pub invitations: Counts,
    /// Where the newest mails of these invitations stand.
    #[schema(
        value_type = BTreeMap<String, u64>,
        example = json!({ "queued": 0, "sent": 2 })
    )]
    pub deliveries: Counts,
}

/// One row of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BatchRow)]
pub struct BatchRowView {
    /// Counts the rows from 1.
    #[schema(minimum = 1, example = 2)]
    pub number: u32,
    /// The line of the file that it begins in; its number where there are no lines.
    #[schema(minimum = 1, example = 3)]
    pub line: u32,
    /// The address as it was given; empty if there was none.
    #[schema(example = "ann@example")]
    pub email: String,
    /// Where it stands.
    pub status: BatchRowStatus,
    /// Why it was not invited, in a word for programs that does not change; null if it was.
    #[schema(example = "validation_failed")]
    pub code: Option<String>,
    /// The same in a sentence for people.
    #[schema(example = "email must have a full domain")]
    pub detail: Option<String>,
    /// The invitation that it made or found.
    #[schema(value_type = Option<Uuid>, example = json!(null))]
    pub invitation_id: Option<InvitationId>,
    /// When it last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-26T10:12:02.118009Z")]
    pub updated_at: Timestamp,
}

impl BatchView {
    pub(super) fn new(row: batch::Model, rows: Counts) -> Result<Self> {
        let wrong = |column| convert::inconsistent("batch", column);
        Ok(Self {
            id: BatchId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: row.name,
            mode: BatchMode::parse(&row.mode).ok_or_else(|| wrong("mode"))?,
            status: BatchStatus::parse(&row.status).ok_or_else(|| wrong("status"))?,
            total: convert::count(row.total),
            rows,
            not_before: row.not_before,
            created_at: row.created_at,
            finished_at: row.finished_at,
            updated_at: row.updated_at,
        })
    }
}

impl BatchRowView {
    pub(super) fn new(row: batch_row::Model) -> Result<Self> {
        let status = BatchRowStatus::parse(&row.status);
        Ok(Self {
            number: convert::count(row.number),
            line: convert::count(row.line),
            email: row.email,
            status: status.ok_or(convert::inconsistent("batch_row", "status"))?,
            code: row.code,
            detail: row.detail,
            invitation_id: row.invitation_id.map(InvitationId::from_uuid),
            updated_at: row.updated_at,
        })
    }
}
