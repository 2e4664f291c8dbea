//! Changing an open invitation on its organization's behalf: resend, extend, revoke.

use domain::invitation::{IllegalInvitationEvent, InvitationEvent};
use domain::{DeliveryStatus, EventKind, InvitationId, OrganizationId, SendRefusal, Timestamp};
use entity::{delivery, invitation};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QuerySelect, Set,
};

use super::audit::By;
use super::invite::Inviting;
use super::limit::{self, Mail};
use super::view::InvitationView;
use super::{
    Actor, DeliveryPolicy, Result, Store, Verdict, audit, close, convert, plan, reschedule,
    suppress,
};

/// How a request to change an invitation ended.
#[derive(Debug)]
pub enum ChangeOutcome {
    /// Done; this is how it stands now.
    Changed(Box<InvitationView>),
    /// The organization has no such invitation.
    NotFound,
    /// It is not in a state for that.
    Illegal(IllegalInvitationEvent),
    /// A worker is sending its mail right now: ask again in a moment.
    SendingNow,
    /// Its mail does not wait for a moment of its own any more.
    NotScheduled,
    /// It would end before its mail goes out, at this moment.
    EndsBeforeItsMail(Timestamp),
    /// Another mail must not be sent, or not now.
    Refused(SendRefusal),
    /// It has that address already.
    SameAddress,
    /// The new address has this open invitation to the organization.
    AlreadyPending(InvitationId),
    /// The new address belongs to an active member.
    AlreadyMember,
}

impl Store {
    /// Plans a new mail with a new secret. Earlier links and passwords stay good for an overlap, which
    /// begins when the new mail is made. A mail that waits for its moment goes out now instead.
    pub async fn resend(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
    ) -> Result<ChangeOutcome> {
        let change = InvitationEvent::Resend;
        let outcome = self.change(organization, actor, id, change).await?;
        match &outcome {
            ChangeOutcome::Refused(SendRefusal::Paused) => self.pause_sending(organization).await?,
            _ => self.outlet.wake(),
        }
        Ok(outcome)
    }

    /// Lets the invitation end at another time; a mail that is still to be sent may use it too.
    pub async fn extend(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
        expires_at: Timestamp,
    ) -> Result<ChangeOutcome> {
        self.change(organization, actor, id, InvitationEvent::Extend { expires_at }).await
    }

    /// Takes the invitation back; a mail that is under way arrives with a dead link.
    pub async fn revoke(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
    ) -> Result<ChangeOutcome> {
        self.change(organization, actor, id, InvitationEvent::Revoke).await
    }

    async fn change(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
        change: InvitationEvent,
    ) -> Result<ChangeOutcome> {
        let inviting = self.inviting(organization, actor, None);
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(row) = locked(tx, id).await? else {
                    return Ok(Verdict::RollBack(ChangeOutcome::NotFound));
                };
                if row.organization_id != organization.uuid() {
                    return Ok(Verdict::RollBack(ChangeOutcome::NotFound));
                }
                let next = match convert::invitation(&row)?.apply(change, now) {
                    Ok(next) => next,
                    Err(illegal) => {
                        return Ok(Verdict::RollBack(ChangeOutcome::Illegal(illegal)));
                    }
                };
                let current = current_delivery(tx, &row).await?;
                if change == InvitationEvent::Resend {
                    if current.status == DeliveryStatus::Sending.as_str() {
                        return Ok(Verdict::RollBack(ChangeOutcome::SendingNow));
                    }
                    if current.status == DeliveryStatus::Scheduled.as_str() {
                        let Inviting { actor, policy, .. } = inviting;
                        let view =
                            reschedule::reschedule(tx, now, &policy, actor, row, current, now)
                                .await?;
                        return Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))));
                    }
                    return resend_within_limits(tx, now, inviting, row, &current).await;
                }
                let by = inviting.actor.into();
                let row = if let InvitationEvent::Extend { expires_at } = change {
                    if let Some(send_at) = current.send_at.filter(|at| expires_at <= *at) {
                        return Ok(Verdict::RollBack(ChangeOutcome::EndsBeforeItsMail(send_at)));
                    }
                    extend(tx, now, &inviting.policy, row, expires_at, by).await?
                } else {
                    close::close(tx, now, row, &next, EventKind::InvitationRevoked, by).await?
                };
                let delivery = current_delivery(tx, &row).await?;
                let view = InvitationView::new(row, delivery)?;
                Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))))
            })
        })
        .await
    }
}

