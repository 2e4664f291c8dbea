//! The person behind an invitation, and their place in the organization.

use std::collections::{BTreeMap, HashMap};

use domain::{
    EmailAddress, MembershipId, MembershipRole, MembershipStatus, OrganizationId, Position,
    Timestamp, UserId, secret,
};
use entity::{membership, user};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, NotSet, QueryFilter, Set};

use super::create::NewInvitation;
use super::newcomers::Person;
use super::{Result, StoreError, bulk, convert, insert_if_new};
use crate::rng;

/// A user who has never joined anything.
const INVITED_USER: &str = "invited";
/// With five random characters a second clash is a matter of luck, a fourth of broken luck.
const USERNAME_TRIES: usize = 4;
const USERNAME_SUFFIX: usize = 5;

/// The user with that address; one who waits for an answer is added if there is none.
pub(super) async fn find_or_add_user(
    tx: &DatabaseTransaction,
    now: Timestamp,
    new: &NewInvitation,
) -> Result<user::Model> {
    for attempt in 0..USERNAME_TRIES {
        insert_if_new(tx, user_row(now, new, attempt > 0)).await?;
        let known = user::Entity::find()
            .filter(user::Column::EmailNormalized.eq(new.email.normalized()))
            .one(tx)
            .await?;
        if let Some(user) = known {
            return Ok(user);
        }
        // Not the address was taken but the user name.
    }
    Err(StoreError::Busy)
}

/// Who is behind addresses.
pub(super) struct Users {
    pub(super) by_email: HashMap<String, user::Model>,
    /// None of them was here before, so that no organization knows any of them.
    pub(super) all_new: bool,
}

/// The users with the addresses; those that there are none for are added, all at once.
pub(super) async fn find_or_add_users(
    tx: &DatabaseTransaction,
    now: Timestamp,
    people: &[Person<'_>],
) -> Result<Users> {
    let mut missing: BTreeMap<String, &NewInvitation> =
        people.iter().map(|person| (person.new.email.normalized(), person.new)).collect();
    let mut users = Users { by_email: HashMap::new(), all_new: true };
    for attempt in 0..USERNAME_TRIES {
        let rows = missing.values().map(|new| user_row(now, new, attempt > 0)).collect();
        let mut found = bulk::insert_new(tx, rows).await?;
        if found.len() < missing.len() {
            users.all_new = false;
            let emails = missing.keys().cloned().collect();
            let known = bulk::is_any(tx, user::Column::EmailNormalized, emails);
            found = user::Entity::find().filter(known).all(tx).await?;
        }
        for user in found {
            missing.remove(&user.email_normalized);
            users.by_email.insert(user.email_normalized.clone(), user);
        }
        if missing.is_empty() {
            return Ok(users);
        }
    }
    Err(StoreError::Busy)
}

fn user_row(now: Timestamp, new: &NewInvitation, name_is_taken: bool) -> user::ActiveModel {
    user::ActiveModel {
        number: NotSet,
        id: Set(UserId::new(now, &mut rng()).uuid()),
        email: Set(new.email.as_given().to_owned()),
        email_normalized: Set(new.email.normalized()),
        username: Set(Some(username(new, name_is_taken))),
        first_name: Set(new.first_name.as_ref().map(|name| name.as_str().to_owned())),
        last_name: Set(new.last_name.as_ref().map(|name| name.as_str().to_owned())),
        status: Set(INVITED_USER.to_owned()),
        password_hash: Set(None),
        must_change_password: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

/// What comes before the `@`, with something random behind it where that alone is taken.
fn username(new: &NewInvitation, taken: bool) -> String {
    let email = new.email.normalized();
    let local = email.split('@').next().unwrap_or_default();
    if !taken {
        return local.to_owned();
    }
    let random = secret::random_text(&mut rng());
    format!("{local}-{}", random[..USERNAME_SUFFIX].to_ascii_lowercase())
}

/// Gives a user who has never signed in the password that an inviter chose for them.
///
/// Whoever has a password keeps it: an inviter must not take over somebody's account.
pub(super) async fn set_first_password(
    tx: &DatabaseTransaction,
    now: Timestamp,
    user: &user::Model,
    hash: String,
) -> Result<()> {
    let first = user::ActiveModel {
        password_hash: Set(Some(hash)),
        must_change_password: Set(true),
        updated_at: Set(now),
        ..Default::default()
    };
    user::Entity::update_many()
        .set(first)
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::Status.eq(INVITED_USER))
        .filter(user::Column::PasswordHash.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes sure there is a membership that waits for its invitee; `None` if it is active already.
pub(super) async fn invite(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    user: UserId,
    new: &NewInvitation,
) -> Result<Option<MembershipId>> {
    let id = MembershipId::new(now, &mut rng());
    if insert_if_new(tx, membership_row(now, id, organization, user, new)?).await? {
        return Ok(Some(id));
    }
    let found = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization.uuid()))
        .filter(membership::Column::UserId.eq(user.uuid()))
        .one(tx)
        .await?
        .ok_or(StoreError::Busy)?;
    if found.status == MembershipStatus::Active.as_str() {
        return Ok(None);
    }
    // Invited before, or a member once: the same row lives again, and keeps its number.
    let id = MembershipId::from_uuid(found.id);
    membership::Entity::update_many()
        .set(described(&new.role, &new.position, now)?)
        .filter(membership::Column::Id.eq(found.id))
        .exec(tx)
        .await?;
    Ok(Some(id))
}

/// Whether the address belongs to an active member.
pub(super) async fn is_member(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    email: &EmailAddress,
) -> Result<bool> {
    let person =
        user::Entity::find().filter(user::Column::EmailNormalized.eq(email.normalized())).one(tx);
    let Some(person) = person.await? else { return Ok(false) };
    let place = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization.uuid()))
        .filter(membership::Column::UserId.eq(person.id))
        .filter(membership::Column::Status.eq(MembershipStatus::Active.as_str()));
    Ok(place.one(tx).await?.is_some())
}

/// A membership that waits for its invitee.
pub(super) fn membership_row(
    now: Timestamp,
    id: MembershipId,
    organization: OrganizationId,
    user: UserId,
    new: &NewInvitation,
) -> Result<membership::ActiveModel> {
    Ok(membership::ActiveModel {
        id: Set(id.uuid()),
        organization_id: Set(organization.uuid()),
        user_id: Set(user.uuid()),
        created_at: Set(now),
        ..described(&new.role, &new.position, now)?
    })
}

/// The columns that an invitation decides.
fn described(
    role: &MembershipRole,
    position: &Position,
    now: Timestamp,
) -> Result<membership::ActiveModel> {
    let position = position.clone();
    Ok(membership::ActiveModel {
        role: Set(role.as_str().to_owned()),
        job_title: Set(position.job_title),
        department: Set(position.department),
        access_level: Set(position.access_level),
        auto_assign_default_workdays: Set(position.auto_assign_default_workdays),
        scope: Set(position.scope),
        permissions: Set(position.permissions.map(convert::json).transpose()?),
        profession_id: Set(position.profession_id),
        status: Set(MembershipStatus::Invited.as_str().to_owned()),
        deleted_at: Set(None),
        updated_at: Set(now),
        ..Default::default()
    })
}
