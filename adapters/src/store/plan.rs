//! Planning a mail: the delivery of an invitation's current generation, and its outbox row.

use std::collections::BTreeSet;

use domain::{DeliveryId, DeliveryKind, DeliveryStatus, Timestamp};
use entity::{delivery, invitation, outbox as outbox_row, suppression};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use super::bulk::Changes;
use super::enlist::Suppressed;
use super::outlet::Held;
use super::{DeliveryPolicy, Result, bulk, outbox, suppress};
use crate::rng;
use crate::trace::TraceContext;

/// Plans the mail of an invitation's current generation, now or for `send_at`, unless the address is
/// suppressed.
pub(super) async fn add_delivery(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitation: &invitation::Model,
    send_at: Option<Timestamp>,
) -> Result<delivery::Model> {
    let organization = invitation.organization_id;
    let keys = suppress::keys(organization, &invitation.email_normalized);
    let suppressed = suppression::Entity::find()
        .filter(suppression::Column::OrganizationId.eq(organization))
        .filter(suppression::Column::EmailNormalized.is_in(keys))
        .one(tx)
        .await?;
    let reason = suppressed.as_ref().map(|row| row.reason.as_str());
    let row = row(now, policy, invitation, send_at, reason);
    delivery::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    if suppressed.is_none() {
        let due = row.next_attempt_at.unwrap_or(now);
        let entry = outbox::row(now, DeliveryId::from_uuid(row.id), row.generation, due);
        outbox::add(tx, outbox_row::Model { gives_way: policy.gives_way, ..entry }).await?;
    }
    Ok(row)
}

/// Plans reminders as the mails of the invitations' current generations, each part of a trace of its own,
/// or of none; their addresses are not suppressed. Adds them to `changes`.
pub(super) fn add_reminders(
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitations: &[invitation::Model],
    traces: impl Iterator<Item = Option<TraceContext>>,
    changes: &mut Changes,
) -> Result<Vec<delivery::Model>> {
    let reminder = |invitation| delivery::Model {
        kind: DeliveryKind::Reminder.as_str().to_owned(),
        ..row(now, policy, invitation, None, None)
    };
    let rows: Vec<delivery::Model> = invitations.iter().map(reminder).collect();
    let entries = rows.iter().zip(traces).map(|(row, trace)| {
        let entry = outbox::row(now, DeliveryId::from_uuid(row.id), row.generation, now);
        outbox_row::Model { traceparent: trace.map(|trace| trace.to_string()), ..entry }
    });
    let entries = outbox::written(entries.collect());
    changes.insert(rows.iter().cloned().map(delivery::Model::into_active_model).collect())?;
    changes.insert(entries)?;
    Ok(rows)
}

/// What [`add_delivery`] does, for many invitations in their order, each with its `send_at`, and each part
/// of a trace of its own: adds it to `changes`.
pub(super) fn add_deliveries(
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitations: &[(invitation::Model, Option<Timestamp>)],
    suppressed: &Suppressed,
    traces: impl Iterator<Item = Option<TraceContext>>,
    changes: &mut Changes,
    mut held: Option<&mut Held>,
) -> Result<Vec<delivery::Model>> {
    let rows: Vec<delivery::Model> = invitations
        .iter()
        .map(|(row, send_at)| {
            let reason = suppress::reason(suppressed, row.organization_id, &row.email_normalized);
            self::row(now, policy, row, *send_at, reason)
        })
        .collect();
    let waiting = rows.iter().zip(traces).filter(|(row, _)| row.settled_at.is_none());
    let entries = waiting.map(|(row, trace)| {
        let due = row.next_attempt_at.unwrap_or(now);
        let mut entry = outbox::row(now, DeliveryId::from_uuid(row.id), row.generation, due);
        entry.gives_way = policy.gives_way;
        if let Some(trace) = trace {
            entry.traceparent = Some(trace.to_string());
        }
        match &mut held {
            Some(held) if due <= now => held.add(entry),
            _ => entry,
        }
    });
    let entries = outbox::written(entries.collect());
    changes.insert(rows.iter().cloned().map(delivery::Model::into_active_model).collect())?;
    changes.insert(entries)?;
    Ok(rows)
}

/// What is suppressed of the addresses, by organization and key.
pub(super) async fn suppressed(
    tx: &DatabaseTransaction,
    invitations: &[(invitation::Model, Option<Timestamp>)],
) -> Result<Suppressed> {
    let organizations: BTreeSet<Uuid> =
        invitations.iter().map(|(row, _)| row.organization_id).collect();
    let organizations = organizations.into_iter().collect();
    let keys = |(row, _): &(invitation::Model, _)| {
        suppress::keys(row.organization_id, &row.email_normalized)
    };
    let emails = invitations.iter().flat_map(keys).collect();
    let rows = suppression::Entity::find()
        .filter(bulk::is_any(tx, suppression::Column::OrganizationId, organizations))
        .filter(bulk::is_any(tx, suppression::Column::EmailNormalized, emails))
        .all(tx)
        .await?;
    let by_address =
        |row: suppression::Model| ((row.organization_id, row.email_normalized), row.reason);
    Ok(rows.into_iter().map(by_address).collect())
}

fn row(
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitation: &invitation::Model,
    send_at: Option<Timestamp>,
    suppressed: Option<&str>,
) -> delivery::Model {
    let id = DeliveryId::new(now, &mut rng());
    // A batch may get to a row after the moment that was asked for: that means now.
    let send_at = send_at.filter(|at| *at > now);
    let status = match (suppressed, send_at) {
        (Some(_), _) => DeliveryStatus::Suppressed,
        (None, Some(_)) => DeliveryStatus::Scheduled,
        (None, None) => DeliveryStatus::Queued,
    };
    delivery::Model {
        id: id.uuid(),
        organization_id: invitation.organization_id,
        invitation_id: invitation.id,
        generation: invitation.generation,
        kind: DeliveryKind::Invitation.as_str().to_owned(),
        recipient: None,
        send_at,
        status: status.as_str().to_owned(),
        attempts: 0,
        attempt_token: None,
        lease_until: None,
        next_attempt_at: send_at.filter(|_| suppressed.is_none()),
        give_up_at: give_up_at(policy, invitation.expires_at, send_at.unwrap_or(now)),
        reason: suppressed.map(str::to_owned),
        detail: suppressed.map(|reason| suppress::why(reason).to_owned()),
        message_id: format!("{id}.{}@{}", invitation.generation, policy.mail_domain),
        template: None,
        repeated: 0,
        postponed: false,
        feedback_at: None,
        settled_at: suppressed.map(|_| now),
        created_at: now,
        updated_at: now,
    }
}

/// Until when a mail that is due at `due` is tried.
pub(super) fn give_up_at(
    policy: &DeliveryPolicy,
    expires_at: Timestamp,
    due: Timestamp,
) -> Timestamp {
    expires_at.min(due + policy.give_up_after)
}
