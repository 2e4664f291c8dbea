//! Rows of deliveries to endpoints to domain values and back.

use domain::{
    AttemptToken, Timestamp, WebhookDelivery, WebhookDeliveryId, WebhookDeliveryState,
    WebhookDeliveryStatus, WebhookFailure,
};
use entity::webhook_delivery;
use sea_orm::{Set, Unchanged};

use super::super::{Result, convert};

pub(super) fn read(row: &webhook_delivery::Model) -> Result<WebhookDelivery> {
    let missing = |column| convert::inconsistent("webhook_delivery", column);
    let at = || row.settled_at.ok_or(missing("settled_at"));
    let state = match status(&row.status)? {
        WebhookDeliveryStatus::Queued => WebhookDeliveryState::Queued,
        WebhookDeliveryStatus::Sending => WebhookDeliveryState::Sending {
            attempt: AttemptToken::from_uuid(row.attempt_token.ok_or(missing("attempt_token"))?),
            lease_until: row.lease_until.ok_or(missing("lease_until"))?,
        },
        WebhookDeliveryStatus::Retrying => WebhookDeliveryState::Retrying {
            next_attempt_at: row.next_attempt_at.ok_or(missing("next_attempt_at"))?,
        },
        WebhookDeliveryStatus::Delivered => WebhookDeliveryState::Delivered { at: at()? },
        WebhookDeliveryStatus::Failed => {
            let word = row.reason.as_deref().unwrap_or_default();
            let reason = WebhookFailure::parse(word).ok_or(missing("reason"))?;
            WebhookDeliveryState::Failed { at: at()?, reason }
        }
    };
    Ok(WebhookDelivery {
        id: WebhookDeliveryId::from_uuid(row.id),
        generation: convert::count(row.generation),
        attempts: convert::count(row.attempts),
        state,
    })
}

/// The columns that a delivery's state decides, ready for an update.
pub(super) fn written(delivery: &WebhookDelivery, now: Timestamp) -> webhook_delivery::ActiveModel {
    let mut row = webhook_delivery::ActiveModel {
        id: Unchanged(delivery.id.uuid()),
        generation: Set(convert::column(delivery.generation)),
        status: Set(delivery.state.status().as_str().to_owned()),
        attempts: Set(convert::column(delivery.attempts)),
        attempt_token: Set(None),
        lease_until: Set(None),
        next_attempt_at: Set(None),
        reason: Set(None),
        settled_at: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    match delivery.state {
        WebhookDeliveryState::Queued => {}
        WebhookDeliveryState::Sending { attempt, lease_until } => {
            row.attempt_token = Set(Some(attempt.uuid()));
            row.lease_until = Set(Some(lease_until));
        }
        WebhookDeliveryState::Retrying { next_attempt_at } => {
            row.next_attempt_at = Set(Some(next_attempt_at));
        }
        WebhookDeliveryState::Delivered { at } => row.settled_at = Set(Some(at)),
        WebhookDeliveryState::Failed { at, reason } => {
            row.settled_at = Set(Some(at));
            row.reason = Set(Some(reason.as_str().to_owned()));
        }
    }
    row
}

pub(super) fn status(word: &str) -> Result<WebhookDeliveryStatus> {
    WebhookDeliveryStatus::parse(word).ok_or(convert::inconsistent("webhook_delivery", "status"))
}
