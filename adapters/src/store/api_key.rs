//! API keys: making, listing and revoking them.

use domain::{ApiKeyId, KeyRole, OrganizationId, SecretHash, Timestamp, UserId};
use entity::api_key;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Result, Store, Verdict, convert};
use crate::rng;

/// A key to be made; the key itself never gets here.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Where it is valid; `None` for every organization of the instance.
    pub organization: Option<OrganizationId>,
    /// Whose it is, if anybody's.
    pub user: Option<UserId>,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// What it is recognized by.
    pub hash: SecretHash,
    /// Its first characters, so that people can tell their keys apart.
    pub hint: String,
}

impl NewApiKey {
    /// A key that is good for every organization, and belongs to nobody.
    pub const fn for_instance(name: String, hash: SecretHash, hint: String) -> Self {
        Self { organization: None, user: None, name, role: KeyRole::Admin, hash, hint }
    }
}

/// A key as its organization sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Names the key; it is not the key itself.
    #[schema(value_type = Uuid, example = "01937a5d-0c44-7f0a-b7d2-95c1e3a86b04")]
    pub id: ApiKeyId,
    /// Where it is valid; null for every organization of the instance.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub organization_id: Option<OrganizationId>,
    /// Whose key it is, if anybody's.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    pub user_id: Option<UserId>,
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

impl Store {
    /// Records a new key.
    pub async fn create_api_key(&self, new: NewApiKey) -> Result<ApiKeyView> {
        self.write(move |tx, now| {
            Box::pin(async move { Ok(Verdict::Commit(add(tx, now, new).await?)) })
        })
        .await
    }

    /// All keys of an organization, newest first, the revoked ones too. Without an organization, all
    /// keys of the instance.
    pub async fn api_keys(&self, organization: Option<OrganizationId>) -> Result<Vec<ApiKeyView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let mut query = api_key::Entity::find().order_by_desc(api_key::Column::Id);
                if let Some(organization) = organization {
                    query = query.filter(api_key::Column::OrganizationId.eq(organization.uuid()));
                }
                query.all(db).await?.into_iter().map(ApiKeyView::new).collect()
            })
        })
        .await
    }

    /// Makes a key worthless; `false` if the organization has no such key. Doing it twice is fine.
    /// Without an organization, any key of the instance.
    pub async fn revoke_api_key(
        &self,
        organization: Option<OrganizationId>,
        id: ApiKeyId,
    ) -> Result<bool> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let mut query = api_key::Entity::find_by_id(id.uuid());
                if let Some(organization) = organization {
                    query = query.filter(api_key::Column::OrganizationId.eq(organization.uuid()));
                }
                let Some(row) = query.one(tx).await? else { return Ok(Verdict::RollBack(false)) };
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
}

/// Inserts a key.
pub(super) async fn add(
    tx: &impl ConnectionTrait,
    now: Timestamp,
    new: NewApiKey,
) -> Result<ApiKeyView> {
    let row = api_key::Model {
        id: ApiKeyId::new(now, &mut rng()).uuid(),
        organization_id: new.organization.map(OrganizationId::uuid),
        user_id: new.user.map(UserId::uuid),
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
            organization_id: row.organization_id.map(OrganizationId::from_uuid),
            user_id: row.user_id.map(UserId::from_uuid),
            role: KeyRole::parse(&row.role).ok_or(convert::inconsistent("api_key", "role"))?,
            name: row.name,
            hint: row.hint,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}
