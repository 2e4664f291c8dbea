//! Forgetting one person: open invitations are revoked, and nothing that is kept tells of them any more.

use std::collections::BTreeSet;

use domain::invitation::InvitationEvent;
use domain::{
    DeliveryStatus, EmailAddress, EventKind, InvitationId, InvitationStatus, MembershipStatus,
    Timestamp,
};
use entity::{delivery, event, invitation, membership, user};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::Func;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use serde_json::json;

use super::found::{self, Found, Purpose};
use super::{EraseOutcome, Erased, Reach, anonymous, is_nobody, traces};
use crate::store::audit::Entry;
use crate::store::{Actor, Result, Store, Verdict, announce, bulk, close, convert};

/// A request for the same address that was under way may have come to its end after the first look.
const LOOKS: usize = 3;
/// Who did something, if it was somebody who is erased.
pub(super) const STRANGER: &str = "token:erased";

impl Store {
    /// Erases whoever has that address. No mail goes out to them any more once this has returned, unless
    /// somebody invites them again; what kept them from mail still does.
    ///
    /// One transaction: either all of it is gone, or nothing.
    pub async fn erase_person(
        &self,
        reach: Reach,
        actor: Actor,
        email: &EmailAddress,
    ) -> Result<EraseOutcome> {
        let mut all = Erased::default();
        if is_nobody(email) {
            return Ok(EraseOutcome::Erased(Box::new(all)));
        }
        for look in 0..LOOKS {
            let (actor, email) = (actor.clone(), email.clone());
            let outcome = self
                .write(move |tx, now| {
                    Box::pin(async move { erase(tx, now, reach, actor, &email, look == 0).await })
                })
                .await?;
            match outcome {
                EraseOutcome::SendingNow => return Ok(EraseOutcome::SendingNow),
                EraseOutcome::Erased(more) if more.is_nothing() => break,
                EraseOutcome::Erased(more) => all.add(*more),
            }
        }
        self.outlet.wake();
        Ok(EraseOutcome::Erased(Box::new(all)))
    }
}

impl Erased {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, more: Self) {
        self.invitations += more.invitations;
        self.revoked += more.revoked;
        self.memberships += more.memberships;
        self.user |= more.user;
        self.suppressions += more.suppressions;
        self.batch_rows += more.batch_rows;
        self.announcements += more.announcements;
        self.answers += more.answers;
        self.test_mails += more.test_mails;
        self.of.extend(more.of);
        self.formerly_of.extend(more.formerly_of);
        self.names.extend(more.names);
    }
}

async fn erase(
    tx: &DatabaseTransaction,
    now: Timestamp,
    reach: Reach,
    actor: Actor,
    email: &EmailAddress,
    is_first: bool,
) -> Result<Verdict<EraseOutcome>> {
    let found = found::find(tx, reach, email, Purpose::Erase).await?;
    let ids: Vec<Uuid> = found.invitations.iter().map(|row| row.id).collect();
    let test_mails = traces::test_mails(tx, &found).await?;
    if test_mails < found.test_mails.len() as u64 || is_being_sent(tx, &ids).await? {
        return Ok(Verdict::RollBack(EraseOutcome::SendingNow));
    }
    let actor = unnamed(actor, &found);
    let mut erased = Erased {
        invitations: ids.len() as u64,
        revoked: revoke(tx, now, &actor, &found.invitations).await?,
        announcements: anonymous::make(tx, now, &ids).await?,
        memberships: memberships(tx, now, &found.memberships).await?,
        user: user(tx, now, &found).await?,
        suppressions: traces::suppressions(tx, &found).await?,
        batch_rows: traces::batch_rows(tx, now, &found).await?,
        answers: traces::answers(tx, &found).await?,
        test_mails,
        of: ids.into_iter().map(InvitationId::from_uuid).collect(),
        ..Erased::default()
    };
    erased.announcements += traces::former_mails(tx, &found).await?;
    traces::actors(tx, &found).await?;
    remarks(tx, &found).await?;
    if !is_first && erased.is_nothing() {
        return Ok(Verdict::RollBack(EraseOutcome::Erased(Box::new(erased))));
    }
    let former = found.former.iter().map(|row| InvitationId::from_uuid(row.invitation_id));
    erased.formerly_of = former.collect();
    erased.names = found.person.names().cloned().collect();
    record(tx, now, reach, &actor, &found).await?;
    Ok(Verdict::Commit(EraseOutcome::Erased(Box::new(erased))))
}

/// Whose mail a worker has in hand, that mail goes out: nobody can take it back.
async fn is_being_sent(tx: &DatabaseTransaction, invitations: &[Uuid]) -> Result<bool> {
    let sending = delivery::Entity::find()
        .filter(bulk::is_any(tx, delivery::Column::InvitationId, invitations.to_vec()))
        .filter(delivery::Column::Status.eq(DeliveryStatus::Sending.as_str()));
    Ok(sending.one(tx).await?.is_some())
}

