//! Inviting many addresses that are new to their organizations, in a few statements for all of them.
//!
//! Whoever has a place in the organization already, however it stands, is no newcomer: then there
//! is something to decide, which `invite` does for one address at a time.

use std::collections::{BTreeSet, HashSet};

use domain::{EmailAddress, MembershipId, OrganizationId, Timestamp};
use entity::{invitation, membership, user};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{
    DatabaseTransaction, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::audit::Entry;
use super::bulk::Changes;
use super::create::NewInvitation;
use super::enlist::Users;
use super::invite::{self, Inviting};
use super::limit::Mail;
use super::outlet::Held;
use super::view::InvitationView;
use super::{Result, StoreError, bulk, enlist, plan};
use crate::trace::TraceContext;

/// Somebody to invite.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) inviting: &'a Inviting,
    pub(super) new: &'a NewInvitation,
    /// Where in a trace they were asked for, if somebody other than this task does the asking.
    pub(super) trace: Option<TraceContext>,
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
/// order. The rows are added to `changes`, those of the outbox to `held` as well, and what the audit log says to `log`; if one of them is there already, another transaction has
/// just invited somebody, and this one is to be given up.
pub(super) async fn invite(
    tx: &DatabaseTransaction,
    now: Timestamp,
    people: &[Person<'_>],
    users: &Users,
    changes: &mut Changes,
    log: &mut Vec<Entry>,
    held: Option<&mut Held>,
) -> Result<Vec<Newcomer>> {
    let Some(Person { inviting: Inviting { policy, .. }, .. }) = people.first() else {
        return Ok(Vec::new());
    };
    let rows = add_invitations(now, people, users, changes)?;
    let send_ats = people.iter().map(|person| person.new.send_at);
    let rows: Vec<_> = rows.into_iter().zip(send_ats).collect();
    let found;
    let suppressed = if let Some(suppressed) = &users.suppressed {
        suppressed
    } else {
        found = plan::suppressed(tx, &rows).await?;
        &found
    };
    let traces = people.iter().map(|person| person.trace);
    let deliveries = plan::add_deliveries(now, policy, &rows, suppressed, traces, changes, held)?;
    let mut newcomers = Vec::with_capacity(people.len());
    for ((person, (row, _)), delivery) in people.iter().zip(rows).zip(deliveries) {
        let mut entry = invite::created(now, person.inviting, person.new, &row, &delivery)?;
        entry.trace = person.trace.or(entry.trace);
        log.push(entry);
        let mail = Mail::planned(&person.inviting.actor, &row, &delivery)?;
        tracing::debug!(invitation.id = %row.id, "invitation recorded");
        let invitation = Box::new(InvitationView::new(row, delivery)?);
        newcomers.push(Newcomer { invitation, mail });
    }
    Ok(newcomers)
}

/// Their memberships and the invitations themselves.
fn add_invitations(
    now: Timestamp,
    people: &[Person<'_>],
    users: &Users,
    changes: &mut Changes,
) -> Result<Vec<invitation::Model>> {
    let mut memberships = Vec::with_capacity(people.len());
    let mut invitations = Vec::with_capacity(people.len());
    for Person { inviting, new, .. } in people {
        let user = users.by_email.get(&new.email.normalized()).ok_or(StoreError::Busy)?;
        let id = MembershipId::new(now, &mut crate::rng());
        memberships.push(enlist::membership_row(now, id, inviting.organization, *user, new)?);
        invitations.push(invite::row(now, inviting, id, *user, new));
    }
    changes.insert(memberships)?;
    changes
        .insert(invitations.iter().cloned().map(invitation::Model::into_active_model).collect())?;
    Ok(invitations)
}
