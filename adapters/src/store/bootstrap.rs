//! The first start on an empty database: an organization, its admin and a key.

use domain::{
    EmailAddress, KeyRole, MembershipId, MembershipRole, Name, OrganizationId, SecretHash,
    Timestamp, UserId,
};
use entity::{membership, organization, user};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, NotSet, Set};

use super::api_key::{self, NewApiKey};
use super::{Result, Store, Verdict, organizations};
use crate::rng;

/// What a first start makes.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The name of the organization.
    pub organization: Name,
    /// The address of its admin.
    pub email: EmailAddress,
    /// What the admin's key is recognized by.
    pub key_hash: SecretHash,
    /// The key's first characters.
    pub key_hint: String,
    /// The same of a key for the whole instance, if there is to be one.
    pub instance_key: Option<(SecretHash, String)>,
}

// Several processes may start on one empty database; the first one makes everything.
const BOOTSTRAP_LOCK: &str = "SELECT pg_advisory_xact_lock(7310021987455)";

impl Store {
    /// Makes the first organization, unless there is one; `true` if this call made it.
    pub async fn bootstrap(&self, first: Bootstrap) -> Result<bool> {
        self.write(move |tx, now| {
            Box::pin(async move {
                if tx.get_database_backend() == DbBackend::Postgres {
                    tx.execute_unprepared(BOOTSTRAP_LOCK).await?;
                }
                if organization::Entity::find().one(tx).await?.is_some() {
                    return Ok(Verdict::RollBack(false));
                }
                make(tx, now, first).await?;
                Ok(Verdict::Commit(true))
            })
        })
        .await
    }
}

async fn make(tx: &DatabaseTransaction, now: Timestamp, first: Bootstrap) -> Result<()> {
    let organization = OrganizationId::new(now, &mut rng());
    let user = UserId::new(now, &mut rng());
    let membership = MembershipId::new(now, &mut rng());
    organization::Entity::insert(organization::ActiveModel {
        number: NotSet,
        id: Set(organization.uuid()),
        name: Set(first.organization.as_str().to_owned()),
        slug: Set(organizations::slug(first.organization.as_str())),
        default_role: Set(MembershipRole::default().as_str().to_owned()),
        roles: Set(None),
        policy: Set(None),
        trusted: Set(false),
        sending_paused_at: Set(None),
        templates: Set(None),
        branding: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    })
    .exec_without_returning(tx)
    .await?;
    user::Entity::insert(user::ActiveModel {
        number: NotSet,
        id: Set(user.uuid()),
        email: Set(first.email.as_given().to_owned()),
        email_normalized: Set(first.email.normalized()),
        username: Set(Some(username(&first.email))),
        first_name: Set(None),
        last_name: Set(None),
        status: Set("active".to_owned()),
        password_hash: Set(None),
        must_change_password: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
    })
    .exec_without_returning(tx)
    .await?;
    membership::Entity::insert(membership::ActiveModel {
        number: NotSet,
        id: Set(membership.uuid()),
        organization_id: Set(organization.uuid()),
        user_id: Set(user.uuid()),
        role: Set(KeyRole::Admin.as_str().to_owned()),
        status: Set("active".to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    })
    .exec_without_returning(tx)
    .await?;
    let key = NewApiKey {
        organization: Some(organization),
        user: Some(user),
        name: "first key".to_owned(),
        role: KeyRole::Admin,
        hash: first.key_hash,
        hint: first.key_hint,
    };
    api_key::add(tx, now, key).await?;
    if let Some((hash, hint)) = first.instance_key {
        api_key::add(tx, now, NewApiKey::for_instance("instance key".to_owned(), hash, hint))
            .await?;
    }
    Ok(())
}

/// Nobody else is there yet whose name it could be.
fn username(email: &EmailAddress) -> String {
    email.normalized().split('@').next().unwrap_or_default().to_owned()
}
