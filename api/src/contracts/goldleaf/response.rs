//! What this contract answers: what became of each entry, in the order of the request.

use adapters::store::BatchRow;
use domain::InvitationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::Row;

/// The whole answer.
#[derive(Serialize, ToSchema)]
#[schema(as = GoldleafInvited)]
pub struct Response<'a> {
    /// One for each entry of the request, in its order.
    results: Vec<Entry<'a>>,
}

/// What became of one entry.
#[derive(Serialize, ToSchema)]
#[schema(as = GoldleafResult)]
struct Entry<'a> {
    /// Its place in `emailAddresses`, from 0.
    #[schema(example = 0)]
    index: usize,
    /// The address as it was given, without surrounding spaces.
    #[schema(example = "ann@example.com")]
    email: &'a str,
    /// What became of it.
    status: Status,
    /// The invitation; null for a member.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    invitation_id: Option<InvitationId>,
}

/// What became of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = GoldleafStatus)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Invited by this request; a mail follows.
    Invited,
    /// Invited before, and not answered yet; no mail is sent again.
    AlreadyPending,
    /// Belongs to the organization; no mail is sent.
    AlreadyMember,
}

/// What became of one person; a repeat of the request gets the same.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// What it was.
    pub status: Status,
    /// The invitation, if there is one.
    pub invitation_id: Option<InvitationId>,
}

/// What is kept of the store's rows.
pub fn outcomes(rows: Vec<BatchRow>) -> Vec<Outcome> {
    let outcome = |row| match row {
        BatchRow::Created(invitation) => (Status::Invited, Some(invitation.id)),
        BatchRow::Pending(invitation) => (Status::AlreadyPending, Some(invitation.id)),
        BatchRow::Member => (Status::AlreadyMember, None),
    };
    rows.into_iter()
        .map(outcome)
        .map(|(status, invitation_id)| Outcome { status, invitation_id })
        .collect()
}

/// Says it of each entry.
pub fn body<'a>(rows: &'a [Row], outcomes: &[Outcome]) -> Response<'a> {
    let entry = |(index, row): (usize, &'a Row)| {
        let outcome = outcomes.get(row.person)?;
        let (status, invitation_id) = (outcome.status, outcome.invitation_id);
        Some(Entry { index, email: &row.email, status, invitation_id })
    };
    Response { results: rows.iter().enumerate().filter_map(entry).collect() }
}
