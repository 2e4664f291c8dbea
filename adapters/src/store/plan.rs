//! Planning a mail: the delivery of an invitation's current generation, and its outbox row.

use std::collections::BTreeSet;

use domain::{DeliveryId, DeliveryStatus, Timestamp};
use entity::{delivery, invitation, outbox as outbox_row, suppression};
use sea_orm::prelude::Uuid;
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use super::bulk::Changes;
use super::enlist::Suppressed;
use super::outlet::Held;
use super::{DeliveryPolicy, Result, bulk, outbox, suppress};
use crate::rng;

/// Plans the mail of an invitation's current generation, unless the address is suppressed.
pub(super) async fn add_delivery(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitation: &invitation::Model,
) -> Result<delivery::Model> {
    let suppressed = suppression::Entity::find_by_id((
        invitation.organization_id,
        invitation.email_normalized.clone(),
    ))
    .one(tx)
    .await?;
    let reason = suppressed.as_ref().map(|row| row.reason.as_str());
    let row = row(now, policy, invitation, reason);
    delivery::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    if suppressed.is_none() {
        outbox::add(tx, now, DeliveryId::from_uuid(row.id), row.generation, now).await?;
    }
    Ok(row)
}

/// The same for many invitations, in their order: adds it to `changes`.
pub(super) fn add_deliveries(
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitations: &[invitation::Model],
    suppressed: &Suppressed,
    changes: &mut Changes,
    mut held: Option<&mut Held>,
) -> Result<Vec<delivery::Model>> {
    let rows: Vec<delivery::Model> = invitations
        .iter()
        .map(|row| {
            let address = (row.organization_id, row.email_normalized.clone());
            self::row(now, policy, row, suppressed.get(&address).map(String::as_str))
        })
        .collect();
    let queued = rows.iter().filter(|row| row.status == DeliveryStatus::Queued.as_str());
    let entries = queued.map(|row| {
        let entry = outbox::row(now, DeliveryId::from_uuid(row.id), row.generation, now);
        match &mut held {
            Some(held) => held.add(entry),
            None => entry,
        }
    });
    let entries = entries.map(outbox_row::Model::into_active_model).collect();
    changes.insert(rows.iter().cloned().map(delivery::Model::into_active_model).collect())?;
    changes.insert(entries)?;
    Ok(rows)
}

/// What is suppressed of the addresses, by organization and address.
pub(super) async fn suppressed(
    tx: &DatabaseTransaction,
    invitations: &[invitation::Model],
) -> Result<Suppressed> {
    let organizations: BTreeSet<Uuid> = invitations.iter().map(|row| row.organization_id).collect();
    let organizations = organizations.into_iter().collect();
    let emails = invitations.iter().map(|row| row.email_normalized.clone()).collect();
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
    suppressed: Option<&str>,
) -> delivery::Model {
    let id = DeliveryId::new(now, &mut rng());
    let status =
        if suppressed.is_some() { DeliveryStatus::Suppressed } else { DeliveryStatus::Queued };
    delivery::Model {
        id: id.uuid(),
        organization_id: invitation.organization_id,
        invitation_id: invitation.id,
        generation: invitation.generation,
        status: status.as_str().to_owned(),
        attempts: 0,
        attempt_token: None,
        lease_until: None,
        next_attempt_at: None,
        give_up_at: invitation.expires_at.min(now + policy.give_up_after),
        reason: suppressed.map(str::to_owned),
        detail: suppressed.map(|reason| suppress::why(reason).to_owned()),
        message_id: format!("{id}.{}@{}", invitation.generation, policy.mail_domain),
        repeated: 0,
        postponed: false,
        feedback_at: None,
        settled_at: suppressed.map(|_| now),
        created_at: now,
        updated_at: now,
    }
}
