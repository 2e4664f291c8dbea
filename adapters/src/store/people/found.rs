//! All that tells of one person, wherever it is: what is exported, and what is to be erased.

use domain::{EmailAddress, EventKind, MembershipStatus};
use entity::{
    api_key, batch, batch_row, delivery, event, idempotency_key, invitation, membership,
    organization, suppression, test_mail, user,
};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::person::Person;
use super::{Reach, is_nobody, rows};
use crate::store::{Result, bulk, suppress};

/// What it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be shown.
    Export,
    /// To be changed: batches and invitations stay as they are until the transaction ends.
    Erase,
}

/// What was found.
pub(super) struct Found {
    pub(super) person: Person,
    /// Where it was looked for.
    pub(super) organizations: Vec<Uuid>,
    /// The person's own record, which all organizations share.
    pub(super) user: Option<user::Model>,
    /// Whether an organization knows them where nobody looked.
    pub(super) is_known_elsewhere: bool,
    pub(super) memberships: Vec<membership::Model>,
    /// Those that are for the address now, in the order in which all changes lock them.
    pub(super) invitations: Vec<invitation::Model>,
    /// Mails that went to the address of invitations which are for another one by now.
    pub(super) former: Vec<delivery::Model>,
    pub(super) suppressions: Vec<suppression::Model>,
    pub(super) batch_rows: Vec<batch_row::Model>,
    pub(super) answers: Vec<idempotency_key::Model>,
    /// What somebody did with a token whose subject is the address.
    pub(super) deeds: Vec<event::Model>,
    /// What the log says of the address being suppressed, and not any more, and shown a template.
    pub(super) remarks: Vec<event::Model>,
    /// Mails of templates that somebody wanted to see, to the address or asked for by its bearer.
    pub(super) test_mails: Vec<test_mail::Model>,
    /// API keys that are called by the address.
    pub(super) keys: Vec<api_key::Model>,
}

/// Looks everywhere.
pub(super) async fn find(
    tx: &DatabaseTransaction,
    reach: Reach,
    email: &EmailAddress,
    purpose: Purpose,
) -> Result<Found> {
    let mut person = Person::new(email);
    let organizations = match reach {
        // What is left of those who were erased is no person's.
        _ if is_nobody(email) => Vec::new(),
        Reach::Organization(id) => vec![id.uuid()],
        Reach::Instance => all_organizations(tx).await?,
    };
    let batch_rows = batch_rows(tx, &person, &organizations, purpose).await?;
    let invitations = invitations(tx, &person, &organizations, purpose).await?;
    let user = user::Entity::find()
        .filter(user::Column::EmailNormalized.eq(person.normalized()))
        .one(tx)
        .await?;
    let (memberships, elsewhere) = memberships(tx, user.as_ref(), &organizations).await?;
    learn(&mut person, user.as_ref(), &memberships, &invitations);
    let is_known_elsewhere = elsewhere || is_invited_elsewhere(tx, &person, &organizations).await?;
    Ok(Found {
        former: former(tx, &person, &organizations).await?,
        suppressions: suppressions(tx, &person, &organizations).await?,
        answers: answers(tx, &person, &organizations).await?,
        deeds: deeds(tx, &person, &organizations).await?,
        remarks: remarks(tx, &person, &organizations).await?,
        test_mails: test_mails(tx, &person, &organizations).await?,
        keys: keys(tx, &person, reach, &organizations).await?,
        person,
        organizations,
        user,
        is_known_elsewhere,
        memberships,
        invitations,
        batch_rows,
    })
}

fn learn(
    person: &mut Person,
    user: Option<&user::Model>,
    memberships: &[membership::Model],
    invitations: &[invitation::Model],
) {
    for row in invitations {
        person.writes(&row.email);
        person.is_called(row.first_name.as_deref(), row.last_name.as_deref());
    }
    for row in memberships {
        for word in [&row.job_title, &row.department] {
            person.is(word.as_deref());
        }
    }
    if let Some(user) = user {
        person.writes(&user.email);
        person.is_called(user.first_name.as_deref(), user.last_name.as_deref());
        person.is(user.username.as_deref());
    }
}

async fn all_organizations(tx: &DatabaseTransaction) -> Result<Vec<Uuid>> {
    let ids = organization::Entity::find().select_only().column(organization::Column::Id);
    Ok(ids.into_tuple().all(tx).await?)
}

async fn invitations(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
    purpose: Purpose,
) -> Result<Vec<invitation::Model>> {
    let mut query = invitation::Entity::find()
        .filter(invitation::Column::EmailNormalized.eq(person.normalized()))
        .filter(bulk::is_any(tx, invitation::Column::OrganizationId, organizations.to_vec()))
        .order_by_asc(invitation::Column::Id);
    if purpose == Purpose::Erase && tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::Update);
    }
    Ok(query.all(tx).await?)
}

/// Those of the organizations; and whether the person is a member of another one.
async fn memberships(
    tx: &DatabaseTransaction,
    user: Option<&user::Model>,
    organizations: &[Uuid],
) -> Result<(Vec<membership::Model>, bool)> {
    let Some(user) = user else { return Ok((Vec::new(), false)) };
    let all = membership::Entity::find()
        .filter(membership::Column::UserId.eq(user.id))
        .order_by_asc(membership::Column::Id)
        .all(tx);
    let is_here = |row: &membership::Model| organizations.contains(&row.organization_id);
    let (here, elsewhere): (Vec<_>, Vec<_>) = all.await?.into_iter().partition(is_here);
    let active = MembershipStatus::Active.as_str();
    let is_member = elsewhere.iter().any(|row| row.status == active);
    Ok((here, is_member))
}

