//! The audit log: who did what, when. Append-only.

use domain::{EventId, EventKind, Timestamp};
use entity::{event, invitation};
use sea_orm::{DatabaseTransaction, EntityTrait, Set};

use super::{Actor, Result};
use crate::rng;

/// Who made a change, for the audit log.
#[derive(Debug, Clone)]
pub(super) enum By {
    Caller(Actor),
    Invitee,
    System,
}

impl From<Actor> for By {
    fn from(actor: Actor) -> Self {
        Self::Caller(actor)
    }
}

/// Adds to the audit log.
pub(super) async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: &invitation::Model,
    kind: EventKind,
    by: By,
    data: serde_json::Value,
) -> Result<()> {
    let row = row(now, invitation, kind, by, data);
    event::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// An entry of the audit log.
pub(super) fn row(
    now: Timestamp,
    invitation: &invitation::Model,
    kind: EventKind,
    by: By,
    data: serde_json::Value,
) -> event::ActiveModel {
    let actor = match by {
        By::Caller(actor) => actor.written(),
        By::Invitee => format!("user:{}", invitation.user_id),
        By::System => "system".to_owned(),
    };
    event::ActiveModel {
        id: Set(EventId::new(now, &mut rng()).uuid()),
        organization_id: Set(invitation.organization_id),
        invitation_id: Set(Some(invitation.id)),
        kind: Set(kind.as_str().to_owned()),
        actor: Set(actor),
        data: Set(data),
        created_at: Set(now),
    }
}