/// Whoever erases themselves is not named for it.
fn unnamed(actor: Actor, found: &Found) -> Actor {
    match actor {
        Actor::Token { subject, user } if found.person.has(&subject) => {
            Actor::Token { subject: STRANGER.trim_start_matches("token:").to_owned(), user }
        }
        other => other,
    }
}

async fn revoke(
    tx: &DatabaseTransaction,
    now: Timestamp,
    actor: &Actor,
    invitations: &[invitation::Model],
) -> Result<u64> {
    let mut revoked = 0;
    let pending = InvitationStatus::Pending.as_str();
    for row in invitations.iter().filter(|row| row.status == pending).cloned() {
        match convert::invitation(&row)?.apply(InvitationEvent::Revoke, now) {
            Ok(next) => {
                let by = actor.clone().into();
                close::close(tx, now, row, &next, EventKind::InvitationRevoked, by).await?;
                revoked += 1;
            }
            // Its time has passed, and no sweep has come by.
            Err(_) => close::expire(tx, now, row).await?,
        }
    }
    Ok(revoked)
}

async fn memberships(
    tx: &DatabaseTransaction,
    now: Timestamp,
    rows: &[membership::Model],
) -> Result<u64> {
    let gone = membership::ActiveModel {
        status: Set(MembershipStatus::Removed.as_str().to_owned()),
        updated_at: Set(now),
        ..nothing_to_do()
    };
    // Whoever was removed before stays removed since then.
    let since = Func::coalesce([Expr::col(membership::Column::DeletedAt), Expr::val(now)]);
    membership::Entity::update_many()
        .set(gone)
        .col_expr(membership::Column::DeletedAt, since.into())
        .filter(bulk::is_any(tx, membership::Column::Id, rows.iter().map(|row| row.id).collect()))
        .exec(tx)
        .await?;
    let is_new = |row: &&membership::Model| row.status != MembershipStatus::Removed.as_str();
    Ok(rows.iter().filter(is_new).count() as u64)
}

/// What the product calls a place, emptied.
pub(super) fn nothing_to_do() -> membership::ActiveModel {
    membership::ActiveModel {
        job_title: Set(None),
        department: Set(None),
        access_level: Set(None),
        auto_assign_default_workdays: Set(None),
        scope: Set(None),
        permissions: Set(None),
        profession_id: Set(None),
        ..Default::default()
    }
}

/// The person's own record, unless another organization needs it.
async fn user(tx: &DatabaseTransaction, now: Timestamp, found: &Found) -> Result<bool> {
    let Some(row) = found.user.as_ref().filter(|_| !found.is_known_elsewhere) else {
        return Ok(false);
    };
    user::Entity::update_many()
        .set(nobody(now, row.id))
        .filter(user::Column::Id.eq(row.id))
        .exec(tx)
        .await?;
    Ok(true)
}

/// A user whom nobody can know again, and whom nobody else can become.
pub(super) fn nobody(now: Timestamp, id: Uuid) -> user::ActiveModel {
    let address = format!("{id}@erased.invalid");
    user::ActiveModel {
        email: Set(address.clone()),
        email_normalized: Set(address),
        username: Set(None),
        first_name: Set(None),
        last_name: Set(None),
        password_hash: Set(None),
        must_change_password: Set(false),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// What the log says about the address itself.
async fn remarks(tx: &DatabaseTransaction, found: &Found) -> Result<()> {
    for row in &found.remarks {
        let mut data = row.data.clone();
        found.person.take_out_of(&mut data);
        event::Entity::update_many()
            .set(event::ActiveModel { data: Set(data), ..Default::default() })
            .filter(event::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Each organization's log says that somebody was erased, and not who.
async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    reach: Reach,
    actor: &Actor,
    found: &Found,
) -> Result<()> {
    let entry = |id: Uuid| {
        let own = found.invitations.iter().filter(|row| row.organization_id == id).count();
        let data = json!({ "invitations": own });
        Entry::of_organization(now, id, EventKind::PersonErased, actor.written(), data)
    };
    announce::record(tx, now, touched(reach, found).into_iter().map(entry).collect()).await
}

/// The organizations that know the person.
pub(super) fn touched(reach: Reach, found: &Found) -> BTreeSet<Uuid> {
    if let Reach::Organization(id) = reach {
        return [id.uuid()].into();
    }
    let invitations = found.invitations.iter().map(|row| row.organization_id);
    let memberships = found.memberships.iter().map(|row| row.organization_id);
    let suppressions = found.suppressions.iter().map(|row| row.organization_id);
    invitations.chain(memberships).chain(suppressions).collect()
}
