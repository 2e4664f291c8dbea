//! Rows to domain values and back: the one place that reads state columns.

use domain::{
    AttemptToken, Bounce, Delivery, DeliveryId, DeliveryState, DeliveryStatus, FailureReason,
    Generation, Invitation, InvitationId, InvitationState, InvitationStatus, Timestamp,
};
use entity::{delivery, invitation};
use sea_orm::prelude::Uuid;
use sea_orm::{DerivePartialModel, Set, Unchanged};
use serde::Serialize;

use super::{Result, StoreError};

pub(super) fn invitation(row: &invitation::Model) -> Result<Invitation> {
    let closed = || row.closed_at.ok_or(inconsistent("invitation", "closed_at"));
    let state = match invitation_status(&row.status)? {
        InvitationStatus::Pending => InvitationState::Pending,
        InvitationStatus::Accepted => InvitationState::Accepted { at: closed()? },
        InvitationStatus::Declined => InvitationState::Declined { at: closed()? },
        InvitationStatus::Revoked => InvitationState::Revoked { at: closed()? },
        InvitationStatus::Expired => InvitationState::Expired { at: closed()? },
    };
    Ok(Invitation {
        id: InvitationId::from_uuid(row.id),
        generation: count(row.generation),
        expires_at: row.expires_at,
        state,
    })
}

/// The columns that decide a delivery's state. Claims and reports, of which there is one for each mail,
/// read these and what else they need: a whole row costs them more than the database needs to find it.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "delivery::Entity")]
pub(super) struct StateRow {
    pub(super) id: Uuid,
    pub(super) invitation_id: Uuid,
    pub(super) generation: i32,
    pub(super) status: String,
    pub(super) attempts: i32,
    pub(super) attempt_token: Option<Uuid>,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) next_attempt_at: Option<Timestamp>,
    pub(super) give_up_at: Timestamp,
    pub(super) reason: Option<String>,
    pub(super) settled_at: Option<Timestamp>,
    pub(super) feedback_at: Option<Timestamp>,
}

impl From<&delivery::Model> for StateRow {
    fn from(row: &delivery::Model) -> Self {
        Self {
            id: row.id,
            invitation_id: row.invitation_id,
            generation: row.generation,
            status: row.status.clone(),
            attempts: row.attempts,
            attempt_token: row.attempt_token,
            lease_until: row.lease_until,
            next_attempt_at: row.next_attempt_at,
            give_up_at: row.give_up_at,
            reason: row.reason.clone(),
            settled_at: row.settled_at,
            feedback_at: row.feedback_at,
        }
    }
}

pub(super) fn delivery(row: &StateRow) -> Result<Delivery> {
    let missing = |column| inconsistent("delivery", column);
    let attempt = || row.attempt_token.map(AttemptToken::from_uuid).ok_or(missing("attempt_token"));
    let next_attempt_at = || row.next_attempt_at.ok_or(missing("next_attempt_at"));
    let at = || row.settled_at.ok_or(missing("settled_at"));
    let feedback_at = || row.feedback_at.ok_or(missing("feedback_at"));
    let state = match delivery_status(&row.status)? {
        DeliveryStatus::Queued => DeliveryState::Queued,
        DeliveryStatus::Scheduled => DeliveryState::Scheduled { send_at: next_attempt_at()? },
        DeliveryStatus::Sending => DeliveryState::Sending {
            attempt: attempt()?,
            lease_until: row.lease_until.ok_or(missing("lease_until"))?,
        },
        DeliveryStatus::Retrying => DeliveryState::Retrying { next_attempt_at: next_attempt_at()? },
        DeliveryStatus::Uncertain => {
            DeliveryState::Uncertain { attempt: attempt()?, next_attempt_at: next_attempt_at()? }
        }
        DeliveryStatus::Sent => DeliveryState::Sent { at: at()? },
        DeliveryStatus::Delivered => {
            DeliveryState::Delivered { sent_at: at()?, at: feedback_at()? }
        }
        DeliveryStatus::Bounced => {
            let word = row.reason.as_deref().unwrap_or_default();
            let bounce = Bounce::parse(word).ok_or(missing("reason"))?;
            DeliveryState::Bounced { sent_at: at()?, at: feedback_at()?, bounce }
        }
        DeliveryStatus::Complained => {
            DeliveryState::Complained { sent_at: at()?, at: feedback_at()? }
        }
        DeliveryStatus::Failed => {
            let word = row.reason.as_deref().unwrap_or_default();
            let reason = FailureReason::parse(word).ok_or(missing("reason"))?;
            DeliveryState::Failed { at: at()?, reason }
        }
        DeliveryStatus::Cancelled => DeliveryState::Cancelled { at: at()? },
        DeliveryStatus::Suppressed => DeliveryState::Suppressed { at: at()? },
    };
    Ok(Delivery {
        id: DeliveryId::from_uuid(row.id),
        invitation: InvitationId::from_uuid(row.invitation_id),
        generation: count(row.generation),
        attempts: count(row.attempts),
        give_up_at: row.give_up_at,
        state,
    })
}

/// The columns that a delivery's state decides, ready for an update.
pub(super) fn delivery_columns(delivery: &Delivery, now: Timestamp) -> delivery::ActiveModel {
    let (attempt_token, lease_until, settled_at) = match delivery.state {
        DeliveryState::Sending { attempt, lease_until } => {
            (Some(attempt.uuid()), Some(lease_until), None)
        }
        DeliveryState::Uncertain { attempt, .. } => (Some(attempt.uuid()), None, None),
        DeliveryState::Sent { at }
        | DeliveryState::Delivered { sent_at: at, .. }
        | DeliveryState::Bounced { sent_at: at, .. }
        | DeliveryState::Complained { sent_at: at, .. }
        | DeliveryState::Failed { at, .. }
        | DeliveryState::Cancelled { at }
        | DeliveryState::Suppressed { at } => (None, None, Some(at)),
        DeliveryState::Queued
        | DeliveryState::Scheduled { .. }
        | DeliveryState::Retrying { .. } => (None, None, None),
    };
    delivery::ActiveModel {
        id: Unchanged(delivery.id.uuid()),
        status: Set(delivery.state.status().as_str().to_owned()),
        attempts: Set(column(delivery.attempts)),
        attempt_token: Set(attempt_token),
        lease_until: Set(lease_until),
        next_attempt_at: Set(delivery.state.next_attempt_at()),
        settled_at: Set(settled_at),
        updated_at: Set(now),
        ..delivery::ActiveModel::default()
    }
}

pub(super) fn invitation_status(word: &str) -> Result<InvitationStatus> {
    InvitationStatus::parse(word).ok_or(inconsistent("invitation", "status"))
}

pub(super) fn delivery_status(word: &str) -> Result<DeliveryStatus> {
    DeliveryStatus::parse(word).ok_or(inconsistent("delivery", "status"))
}

/// A value for a JSON column.
pub(super) fn json(value: impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| StoreError::Database(error.to_string()))
}

/// A counter from its column; no counter here is ever negative.
pub(super) fn count(column: i32) -> Generation {
    u32::try_from(column).unwrap_or_default()
}

/// A counter for its column.
pub(super) fn column(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) const fn inconsistent(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Inconsistent { table, column }
}
