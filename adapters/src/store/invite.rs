//! Inviting one address inside a transaction: user, membership, invitation, delivery, outbox and
//! event, or the pending invitation that is there already.

use std::sync::Arc;

use domain::invitation::InvitationEvent;
use domain::{
    CredentialPolicy, EmailAddress, EventKind, InvitationId, InvitationStatus, MembershipId,
    OrganizationId, OrganizationPolicy, PolicyRefusal, SecretHash, Timestamp, UserId,
};
use entity::{delivery, invitation};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use super::audit::Entry;
use super::create::{NewInvitation, OnExisting};
use super::limit::Mail;
use super::seats::Seats;
use super::view::InvitationView;
use super::{
    Actor, DeliveryPolicy, Result, announce, change, close, convert, enlist, insert_if_new, plan,
    suppress,
};
use crate::rng;
use crate::settings::LimitSettings;

/// For whom and how invitations are made.
#[derive(Clone)]
pub(super) struct Inviting {
    pub(super) organization: OrganizationId,
    pub(super) actor: Actor,
    pub(super) policy: DeliveryPolicy,
    pub(super) limits: Arc<LimitSettings>,
    /// What the organization allows; `None` if everything.
    pub(super) rules: Option<Arc<OrganizationPolicy>>,
}

impl Inviting {
    /// The same for many at once: their mails let those of others go first.
    pub(super) fn of_many(&self) -> Self {
        let policy = DeliveryPolicy { gives_way: true, ..self.policy.clone() };
        Self { policy, ..self.clone() }
    }

    /// Whether the organization lets this address be invited.
    pub(super) fn check(&self, new: &NewInvitation) -> Result<(), PolicyRefusal> {
        self.rules.as_ref().map_or(Ok(()), |rules| rules.check(&new.email))
    }

    /// Whether more than the address decides: then it takes a transaction of its own.
    pub(super) fn has_to_decide(&self, new: &NewInvitation) -> bool {
        let limited = self.rules.as_ref().is_some_and(|rules| rules.seat_limit.is_some());
        limited || self.check(new).is_err()
    }
}

/// What became of an address.
pub(super) enum Invited {
    /// Its invitation is recorded.
    New(Box<InvitationView>),
    /// It has a pending one, which is good enough for the caller.
    Pending { invitation: Box<InvitationView>, resent: bool },
    /// It has a pending one, and the caller wants none then.
    Refused(InvitationId),
    /// It belongs to an active member.
    Member,
    /// The organization's policy does not allow it.
    NotAllowed(PolicyRefusal),
    /// Another transaction has just invited it: this one must be given up.
    Overtaken,
}

/// Invites one address; a mail that this queues is added to `mails`. What was written before any
/// outcome but `New` and `Pending` is to be rolled back, or is nothing that matters.
pub(super) async fn invite(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    new: &NewInvitation,
    seats: &mut Seats,
    mails: &mut Vec<Mail>,
) -> Result<Invited> {
    if let Err(why) = inviting.check(new) {
        return Ok(Invited::NotAllowed(why));
    }
    if let Some(pending) = pending(tx, inviting.organization, &new.email).await? {
        // An invitation whose time has passed never blocks a new one, whether or not the sweep
        // was here.
        if pending.expires_at <= now {
            close::expire(tx, now, pending).await?;
        } else if new.on_existing == OnExisting::Replace {
            // It gives its seat away, unless there are fewer by now.
            if !seats.has_room(1) {
                return Ok(Invited::NotAllowed(PolicyRefusal::NoSeat));
            }
            seats.take(-1);
            let Ok(revoked) = convert::invitation(&pending)?.apply(InvitationEvent::Revoke, now)
            else {
                return Ok(Invited::Overtaken);
            };
            let by = inviting.actor.clone().into();
            close::close(tx, now, pending, &revoked, EventKind::InvitationRevoked, by).await?;
        } else {
            return keep(tx, now, inviting, new.on_existing, pending, mails).await;
        }
    }
    if !seats.has_room(0) {
        let member = enlist::is_member(tx, inviting.organization, &new.email).await?;
        let full = Invited::NotAllowed(PolicyRefusal::NoSeat);
        return Ok(if member { Invited::Member } else { full });
    }
    let user = enlist::find_or_add_user(tx, now, new).await?;
    let id = UserId::from_uuid(user.id);
    let membership = enlist::invite(tx, now, inviting.organization, id, new).await?;
    let Some(membership) = membership else { return Ok(Invited::Member) };
    let row = row(now, inviting, membership, id, new);
    if !insert_if_new(tx, row.clone().into_active_model()).await? {
        return Ok(Invited::Overtaken);
    }
    seats.take(1);
    if let Some(hash) = &new.password_hash {
        enlist::set_first_password(tx, now, &user, hash.clone()).await?;
    }
    let delivery = plan::add_delivery(tx, now, &inviting.policy, &row, new.send_at).await?;
    mails.extend(Mail::planned(&inviting.actor, &row, &delivery)?);
    let entry = created(now, inviting, new, &row, &delivery)?;
    announce::record(tx, now, vec![entry]).await?;
    tracing::debug!(invitation.id = %row.id, "invitation recorded");
    Ok(Invited::New(Box::new(InvitationView::new(row, delivery)?)))
}