async fn is_invited_elsewhere(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<bool> {
    let all = invitation::Entity::find()
        .select_only()
        .column(invitation::Column::OrganizationId)
        .filter(invitation::Column::EmailNormalized.eq(person.normalized()))
        .into_tuple::<Uuid>()
        .all(tx)
        .await?;
    Ok(all.iter().any(|id| !organizations.contains(id)))
}

async fn former(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<Vec<delivery::Model>> {
    Ok(delivery::Entity::find()
        .filter(delivery::Column::Recipient.is_not_null())
        .filter(rows::is(delivery::Column::Recipient, &person.addresses()))
        .filter(bulk::is_any(tx, delivery::Column::OrganizationId, organizations.to_vec()))
        .order_by_asc(delivery::Column::Id)
        .all(tx)
        .await?)
}

async fn suppressions(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<Vec<suppression::Model>> {
    let keys = organizations.iter().flat_map(|id| suppress::keys(*id, person.normalized()));
    Ok(suppression::Entity::find()
        .filter(bulk::is_any(tx, suppression::Column::OrganizationId, organizations.to_vec()))
        .filter(bulk::is_any(tx, suppression::Column::EmailNormalized, keys.collect()))
        .all(tx)
        .await?)
}

/// Their batches are locked before they are read: whoever invites a row that waits holds that lock.
async fn batch_rows(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
    purpose: Purpose,
) -> Result<Vec<batch_row::Model>> {
    let batches: Vec<Uuid> = batch::Entity::find()
        .select_only()
        .column(batch::Column::Id)
        .filter(bulk::is_any(tx, batch::Column::OrganizationId, organizations.to_vec()))
        .into_tuple()
        .all(tx)
        .await?;
    let of_person = || {
        batch_row::Entity::find()
            .filter(bulk::is_any(tx, batch_row::Column::BatchId, batches.clone()))
            .filter(rows::names(
                tx.get_database_backend(),
                batch_row::Column::Email,
                &person.addresses(),
            ))
    };
    let found = of_person().all(tx).await?;
    let locks = tx.get_database_backend() == DbBackend::Postgres;
    if purpose == Purpose::Export || found.is_empty() || !locks {
        return Ok(named(person, found));
    }
    let theirs = found.iter().map(|row| row.batch_id).collect();
    batch::Entity::find()
        .filter(bulk::is_any(tx, batch::Column::Id, theirs))
        .order_by_asc(batch::Column::Id)
        .lock(LockType::Update)
        .all(tx)
        .await?;
    Ok(named(person, of_person().all(tx).await?))
}

fn named(person: &Person, mut rows: Vec<batch_row::Model>) -> Vec<batch_row::Model> {
    rows.retain(|row| person.has(&row.email) || person.is_named_in(&row.email));
    rows
}

async fn answers(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<Vec<idempotency_key::Model>> {
    let (backend, addresses) = (tx.get_database_backend(), person.addresses());
    let named = Condition::any()
        .add(rows::names(backend, idempotency_key::Column::Body, &addresses))
        .add(rows::names(backend, idempotency_key::Column::Key, &addresses));
    let mut found = idempotency_key::Entity::find()
        .filter(bulk::is_any(tx, idempotency_key::Column::OrganizationId, organizations.to_vec()))
        .filter(named)
        .all(tx)
        .await?;
    found.retain(|row| person.is_named_in(&row.body) || person.is_in_key(&row.key));
    Ok(found)
}

/// As [`crate::store::Actor::written`] names whoever only an issuer of tokens knows.
pub(super) fn as_strangers(person: &Person) -> Vec<String> {
    person.addresses().iter().map(|address| format!("token:{address}")).collect()
}

async fn deeds(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        // As a literal: that is how the index of such actors is found.
        .filter(Expr::cust("event.actor LIKE 'token:%'"))
        .filter(rows::is(event::Column::Actor, &as_strangers(person)))
        .filter(bulk::is_any(tx, event::Column::OrganizationId, organizations.to_vec()))
        .order_by_asc(event::Column::Id)
        .all(tx)
        .await?)
}

async fn remarks(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<Vec<event::Model>> {
    let kinds =
        [EventKind::SuppressionAdded, EventKind::SuppressionLifted, EventKind::TemplateTested];
    let mut found = event::Entity::find()
        .filter(event::Column::InvitationId.is_null())
        .filter(event::Column::Kind.is_in(kinds.map(EventKind::as_str)))
        .filter(bulk::is_any(tx, event::Column::OrganizationId, organizations.to_vec()))
        .all(tx)
        .await?;
    found.retain(|row| person.take_out_of(&mut row.data.clone()));
    Ok(found)
}

async fn test_mails(
    tx: &DatabaseTransaction,
    person: &Person,
    organizations: &[Uuid],
) -> Result<Vec<test_mail::Model>> {
    let theirs = Condition::any()
        .add(rows::is(test_mail::Column::Email, &person.addresses()))
        .add(rows::is(test_mail::Column::Actor, &as_strangers(person)));
    Ok(test_mail::Entity::find()
        .filter(bulk::is_any(tx, test_mail::Column::OrganizationId, organizations.to_vec()))
        .filter(theirs)
        .order_by_asc(test_mail::Column::Id)
        .all(tx)
        .await?)
}

async fn keys(
    tx: &DatabaseTransaction,
    person: &Person,
    reach: Reach,
    organizations: &[Uuid],
) -> Result<Vec<api_key::Model>> {
    let own = bulk::is_any(tx, api_key::Column::OrganizationId, organizations.to_vec());
    let mut place = Condition::any().add(own);
    if reach == Reach::Instance {
        place = place.add(api_key::Column::OrganizationId.is_null());
    }
    let named = rows::names(tx.get_database_backend(), api_key::Column::Name, &person.addresses());
    Ok(api_key::Entity::find().filter(place).filter(named).all(tx).await?)
}
