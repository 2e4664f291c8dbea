//! Inviting many addresses that are new to their organizations, in a few statements for all of them.
//!
//! Whoever has a place in the organization already, however it stands, is no newcomer: then there
//! is something to decide, which `invite` does for one address at a time.

use std::collections::{BTreeSet, HashSet};

use domain::{EmailAddress, MembershipId, OrganizationId, Timestamp, UserId};
use entity::{invitation, membership, user};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{
    DatabaseTransaction, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::create::NewInvitation;
use super::invite::{self, Inviting};
use super::limit::Mail;
use super::view::InvitationView;
use super::{Result, StoreError, announce, bulk, enlist, plan};

/// Somebody to invite.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) inviting: &'a Inviting,
    pub(super) new: &'a NewInvitation,
}

/// Somebody who is invited now.
pub(super) struct Newcomer {
    pub(super) invitation: Box<InvitationView>,
    /// The mail that is queued, unless the address is suppressed.
    pub(super) mail: Option<Mail>,
}

/// An address in an organization.
pub(super) type Place = (Uuid, String);

/// Where somebody is to have a place.
pub(super) fn place(organization: OrganizationId, email: &EmailAddress) -> Place {
    (organization.uuid(), email.normalized())
}

/// Which of the people have a place in their organization, or had one.
pub(super) async fn known(
    tx: &DatabaseTransaction,
    people: &[Person<'_>],
) -> Result<HashSet<Place>> {
    let organizations: BTreeSet<Uuid> =
        people.iter().map(|person| person.inviting.organization.uuid()).collect();
    let organizations = organizations.into_iter().collect();
    let emails = people.iter().map(|person| person.new.email.normalized()).collect();
    let mut select = user::Entity::find()
        .select_only()
        .column_as(
            Expr::col((membership::Entity, membership::Column::OrganizationId)),
            "organization_id",
        )
        .column(user::Column::EmailNormalized)
        .filter(bulk::is_any(tx, user::Column::EmailNormalized, emails))
        .filter(bulk::is_any(tx, membership::Column::OrganizationId, organizations));
    let same = Expr::col((membership::Entity, membership::Column::UserId))
        .equals((user::Entity, user::Column::Id));
    QueryTrait::query(&mut select).inner_join(membership::Entity, same);
    Ok(select.into_tuple::<Place>().all(tx).await?.into_iter().collect())
}

/// Invites people, none of them `known`, each once, and in the order of their places, which is the
/// same for everybody: two transactions cannot lock each other out. What comes back is in the same
/// order. `None` if another transaction has just invited one of them: this one is to be given up.
pub(super) async fn invite(
    tx: &DatabaseTransaction,
    now: Timestamp,
    people: &[Person<'_>],
) -> Result<Option<Vec<Newcomer>>> {
    let Some(Person { inviting: Inviting { policy, .. }, .. }) = people.first() else {
        return Ok(Some(Vec::new()));
    };
    let Some(rows) = add_invitations(tx, now, people).await? else { return Ok(None) };
    let deliveries = plan::add_deliveries(tx, now, policy, &rows).await?;
    let mut entries = Vec::with_capacity(people.len());
    let mut newcomers = Vec::with_capacity(people.len());
    for ((person, row), delivery) in people.iter().zip(rows).zip(deliveries) {
        entries.push(invite::created(now, person.inviting, person.new, &row, &delivery)?);
        let mail = Mail::planned(&person.inviting.actor, &row, &delivery)?;
        tracing::debug!(invitation.id = %row.id, "invitation recorded");
        let invitation = Box::new(InvitationView::new(row, delivery)?);
        newcomers.push(Newcomer { invitation, mail });
    }
    announce::record(tx, now, entries).await?;
    Ok(Some(newcomers))
}

/// The users, their memberships and the invitations themselves.
async fn add_invitations(
    tx: &DatabaseTransaction,
    now: Timestamp,
    people: &[Person<'_>],
) -> Result<Option<Vec<invitation::Model>>> {
    let users = enlist::find_or_add_users(tx, now, people).await?;
    let mut memberships = Vec::with_capacity(people.len());
    let mut invitations = Vec::with_capacity(people.len());
    for Person { inviting, new } in people {
        let user = users.get(&new.email.normalized()).ok_or(StoreError::Busy)?;
        let id = MembershipId::new(now, &mut crate::rng());
        let person = UserId::from_uuid(user.id);
        memberships.push(enlist::membership_row(now, id, inviting.organization, person, new)?);
        invitations.push(invite::row(now, inviting, id, user, new));
    }
    let rows = invitations.iter().cloned().map(invitation::Model::into_active_model).collect();
    let all_new = bulk::insert_if_all_new(tx, memberships).await?
        && bulk::insert_if_all_new(tx, rows).await?;
    Ok(all_new.then_some(invitations))
}
