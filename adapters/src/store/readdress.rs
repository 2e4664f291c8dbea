//! Another address for a pending invitation: what was sent to the old one is worth nothing from then on.

use domain::{
    DeliveryStatus, EmailAddress, EventKind, InvitationId, MembershipRole, OrganizationId,
    SendRefusal, Timestamp, UserId,
};
use entity::{delivery, invitation};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::caller::{self, OrganizationKey};
use super::invite::Inviting;
use super::limit::{self, Mail};
use super::view::InvitationView;
use super::{
    Actor, ChangeOutcome, Result, Store, Verdict, audit, change, close, convert, enlist, former,
    invite, new_link, plan, policy, suppress,
};

impl Store {
    /// Lets the invitation be for `email` and mails it there. Link and password that went to the old
    /// address are void at once, and what was still to be sent there is cancelled. A mail that waits for its
    /// moment goes on waiting.
    pub async fn readdress(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
        email: EmailAddress,
    ) -> Result<ChangeOutcome> {
        let inviting = self.inviting(organization, actor, None);
        let outcome = self
            .write(move |tx, now| {
                Box::pin(async move { readdress(tx, now, inviting, id, email).await })
            })
            .await?;
        match &outcome {
            ChangeOutcome::Refused(SendRefusal::Paused) => self.pause_sending(organization).await?,
            _ => self.outlet.wake(),
        }
        Ok(outcome)
    }
}

async fn readdress(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: Inviting,
    id: InvitationId,
    email: EmailAddress,
) -> Result<Verdict<ChangeOutcome>> {
    let refuse = |why| Ok(Verdict::RollBack(why));
    let organization = inviting.organization;
    let row = match change::open(tx, now, organization, id).await? {
        Ok(row) => row,
        Err(not_open) => return refuse(not_open),
    };
    if email.normalized() == row.email_normalized {
        return refuse(ChangeOutcome::SameAddress);
    }
    let current = change::current_delivery(tx, &row).await?;
    if current.status == DeliveryStatus::Sending.as_str() {
        return refuse(ChangeOutcome::SendingNow);
    }
    let host = caller::find(tx, OrganizationKey::Id(organization)).await?;
    let rules = host.as_ref().map(policy::of).transpose()?.flatten();
    if let Some(Err(why)) = rules.map(|rules| rules.check(&email)) {
        return refuse(ChangeOutcome::Refused(SendRefusal::Policy(why)));
    }
    let role = MembershipRole::parse(&row.role)
        .map_err(|_| convert::inconsistent("invitation", "role"))?;
    let mut new = new_link::copy(tx, &row, role).await?;
    new.email = email;
    let user = enlist::find_or_add_user(tx, now, &new).await?;
    let person = UserId::from_uuid(user.id);
    let Some(place) = enlist::invite(tx, now, organization, person, &new).await? else {
        return refuse(ChangeOutcome::AlreadyMember);
    };
    // Looked for now: a rival for the same place has committed by now.
    if let Some(other) = invite::pending(tx, organization, &new.email).await? {
        if other.expires_at > now {
            let other = InvitationId::from_uuid(other.id);
            return refuse(ChangeOutcome::AlreadyPending(other));
        }
        close::expire(tx, now, other).await?;
    }
    let row = move_to(tx, now, row, &new.email, (user.id, place.uuid())).await?;
    let waits = current.status == DeliveryStatus::Scheduled.as_str();
    let send_at = current.send_at.filter(|_| waits);
    let mail = plan::add_delivery(tx, now, &inviting.policy, &row, send_at).await?;
    let mails: Vec<Mail> = Mail::planned(&inviting.actor, &row, &mail)?.into_iter().collect();
    let mut data = serde_json::json!({ "generation": row.generation, "delivery_id": mail.id });
    suppress::note(&mut data, &mail);
    let kind = EventKind::AddressChanged;
    audit::record(tx, now, &row, kind, inviting.actor.into(), data).await?;
    if let Some(refused) = limit::count(tx, now, &inviting.limits, &mails).await?.first() {
        return refuse(ChangeOutcome::Refused(refused.why));
    }
    let view = InvitationView::new(row, mail)?;
    Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))))
}

/// Writes the new address, without any secret: the first claim of the new mail makes one.
async fn move_to(
    tx: &DatabaseTransaction,
    now: Timestamp,
    mut row: invitation::Model,
    email: &EmailAddress,
    (user, place): (sea_orm::prelude::Uuid, sea_orm::prelude::Uuid),
) -> Result<invitation::Model> {
    close::cancel_deliveries(tx, now, row.id).await?;
    former::forget(tx, &row).await?;
    // What is heard of these later is about the old address.
    delivery::Entity::update_many()
        .set(delivery::ActiveModel { recipient: Set(Some(row.email)), ..Default::default() })
        .filter(delivery::Column::InvitationId.eq(row.id))
        .filter(delivery::Column::Recipient.is_null())
        .exec(tx)
        .await?;
    row.email = email.as_given().to_owned();
    row.email_normalized = email.normalized();
    (row.user_id, row.membership_id) = (user, place);
    row.generation += 1;
    (row.email_sent, row.email_sent_at, row.updated_at) = (false, None, now);
    let moved = invitation::ActiveModel {
        email: Set(row.email.clone()),
        email_normalized: Set(row.email_normalized.clone()),
        user_id: Set(user),
        membership_id: Set(place),
        generation: Set(row.generation),
        token_hash: Set(None),
        password_hash: Set(None),
        password_expires_at: Set(None),
        wrong_passwords: Set(0),
        sealed: Set(None),
        email_sent: Set(false),
        email_sent_at: Set(None),
        reminded: Set(0),
        remind_after: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    close::compare_and_set(tx, &row, moved).await?;
    Ok(row)
}
