//! API keys: who calls, for which organization, and what they may do.

use domain::{ApiKeyId, KeyRole, OrganizationId, SecretHash, Timestamp, UserId};
use entity::{api_key, organization, user};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Result, Store, Verdict, convert};
use crate::rng;

/// Who is behind an API key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: ApiKeyId,
    /// What it may do.
    pub role: KeyRole,
    /// Where.
    pub organization: OrganizationRef,
    /// Whose it is.
    pub user: UserRef,
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

impl std::fmt::Debug for UserRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address stays out of logs.
        write!(f, "UserRef({})", self.id)
    }
}

/// A key to be made; the key itself never gets here.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Where it is valid.
    pub organization: OrganizationId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// What it is recognized by.
    pub hash: SecretHash,
    /// Its first characters, so that people can tell their keys apart.
    pub hint: String,
}

/// A key as its organization sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Names the key; it is not the key itself.
    #[schema(value_type = Uuid, example = "01937a5d-0c44-7f0a-b7d2-95c1e3a86b04")]
    pub id: ApiKeyId,
    /// Whose key it is.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    pub user_id: UserId,
    /// What its owner calls it.
    #[schema(example = "CI")]
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// The start of the key, to tell it from others.
    #[schema(example = "wlc_7k2m…")]
    pub hint: String,
    /// When the key was made.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub created_at: Timestamp,
    /// When it was last used, within a minute; null if never.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked; null while it is good.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub revoked_at: Option<Timestamp>,
}

// `last_used_at` is for people: writing it once a minute spares a write for every request.
const LAST_USED_STEP: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

impl Store {
    /// Finds out who calls; `None` for an unknown or revoked key.
    pub async fn authenticate(&self, hash: SecretHash) -> Result<Option<Caller>> {
        let found = self
            .read(move |db, now| {
                Box::pin(async move {
                    let Some(key) = api_key::Entity::find()
                        .filter(api_key::Column::KeyHash.eq(hash.to_vec()))
                        .filter(api_key::Column::RevokedAt.is_null())
                        .one(db)
                        .await?
                    else {
                        return Ok(None);
                    };
                    let stale = key.last_used_at.is_none_or(|at| now - at >= LAST_USED_STEP);
                    Ok(Some((caller(db, &key).await?, stale)))
                })
            })
            .await?;
        let Some((caller, stale)) = found else { return Ok(None) };
        if stale {
            self.touch_api_key(caller.key).await?;
        }
        Ok(Some(caller))
    }

    /// Records a new key.
    pub async fn create_api_key(&self, new: NewApiKey) -> Result<ApiKeyView> {
        self.write(move |tx, now| {
            Box::pin(async move { Ok(Verdict::Commit(add(tx, now, new).await?)) })
        })
        .await
    }

    /// All keys of an organization, newest first, the revoked ones too.
    pub async fn api_keys(&self, organization: OrganizationId) -> Result<Vec<ApiKeyView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let rows = api_key::Entity::find()
                    .filter(api_key::Column::OrganizationId.eq(organization.uuid()))
                    .order_by_desc(api_key::Column::Id)
                    .all(db)
                    .await?;
                rows.into_iter().map(ApiKeyView::new).collect()
            })
        })
        .await
    }

    /// Makes a key worthless; `false` if the organization has no such key. Doing it twice is fine.
    pub async fn revoke_api_key(&self, organization: OrganizationId, id: ApiKeyId) -> Result<bool> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let found = api_key::Entity::find_by_id(id.uuid())
                    .filter(api_key::Column::OrganizationId.eq(organization.uuid()))
                    .one(tx)
                    .await?;
                let Some(row) = found else { return Ok(Verdict::RollBack(false)) };
                if row.revoked_at.is_none() {
                    let revoked =
                        api_key::ActiveModel { revoked_at: Set(Some(now)), ..Default::default() };
                    api_key::Entity::update_many()
                        .set(revoked)
                        .filter(api_key::Column::Id.eq(row.id))
                        .exec(tx)
                        .await?;
                }
                Ok(Verdict::Commit(true))
            })
        })
        .await
    }

    async fn touch_api_key(&self, id: ApiKeyId) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let used =
                    api_key::ActiveModel { last_used_at: Set(Some(now)), ..Default::default() };
                api_key::Entity::update_many()
                    .set(used)
                    .filter(api_key::Column::Id.eq(id.uuid()))
                    .exec(tx)
                    .await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}

/// Inserts a key.
pub(super) async fn add(
    tx: &impl ConnectionTrait,
    now: Timestamp,
    new: NewApiKey,
) -> Result<ApiKeyView> {
    let row = api_key::Model {
        id: ApiKeyId::new(now, &mut rng()).uuid(),
        organization_id: new.organization.uuid(),
        user_id: new.user.uuid(),
        name: new.name,
        role: new.role.as_str().to_owned(),
        key_hash: new.hash.to_vec(),
        hint: new.hint,
        created_at: now,
        last_used_at: None,
        revoked_at: None,
    };
    api_key::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    ApiKeyView::new(row)
}

impl ApiKeyView {
    fn new(row: api_key::Model) -> Result<Self> {
        Ok(Self {
            id: ApiKeyId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            role: KeyRole::parse(&row.role).ok_or(convert::inconsistent("api_key", "role"))?,
            name: row.name,
            hint: row.hint,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}

async fn caller(db: &impl ConnectionTrait, key: &api_key::Model) -> Result<Caller> {
    let organization = organization::Entity::find()
        .filter(organization::Column::Id.eq(key.organization_id))
        .one(db)
        .await?
        .ok_or(convert::inconsistent("api_key", "organization_id"))?;
    let user = user::Entity::find()
        .filter(user::Column::Id.eq(key.user_id))
        .one(db)
        .await?
        .ok_or(convert::inconsistent("api_key", "user_id"))?;
    Ok(Caller {
        key: ApiKeyId::from_uuid(key.id),
        role: KeyRole::parse(&key.role).ok_or(convert::inconsistent("api_key", "role"))?,
        organization: OrganizationRef {
            id: OrganizationId::from_uuid(organization.id),
            number: organization.number,
            name: organization.name,
        },
        user: UserRef { id: UserId::from_uuid(user.id), number: user.number, email: user.email },
    })
}
