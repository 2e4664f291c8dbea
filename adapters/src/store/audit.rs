//! The audit log: who did what, when. Append-only; `announce` writes it and tells others.

use domain::{EventId, EventKind, Timestamp};
use entity::{event, invitation};
use sea_orm::DatabaseTransaction;
use sea_orm::prelude::Uuid;

use super::{Actor, Result, announce};
use crate::rng;
use crate::trace::{self, TraceContext};

/// Who makes what nobody asks for at that moment.
pub(super) const SYSTEM: &str = "system";

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

/// An entry of the audit log that is to be written.
pub(super) struct Entry {
    pub(super) kind: EventKind,
    pub(super) row: event::Model,
    /// Where in a trace it happened: what is told of it is part of that.
    pub(super) trace: Option<TraceContext>,
}

impl Entry {
    /// About an invitation.
    pub(super) fn new(
        now: Timestamp,
        invitation: &invitation::Model,
        kind: EventKind,
        by: By,
        data: serde_json::Value,
    ) -> Self {
        let actor = match by {
            By::Caller(actor) => actor.written(),
            By::Invitee => format!("user:{}", invitation.user_id),
            By::System => SYSTEM.to_owned(),
        };
        Self::of_invitation(now, (invitation.organization_id, invitation.id), kind, actor, data)
    }

    /// About an organization's invitation of which not more is known.
    pub(super) fn of_invitation(
        now: Timestamp,
        (organization, invitation): (Uuid, Uuid),
        kind: EventKind,
        actor: String,
        data: serde_json::Value,
    ) -> Self {
        let mut entry = Self::of_organization(now, organization, kind, actor, data);
        entry.row.invitation_id = Some(invitation);
        entry
    }

    /// About an organization and none of its invitations.
    pub(super) fn of_organization(
        now: Timestamp,
        organization: Uuid,
        kind: EventKind,
        actor: String,
        data: serde_json::Value,
    ) -> Self {
        let row = event::Model {
            id: EventId::new(now, &mut rng()).uuid(),
            organization_id: organization,
            invitation_id: None,
            kind: kind.as_str().to_owned(),
            actor,
            data,
            created_at: now,
        };
        Self { kind, row, trace: trace::current() }
    }
}

/// Adds to the audit log what happened to an invitation; the last step of the change.
pub(super) async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: &invitation::Model,
    kind: EventKind,
    by: By,
    data: serde_json::Value,
) -> Result<()> {
    announce::record(tx, now, vec![Entry::new(now, invitation, kind, by, data)]).await
}
