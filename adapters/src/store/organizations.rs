//! The organizations of an instance: making, finding, changing and listing them.

use domain::{EventKind, MembershipRole, Name, OrganizationId, RolePolicy, Timestamp, secret};
use entity::organization;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{self, OrganizationKey, OrganizationRef};
use super::{Actor, Result, Store, StoreError, Verdict, insert_if_new, limit};
use crate::rng;

const SLUG_SUFFIX: usize = 5;

/// An organization as its admins see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Organization)]
pub struct OrganizationView {
    /// Names the organization.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub id: OrganizationId,
    /// Names it too, for systems that want an integer.
    #[schema(minimum = 1, example = 2)]
    pub number: i64,
    /// As people see it.
    #[schema(example = "Initech")]
    pub name: String,
    /// For addresses.
    #[schema(example = "initech")]
    pub slug: String,
    /// Whoever is invited without a role gets this one.
    #[schema(example = "member")]
    pub default_role: String,
    /// The only roles there are; null if any will do.
    #[schema(example = json!(["member", "editor", "owner"]))]
    pub roles: Option<Vec<String>>,
    /// Whether an operator vouches for it: then it is not new, and never paused.
    #[schema(example = false)]
    pub trusted: bool,
    /// Since when it may send no mail, because too few of its invitations were accepted.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub sending_paused_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub updated_at: Timestamp,
}

/// An organization to be made.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// What people call it.
    pub name: Name,
    /// What addresses call it; made from the name if there is none.
    pub slug: Option<String>,
    /// Its roles.
    pub roles: RolePolicy,
    /// Whether an operator vouches for it from the start.
    pub trusted: bool,
}

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct OrganizationChange {
    /// What people call it.
    pub name: Option<Name>,
    /// Whoever is invited without a role gets this one.
    pub default_role: Option<MembershipRole>,
    /// The roles there are.
    pub roles: RolesChange,
    /// Whether an operator vouches for it; doing so lets it send again.
    pub trusted: Option<bool>,
}

/// What to change about the list of roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RolesChange {
    /// Nothing.
    #[default]
    Keep,
    /// From now on any role will do.
    Any,
    /// From now on only these.
    Only(Vec<MembershipRole>),
}

/// How a change ended.
#[derive(Debug)]
pub enum OrganizationOutcome {
    /// This is how it stands now.
    Done(Box<OrganizationView>),
    /// There is none of that id.
    NotFound,
    /// Another one has that slug.
    SlugTaken,
    /// The default role would be none of the roles.
    DefaultRoleMissing,
}

impl Store {
    /// Makes an organization.
    pub async fn create_organization(&self, new: NewOrganization) -> Result<OrganizationOutcome> {
        self.write(move |tx, now| Box::pin(async move { create(tx, now, new).await })).await
    }

    /// Changes an organization.
    pub async fn change_organization(
        &self,
        id: OrganizationId,
        actor: Actor,
        change: OrganizationChange,
    ) -> Result<OrganizationOutcome> {
        self.write(move |tx, now| Box::pin(async move { apply(tx, now, id, &actor, change).await }))
            .await
    }

    /// One organization.
    pub async fn organization(&self, id: OrganizationId) -> Result<Option<OrganizationView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let row = caller::find(db, OrganizationKey::Id(id)).await?;
                row.map(OrganizationView::new).transpose()
            })
        })
        .await
    }

    /// One organization, in short.
    pub async fn organization_ref(&self, key: OrganizationKey) -> Result<Option<OrganizationRef>> {
        self.read(move |db, _| {
            Box::pin(
                async move { caller::find(db, key).await?.map(OrganizationRef::new).transpose() },
            )
        })
        .await
    }

    /// Up to `limit` organizations, oldest first, beginning after the number `after`.
    pub async fn organizations(&self, after: i64, limit: u64) -> Result<Vec<OrganizationView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let rows = organization::Entity::find()
                    .filter(organization::Column::Number.gt(after))
                    .order_by_asc(organization::Column::Number)
                    .limit(limit)
                    .all(db)
                    .await?;
                rows.into_iter().map(OrganizationView::new).collect()
            })
        })
        .await
    }
}