/// What to do about an invitation that is pending.
async fn keep(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    wish: OnExisting,
    row: invitation::Model,
    mails: &mut Vec<Mail>,
) -> Result<Invited> {
    let id = InvitationId::from_uuid(row.id);
    let cooldown = match wish {
        OnExisting::Error | OnExisting::Replace => return Ok(Invited::Refused(id)),
        OnExisting::Ignore => None,
        OnExisting::Resend(cooldown) => Some(cooldown),
    };
    // Read again under a lock: it may have ended, or been sent again, since.
    let row = match change::locked(tx, id).await? {
        Some(row) if row.status == InvitationStatus::Pending.as_str() => row,
        _ => return Ok(Invited::Overtaken),
    };
    let last = change::current_delivery(tx, &row).await?;
    let settled = convert::delivery_status(&last.status)?.is_settled();
    if settled && cooldown.is_some_and(|cooldown| last.created_at + cooldown <= now) {
        let actor = inviting.actor.clone();
        let resent = change::resend(tx, now, &inviting.policy, actor, row, mails).await?;
        return Ok(Invited::Pending { invitation: Box::new(resent), resent: true });
    }
    let invitation = Box::new(InvitationView::new(row, last)?);
    Ok(Invited::Pending { invitation, resent: false })
}

/// The invitation itself.
pub(super) fn row(
    now: Timestamp,
    inviting: &Inviting,
    membership: MembershipId,
    user: UserId,
    new: &NewInvitation,
) -> invitation::Model {
    let early = new.secret.as_ref();
    let id = early.map_or_else(|| InvitationId::new(now, &mut rng()), |early| early.invitation);
    let secret = early.map(|early| &early.secret);
    invitation::Model {
        id: id.uuid(),
        organization_id: inviting.organization.uuid(),
        membership_id: membership.uuid(),
        user_id: user.uuid(),
        inviter_id: inviting.actor.user().map(UserId::uuid),
        email: new.email.as_given().to_owned(),
        email_normalized: new.email.normalized(),
        first_name: new.first_name.as_ref().map(|name| name.as_str().to_owned()),
        last_name: new.last_name.as_ref().map(|name| name.as_str().to_owned()),
        role: new.role.as_str().to_owned(),
        locale: new.locale.clone(),
        metadata: new.metadata.clone(),
        credential: new.credential.as_str().to_owned(),
        status: InvitationStatus::Pending.as_str().to_owned(),
        generation: 1,
        secret_generation: i32::from(secret.is_some()),
        token_hash: secret.map(|secret| secret.token_hash.to_vec()),
        password_hash: secret.and_then(|secret| secret.password_hash).map(SecretHash::to_vec),
        password_expires_at: None,
        wrong_passwords: 0,
        sealed: secret.map(|secret| secret.sealed.clone()),
        email_sent: false,
        email_sent_at: None,
        reminded: 0,
        remind_after: None,
        // Counted from the moment that the mail is for.
        expires_at: new.send_at.map_or(now, |at| at.max(now)) + new.expires_in,
        closed_at: None,
        created_at: now,
        updated_at: now,
        anonymized_at: None,
        pruned_at: None,
    }
}

/// What the audit log says of a new invitation.
pub(super) fn created(
    now: Timestamp,
    inviting: &Inviting,
    new: &NewInvitation,
    row: &invitation::Model,
    delivery: &delivery::Model,
) -> Result<Entry> {
    let mut data = convert::json(&new.position)?;
    data["role"] = new.role.as_str().into();
    data["delivery_id"] = delivery.id.to_string().into();
    if let Some(send_at) = delivery.send_at {
        data["send_at"] = convert::json(send_at)?;
    }
    if new.credential == CredentialPolicy::Link {
        data["credential"] = new.credential.as_str().into();
    }
    suppress::note(&mut data, delivery);
    let by = inviting.actor.clone().into();
    Ok(Entry::new(now, row, EventKind::InvitationCreated, by, data))
}

/// The address's pending invitation, if it has one; its time may have passed.
pub(super) async fn pending(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    email: &EmailAddress,
) -> Result<Option<invitation::Model>> {
    Ok(invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
        .filter(invitation::Column::EmailNormalized.eq(email.normalized()))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .one(tx)
        .await?)
}
