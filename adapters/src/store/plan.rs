//! Planning a mail: the delivery of an invitation's current generation, and its outbox row.

use domain::{DeliveryId, DeliveryStatus, Timestamp};
use entity::{delivery, invitation, suppression};
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::{DeliveryPolicy, Result, outbox};
use crate::rng;

/// Plans the mail of an invitation's current generation, unless the address is suppressed.
pub(super) async fn add_delivery(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitation: &invitation::Model,
) -> Result<delivery::Model> {
    let id = DeliveryId::new(now, &mut rng());
    let suppressed = suppression::Entity::find_by_id((
        invitation.organization_id,
        invitation.email_normalized.clone(),
    ))
    .one(tx)
    .await?;
    let status =
        if suppressed.is_some() { DeliveryStatus::Suppressed } else { DeliveryStatus::Queued };
    let row = delivery::Model {
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
        reason: suppressed.as_ref().map(|row| row.reason.clone()),
        detail: suppressed.as_ref().map(|_| {
            "an earlier mail to this address was refused for good, so none is tried".to_owned()
        }),
        message_id: format!("{id}.{}@{}", invitation.generation, policy.mail_domain),
        repeated: 0,
        postponed: false,
        settled_at: suppressed.as_ref().map(|_| now),
        created_at: now,
        updated_at: now,
    };
    delivery::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    if suppressed.is_none() {
        outbox::add(tx, now, id, row.generation, now).await?;
    }
    Ok(row)
}