async fn create(
    tx: &DatabaseTransaction,
    now: Timestamp,
    new: NewOrganization,
) -> Result<Verdict<OrganizationOutcome>> {
    if !has_default(&new.roles) {
        return Ok(Verdict::RollBack(OrganizationOutcome::DefaultRoleMissing));
    }
    let id = OrganizationId::new(now, &mut rng());
    let given = new.slug.is_some();
    let wanted = new.slug.clone().unwrap_or_else(|| slug(new.name.as_str()));
    if insert(tx, now, id, &new, wanted.clone()).await? {
        return Ok(Verdict::Commit(OrganizationOutcome::Done(view(tx, id).await?)));
    }
    // Two may have one name: a slug that nobody chose gives way.
    let random = secret::random_text(&mut rng());
    let other = format!("{wanted}-{}", random[..SLUG_SUFFIX].to_ascii_lowercase());
    if !given && insert(tx, now, id, &new, other).await? {
        return Ok(Verdict::Commit(OrganizationOutcome::Done(view(tx, id).await?)));
    }
    Ok(Verdict::RollBack(OrganizationOutcome::SlugTaken))
}

async fn insert(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: OrganizationId,
    new: &NewOrganization,
    slug: String,
) -> Result<bool> {
    let row = organization::ActiveModel {
        number: NotSet,
        id: Set(id.uuid()),
        name: Set(new.name.as_str().to_owned()),
        slug: Set(slug),
        default_role: Set(new.roles.default.as_str().to_owned()),
        roles: Set(new.roles.allowed.as_deref().map(names)),
        policy: Set(None),
        trusted: Set(new.trusted),
        sending_paused_at: Set(None),
        templates: Set(None),
        branding: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    insert_if_new(tx, row).await
}

async fn apply(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: OrganizationId,
    actor: &Actor,
    change: OrganizationChange,
) -> Result<Verdict<OrganizationOutcome>> {
    let Some(row) = caller::find(tx, OrganizationKey::Id(id)).await? else {
        return Ok(Verdict::RollBack(OrganizationOutcome::NotFound));
    };
    let mut roles = caller::role_policy(&row)?;
    roles.default = change.default_role.unwrap_or(roles.default);
    match change.roles {
        RolesChange::Keep => {}
        RolesChange::Any => roles.allowed = None,
        RolesChange::Only(allowed) => roles.allowed = Some(allowed),
    }
    if !has_default(&roles) {
        return Ok(Verdict::RollBack(OrganizationOutcome::DefaultRoleMissing));
    }
    let trusted = change.trusted.unwrap_or(row.trusted);
    let changed = organization::ActiveModel {
        name: Set(change.name.map_or(row.name, |name| name.as_str().to_owned())),
        default_role: Set(roles.default.as_str().to_owned()),
        roles: Set(roles.allowed.as_deref().map(names)),
        trusted: Set(trusted),
        sending_paused_at: Set(row.sending_paused_at.filter(|_| !trusted)),
        updated_at: Set(now),
        ..Default::default()
    };
    if trusted != row.trusted {
        let kind =
            if trusted { EventKind::OrganizationTrusted } else { EventKind::OrganizationUntrusted };
        limit::record_standing(tx, now, id, kind, actor.written()).await?;
    }
    organization::Entity::update_many()
        .set(changed)
        .filter(organization::Column::Id.eq(id.uuid()))
        .exec(tx)
        .await?;
    Ok(Verdict::Commit(OrganizationOutcome::Done(view(tx, id).await?)))
}

async fn view(tx: &impl ConnectionTrait, id: OrganizationId) -> Result<Box<OrganizationView>> {
    let row = caller::find(tx, OrganizationKey::Id(id)).await?.ok_or(StoreError::Busy)?;
    Ok(Box::new(OrganizationView::new(row)?))
}

fn has_default(roles: &RolePolicy) -> bool {
    roles.allowed.as_ref().is_none_or(|allowed| allowed.contains(&roles.default))
}

fn names(roles: &[MembershipRole]) -> serde_json::Value {
    roles.iter().map(MembershipRole::as_str).collect()
}

/// The name in lower-case letters, digits and dashes, for addresses.
pub(super) fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "organization".to_owned() } else { slug }
}

impl OrganizationView {
    fn new(row: organization::Model) -> Result<Self> {
        let roles = caller::role_policy(&row)?;
        let allowed = roles
            .allowed
            .map(|allowed| allowed.iter().map(|role| role.as_str().to_owned()).collect::<Vec<_>>());
        Ok(Self {
            id: OrganizationId::from_uuid(row.id),
            number: row.number,
            name: row.name,
            slug: row.slug,
            default_role: roles.default.as_str().to_owned(),
            roles: allowed,
            trusted: row.trusted,
            sending_paused_at: row.sending_paused_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