async fn extend(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    mut row: invitation::Model,
    expires_at: Timestamp,
    by: By,
) -> Result<invitation::Model> {
    let data = serde_json::json!({ "from": row.expires_at, "expires_at": expires_at });
    (row.expires_at, row.updated_at) = (expires_at, now);
    let changed = invitation::ActiveModel {
        expires_at: Set(expires_at),
        updated_at: Set(now),
        ..Default::default()
    };
    close::compare_and_set(tx, &row, changed).await?;
    let waiting = delivery::Entity::find()
        .filter(delivery::Column::InvitationId.eq(row.id))
        .filter(delivery::Column::SettledAt.is_null());
    for mail in waiting.all(tx).await? {
        let due = mail.send_at.unwrap_or(mail.created_at);
        let give_up_at = plan::give_up_at(policy, expires_at, due);
        delivery::Entity::update_many()
            .set(delivery::ActiveModel { give_up_at: Set(give_up_at), ..Default::default() })
            .filter(delivery::Column::Id.eq(mail.id))
            .exec(tx)
            .await?;
    }
    audit::record(tx, now, &row, EventKind::InvitationExtended, by, data).await?;
    Ok(row)
}

async fn resend_within_limits(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: Inviting,
    row: invitation::Model,
    last: &delivery::Model,
) -> Result<Verdict<ChangeOutcome>> {
    let refuse = |why| Ok(Verdict::RollBack(ChangeOutcome::Refused(why)));
    // Somebody says that nothing came: that is true once, and then it takes a while.
    let next = last.created_at + inviting.limits.resend_interval;
    if last.generation > 1 && next > now {
        let retry_after = (next - now).to_std().unwrap_or_default();
        return refuse(SendRefusal::JustResent { retry_after });
    }
    let Inviting { actor, policy, limits, .. } = inviting;
    let mut mails = Vec::new();
    let view = resend(tx, now, &policy, actor, row, &mut mails).await?;
    if let Some(refused) = limit::count(tx, now, &limits, &mails).await?.first() {
        return refuse(refused.why);
    }
    Ok(Verdict::Commit(ChangeOutcome::Changed(Box::new(view))))
}

/// Plans the mail of the next generation of a pending, locked invitation, and adds it to `mails`.
pub(super) async fn resend(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    actor: Actor,
    mut row: invitation::Model,
    mails: &mut Vec<Mail>,
) -> Result<InvitationView> {
    close::cancel_deliveries(tx, now, row.id).await?;
    row.generation += 1;
    row.reminded = 0;
    row.email_sent = false;
    row.email_sent_at = None;
    row.updated_at = now;
    let changed = invitation::ActiveModel {
        generation: Set(row.generation),
        reminded: Set(0),
        remind_after: Set(None),
        email_sent: Set(false),
        email_sent_at: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    close::compare_and_set(tx, &row, changed).await?;
    let delivery = plan::add_delivery(tx, now, policy, &row, None).await?;
    mails.extend(Mail::planned(&actor, &row, &delivery)?);
    let mut data = serde_json::json!({ "generation": row.generation, "delivery_id": delivery.id });
    suppress::note(&mut data, &delivery);
    audit::record(tx, now, &row, EventKind::InvitationResent, actor.into(), data).await?;
    InvitationView::new(row, delivery)
}

/// A pending invitation of the organization, locked; or why there is none.
pub(super) async fn open(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<Result<invitation::Model, ChangeOutcome>> {
    let found = locked(tx, id).await?.filter(|row| row.organization_id == organization.uuid());
    let Some(row) = found else { return Ok(Err(ChangeOutcome::NotFound)) };
    // What may be resent may be changed in other ways, too.
    let may_change = convert::invitation(&row)?.apply(InvitationEvent::Resend, now);
    Ok(match may_change {
        Ok(_) => Ok(row),
        Err(illegal) => Err(ChangeOutcome::Illegal(illegal)),
    })
}

/// Reads an invitation and keeps others from changing it until the transaction ends.
pub(super) async fn locked(
    tx: &DatabaseTransaction,
    id: InvitationId,
) -> Result<Option<invitation::Model>> {
    let mut query = invitation::Entity::find_by_id(id.uuid());
    // On SQLite the transaction is the only writer already.
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::Update);
    }
    Ok(query.one(tx).await?)
}

/// The delivery of an invitation's current generation.
pub(super) async fn current_delivery(
    tx: &impl ConnectionTrait,
    invitation: &invitation::Model,
) -> Result<delivery::Model> {
    delivery::Entity::find()
        .filter(delivery::Column::InvitationId.eq(invitation.id))
        .filter(delivery::Column::Generation.eq(invitation.generation))
        .one(tx)
        .await?
        .ok_or(convert::inconsistent("delivery", "generation"))
}
