//! Who calls: found by the hash of an API key, or by what a verified token says.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::{
    ApiKeyId, KeyRole, MembershipRole, MembershipStatus, OrganizationId, OrganizationPolicy,
    RolePolicy, SecretHash, Timestamp, UserId,
};
use entity::{api_key, membership, organization, user};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Actor, Call, Result, Store, Verdict, bulk, convert, policy};

/// Whoever is behind a key or a token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For the audit log.
    pub actor: Actor,
    /// What they may do.
    pub role: KeyRole,
    /// Where; `None` for a key that is good for every organization of the instance.
    pub organization: Option<OrganizationRef>,
    /// Which person that is, if it is one we know.
    pub user: Option<UserRef>,
}

/// An organization, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganizationRef {
    /// Names the organization.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub id: OrganizationId,
    /// Names it too, for systems that want an integer.
    #[schema(minimum = 1, example = 1)]
    pub number: i64,
    /// As people see it.
    #[schema(example = "Acme")]
    pub name: String,
    /// Which roles it gives.
    #[serde(skip)]
    pub roles: RolePolicy,
    /// What it allows of its invitations; `None` if everything.
    #[serde(skip)]
    pub policy: Option<Arc<OrganizationPolicy>>,
}

/// A person, in short.
#[derive(Clone, Serialize, ToSchema)]
pub struct UserRef {
    /// Names the person.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    pub id: UserId,
    /// Names the person too, for systems that want an integer.
    #[schema(minimum = 1, example = 1)]
    pub number: i64,
    /// The person's address.
    #[schema(example = "admin@example.com")]
    pub email: String,
}

/// How a token, or a path, names an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationKey {
    /// By its UUID.
    Id(OrganizationId),
    /// By its number.
    Number(i64),
}

impl std::fmt::Debug for UserRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address stays out of logs.
        write!(f, "UserRef({})", self.id)
    }
}

// `last_used_at` is for people: writing it once a minute spares a write for every request.
const LAST_USED_STEP: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

impl Store {
    /// Finds out who calls; `None` for an unknown or revoked key. Keys that are asked about at the
    /// same time are looked up together; none is remembered, so that a revoked one is refused from
    /// then on.
    pub async fn authenticate(&self, hash: SecretHash) -> Result<Option<Caller>> {
        let store = self.clone();
        let find = move |calls| find_callers(store.clone(), calls);
        self.gatherings.callers.call(&self.runtime, hash, find).await?
    }

    /// Finds out who a verified token speaks for; `None` if it names no organization of ours.
    ///
    /// A subject that is no active member here may still call: the issuer vouches for the role.
    pub async fn token_caller(
        &self,
        organization: OrganizationKey,
        subject: String,
        role: KeyRole,
    ) -> Result<Option<Caller>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let Some(organization) = find(db, organization).await? else { return Ok(None) };
                let user = active_member(db, organization.id, &subject).await?.map(UserRef::from);
                let actor = Actor::Token { subject, user: user.as_ref().map(|user| user.id) };
                let organization = Some(OrganizationRef::new(organization)?);
                Ok(Some(Caller { actor, role, organization, user }))
            })
        })
        .await
    }

    async fn touch_api_keys(&self, ids: Vec<Uuid>) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let used =
                    api_key::ActiveModel { last_used_at: Set(Some(now)), ..Default::default() };
                api_key::Entity::update_many()
                    .set(used)
                    .filter(bulk::is_any(tx, api_key::Column::Id, ids))
                    .exec(tx)
                    .await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}

/// Who is behind keys, and which of these are used for the first time in a while.
struct Found {
    callers: HashMap<Vec<u8>, Result<Caller>>,
    stale: Vec<Uuid>,
}

async fn find_callers(store: Store, calls: Vec<Call<SecretHash, Option<Caller>>>) {
    let hashes: BTreeSet<Vec<u8>> = calls.iter().map(|call| call.asks.to_vec()).collect();
    let found = store.read(move |db, now| {
        Box::pin(async move { find_by_hashes(db, now, hashes.into_iter().collect()).await })
    });
    let found = match found.await {
        Ok(Found { stale, callers }) if stale.is_empty() => Ok(callers),
        Ok(Found { stale, callers }) => store.touch_api_keys(stale).await.map(|()| callers),
        Err(error) => Err(error),
    };
    for call in calls {
        let answer = match &found {
            Ok(callers) => callers.get(&call.asks.to_vec()).cloned().transpose(),
            Err(error) => Err(error.clone()),
        };
        call.answer(answer);
    }
}

