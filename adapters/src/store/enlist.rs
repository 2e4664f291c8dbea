//! The person behind an invitation, and their place in the organization.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    EmailAddress, MembershipId, MembershipRole, MembershipStatus, OrganizationId, Position,
    Timestamp, UserId, secret,
};
use entity::{membership, user};
use sea_orm::prelude::{Expr, Json, Uuid};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, NotSet, QueryFilter,
    QuerySelect, Select, Set,
};
use serde::Deserialize;

use super::bulk::{Changes, Told};
use super::create::NewInvitation;
use super::newcomers::Person;
use super::{Result, StoreError, bulk, convert, insert_if_new, suppress};
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
        let known = user::Column::EmailNormalized.eq(new.email.normalized());
        if let Some(user) = staying(tx, known).one(tx).await? {
            return Ok(user);
        }
        // Not the address was taken but the user name.
    }
    Err(StoreError::Busy)
}

/// Users who remain who they are until the transaction ends: nobody invites a person whom another
/// transaction has just erased. On SQLite the transaction is the only writer already.
fn staying(tx: &DatabaseTransaction, known: Expr) -> Select<user::Entity> {
    let users = user::Entity::find().filter(known);
    if tx.get_database_backend() == DbBackend::Postgres {
        return users.lock(LockType::KeyShare);
    }
    users
}

/// Who is behind addresses.
#[derive(Default)]
pub(super) struct Users {
    pub(super) by_email: HashMap<String, UserId>,
    /// None of them was here before, so that no organization knows any of them.
    pub(super) all_new: bool,
    /// What is suppressed of the addresses, where that was found beside.
    pub(super) suppressed: Option<Suppressed>,
}

/// Why nothing is sent to them: by organization and one of the [`suppress::keys`].
pub(super) type Suppressed = HashMap<(Uuid, String), String>;

/// The users with the addresses; those that there are none for are added, all at once.
pub(super) async fn find_or_add_users(
    tx: &DatabaseTransaction,
    now: Timestamp,
    people: &[Person<'_>],
) -> Result<Users> {
    let mut missing: BTreeMap<String, &NewInvitation> =
        people.iter().map(|person| (person.new.email.normalized(), person.new)).collect();
    let mut users = Users { all_new: true, ..Users::default() };
    if missing.is_empty() {
        return Ok(users);
    }
    for attempt in 0..USERNAME_TRIES {
        let rows: Vec<_> = missing.values().map(|new| user_row(now, new, attempt > 0)).collect();
        let mut found = if attempt == 0 && tx.get_database_backend() == DbBackend::Postgres {
            let (added, suppressed) = add_and_look(tx, people, rows).await?;
            users.suppressed = Some(suppressed);
            added
        } else {
            let added = bulk::insert_new(tx, rows).await?;
            added.into_iter().map(|user| (user.email_normalized, user.id)).collect()
        };
        if found.len() < missing.len() {
            users.all_new = false;
            let emails = missing.keys().cloned().collect();
            let known = bulk::is_any(tx, user::Column::EmailNormalized, emails);
            let known = staying(tx, known).all(tx).await?;
            found = known.into_iter().map(|user| (user.email_normalized, user.id)).collect();
        }
        for (email, id) in found {
            missing.remove(&email);
            users.by_email.insert(email, UserId::from_uuid(id));
        }
        if missing.is_empty() {
            return Ok(users);
        }
    }
    Err(StoreError::Busy)
}

/// What is suppressed of the addresses `$2` in the organizations `$1`.
const SUPPRESSED: &str = "SELECT organization_id, email_normalized, reason FROM suppression \
     WHERE organization_id = ANY(ARRAY(SELECT unnest($1))) \
     AND email_normalized = ANY(ARRAY(SELECT unnest($2)))";

/// Adds those users that are new and finds out what is suppressed of all addresses, in one statement:
/// each way to the database and back takes longer than either.
async fn add_and_look(
    tx: &DatabaseTransaction,
    people: &[Person<'_>],
    rows: Vec<user::ActiveModel>,
) -> Result<(Vec<(String, Uuid)>, Suppressed)> {
    let mut changes = Changes::new(tx);
    let columns = [user::Column::EmailNormalized, user::Column::Id];
    let added = changes.insert_and_tell(rows, bulk::skip(), &columns, None)?;
    let organizations: BTreeSet<Uuid> =
        people.iter().map(|person| person.inviting.organization.uuid()).collect();
    let organizations: Vec<Uuid> = organizations.into_iter().collect();
    let keys = |person: &Person<'_>| {
        suppress::keys(person.inviting.organization.uuid(), &person.new.email.normalized())
    };
    let emails: Vec<String> = people.iter().flat_map(keys).collect();
    let of = vec![organizations.into(), emails.into()];
    let suppressed = changes.make_and_find(tx, SUPPRESSED, of).await?.unwrap_or_default();
    let added = added.iter().flat_map(Told::rows).map(read::<Added>);
    let added: Result<Vec<Added>> = added.collect();
    let added = added?.into_iter().map(|user| (user.email_normalized, user.id)).collect();
    let found: Result<Vec<Found>> = suppressed.iter().map(read).collect();
    let place = |row: Found| ((row.organization_id, row.email_normalized), row.reason);
    Ok((added, found?.into_iter().map(place).collect()))
}

#[derive(Deserialize)]
struct Added {
    email_normalized: String,
    id: Uuid,
}

#[derive(Deserialize)]
struct Found {
    organization_id: Uuid,
    email_normalized: String,
    reason: String,
}

fn read<'a, T: Deserialize<'a>>(row: &'a Json) -> Result<T> {
    T::deserialize(row).map_err(|error| StoreError::Database(error.to_string()))
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