async fn find_by_hashes(
    db: &impl ConnectionTrait,
    now: Timestamp,
    hashes: Vec<Vec<u8>>,
) -> Result<Found> {
    let keys = api_key::Entity::find()
        .filter(bulk::is_any(db, api_key::Column::KeyHash, hashes))
        .filter(api_key::Column::RevokedAt.is_null())
        .find_also_related(organization::Entity)
        .find_also(api_key::Entity, user::Entity)
        .all(db)
        .await?;
    let is_stale =
        |key: &&api_key::Model| key.last_used_at.is_none_or(|at| now - at >= LAST_USED_STEP);
    let stale = keys.iter().map(|(key, ..)| key).filter(is_stale).map(|key| key.id).collect();
    let callers =
        keys.into_iter().map(|(key, at, of)| (key.key_hash.clone(), of_key(&key, at, of)));
    Ok(Found { stale, callers: callers.collect() })
}

fn of_key(
    key: &api_key::Model,
    organization: Option<organization::Model>,
    user: Option<user::Model>,
) -> Result<Caller> {
    if organization.is_none() && key.organization_id.is_some() {
        return Err(convert::inconsistent("api_key", "organization_id"));
    }
    if user.is_none() && key.user_id.is_some() {
        return Err(convert::inconsistent("api_key", "user_id"));
    }
    let user = user.map(UserRef::from);
    Ok(Caller {
        actor: Actor::Key {
            key: ApiKeyId::from_uuid(key.id),
            user: user.as_ref().map(|user| user.id),
        },
        role: KeyRole::parse(&key.role).ok_or(convert::inconsistent("api_key", "role"))?,
        organization: organization.map(OrganizationRef::new).transpose()?,
        user,
    })
}

/// The organization's row, by either name.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    key: OrganizationKey,
) -> Result<Option<organization::Model>> {
    let query = organization::Entity::find();
    let query = match key {
        OrganizationKey::Id(id) => query.filter(organization::Column::Id.eq(id.uuid())),
        OrganizationKey::Number(number) => query.filter(organization::Column::Number.eq(number)),
    };
    Ok(query.one(db).await?)
}

/// The active member that a subject names by UUID or number.
async fn active_member(
    db: &impl ConnectionTrait,
    organization: Uuid,
    subject: &str,
) -> Result<Option<user::Model>> {
    let query = user::Entity::find();
    let query = match (subject.parse::<Uuid>(), subject.parse::<i64>()) {
        (Ok(id), _) => query.filter(user::Column::Id.eq(id)),
        (_, Ok(number)) => query.filter(user::Column::Number.eq(number)),
        _ => return Ok(None),
    };
    let Some(user) = query.one(db).await? else { return Ok(None) };
    let place = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization))
        .filter(membership::Column::UserId.eq(user.id))
        .filter(membership::Column::Status.eq(MembershipStatus::Active.as_str()))
        .one(db)
        .await?;
    Ok(place.map(|_| user))
}

impl OrganizationRef {
    pub(super) fn new(row: organization::Model) -> Result<Self> {
        Ok(Self {
            id: OrganizationId::from_uuid(row.id),
            number: row.number,
            roles: role_policy(&row)?,
            policy: policy::of(&row)?,
            name: row.name,
        })
    }
}

/// Which roles an organization gives.
pub(super) fn role_policy(row: &organization::Model) -> Result<RolePolicy> {
    let parse = |name: &str, column| {
        MembershipRole::parse(name).map_err(|_| convert::inconsistent("organization", column))
    };
    let allowed = match &row.roles {
        None => None,
        Some(names) => {
            let names = names.as_array().ok_or(convert::inconsistent("organization", "roles"))?;
            let names = names.iter().map(|name| parse(name.as_str().unwrap_or_default(), "roles"));
            Some(names.collect::<Result<_>>()?)
        }
    };
    Ok(RolePolicy { default: parse(&row.default_role, "default_role")?, allowed })
}

impl From<user::Model> for UserRef {
    fn from(row: user::Model) -> Self {
        Self { id: UserId::from_uuid(row.id), number: row.number, email: row.email }
    }
}
