//! The members of an organization, those who are still invited included.

use domain::{
    EventKind, InvitationId, MembershipId, MembershipStatus, OrganizationId, Position, Timestamp,
    UserId,
};
use entity::{invitation, membership, user};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::Entry;
use super::{Actor, Result, Store, Verdict, announce, convert, read};

/// A member as its organization sees it.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberView {
    /// Names the person's place in this organization.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c4f-8b7d-2f1d6a9e0c53")]
    pub id: MembershipId,
    /// Names it too, for systems that want an integer.
    #[schema(minimum = 1, example = 7)]
    pub number: i64,
    /// Names the person, across organizations.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    pub user_id: UserId,
    /// Names the person too, for systems that want an integer.
    #[schema(minimum = 1, example = 7)]
    pub user_number: i64,
    /// What comes before the `@`, made different from all others.
    #[schema(example = "ann")]
    pub username: String,
    /// The person's address.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// What the person is in the organization.
    #[schema(example = "editor")]
    pub role: String,
    /// Whether the person has joined, and is still there.
    pub status: MembershipStatus,
    /// What the inviter said beside the role.
    #[serde(flatten)]
    pub position: Position,
    /// When the person was first invited.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub created_at: Timestamp,
    /// When the membership last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub updated_at: Timestamp,
    /// When the person was removed; null for anybody else.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub deleted_at: Option<Timestamp>,
}

/// How a removal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveOutcome {
    /// Gone; doing it twice is fine.
    Removed,
    /// The organization has no such member.
    NotFound,
    /// Only invited so far: revoke the invitation instead.
    OnlyInvited,
}

impl Store {
    /// Up to `limit` members, oldest first, beginning after the membership number `after`.
    pub async fn members(
        &self,
        organization: OrganizationId,
        after: i64,
        limit: u64,
    ) -> Result<Vec<MemberView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let rows = membership::Entity::find()
                    .filter(read::just(membership::Column::OrganizationId, organization.uuid()))
                    .filter(membership::Column::Number.gt(after))
                    .order_by_asc(membership::Column::OrganizationId)
                    .order_by_asc(membership::Column::Number)
                    .limit(limit)
                    .all(db)
                    .await?;
                with_users(db, rows).await
            })
        })
        .await
    }

    /// The member whom an invitation of the organization is for.
    pub async fn invited_member(
        &self,
        organization: OrganizationId,
        invitation: InvitationId,
    ) -> Result<Option<MemberView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let invitation = invitation::Entity::find_by_id(invitation.uuid())
                    .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
                    .one(db)
                    .await?;
                let Some(invitation) = invitation else { return Ok(None) };
                let row = membership::Entity::find()
                    .filter(membership::Column::Id.eq(invitation.membership_id))
                    .one(db)
                    .await?;
                Ok(with_users(db, row.into_iter().collect()).await?.pop())
            })
        })
        .await
    }

    /// The active member with that user number.
    pub async fn active_member(
        &self,
        organization: OrganizationId,
        user_number: i64,
    ) -> Result<Option<MemberView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let user = user::Entity::find()
                    .filter(user::Column::Number.eq(user_number))
                    .one(db)
                    .await?;
                let Some(user) = user else { return Ok(None) };
                let row = place(db, organization, user.id).await?;
                let active = row.filter(|row| row.status == MembershipStatus::Active.as_str());
                Ok(with_users(db, active.into_iter().collect()).await?.pop())
            })
        })
        .await
    }

    /// Ends a membership; its row stays, so that a later invitation revives it.
    pub async fn remove_member(
        &self,
        organization: OrganizationId,
        actor: Actor,
        user: UserId,
    ) -> Result<RemoveOutcome> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(row) = place(tx, organization, user.uuid()).await? else {
                    return Ok(Verdict::RollBack(RemoveOutcome::NotFound));
                };
                match status(&row)? {
                    MembershipStatus::Removed => Ok(Verdict::RollBack(RemoveOutcome::Removed)),
                    MembershipStatus::Active => {
                        remove(tx, now, &row).await?;
                        record(tx, now, &row, &actor).await?;
                        Ok(Verdict::Commit(RemoveOutcome::Removed))
                    }
                    MembershipStatus::Invited => Ok(Verdict::RollBack(RemoveOutcome::OnlyInvited)),
                }
            })
        })
        .await
    }
}

fn status(row: &membership::Model) -> Result<MembershipStatus> {
    MembershipStatus::parse(&row.status).ok_or(convert::inconsistent("membership", "status"))
}

/// What the product calls the member's place.
pub(super) fn position(row: &membership::Model) -> Result<Position> {
    let permissions = row.permissions.clone().map(serde_json::from_value).transpose();
    Ok(Position {
        job_title: row.job_title.clone(),
        department: row.department.clone(),
        access_level: row.access_level.clone(),
        auto_assign_default_workdays: row.auto_assign_default_workdays,
        scope: row.scope,
        permissions: permissions.map_err(|_| convert::inconsistent("membership", "permissions"))?,
        profession_id: row.profession_id,
    })
}

async fn place(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    user: Uuid,
) -> Result<Option<membership::Model>> {
    Ok(membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization.uuid()))
        .filter(membership::Column::UserId.eq(user))
        .one(db)
        .await?)
}

async fn remove(tx: &DatabaseTransaction, now: Timestamp, row: &membership::Model) -> Result<()> {
    let removed = membership::ActiveModel {
        status: Set(MembershipStatus::Removed.as_str().to_owned()),
        deleted_at: Set(Some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    membership::Entity::update_many()
        .set(removed)
        .filter(membership::Column::Id.eq(row.id))
        .filter(membership::Column::Status.eq(MembershipStatus::Active.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    row: &membership::Model,
    actor: &Actor,
) -> Result<()> {
    let data = serde_json::json!({ "user_id": row.user_id });
    let (organization, kind) = (row.organization_id, EventKind::MemberRemoved);
    let entry = Entry::of_organization(now, organization, kind, actor.written(), data);
    announce::record(tx, now, vec![entry]).await
}

async fn with_users(
    db: &impl ConnectionTrait,
    rows: Vec<membership::Model>,
) -> Result<Vec<MemberView>> {
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)))
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let user = users.iter().find(|user| user.id == row.user_id);
            MemberView::new(row, user.ok_or(convert::inconsistent("membership", "user_id"))?)
        })
        .collect()
}

impl MemberView {
    fn new(row: membership::Model, user: &user::Model) -> Result<Self> {
        let (status, position) = (status(&row)?, position(&row)?);
        Ok(Self {
            id: MembershipId::from_uuid(row.id),
            number: row.number,
            user_id: UserId::from_uuid(user.id),
            user_number: user.number,
            // Those who were here before there were user names go by their number.
            username: user.username.clone().unwrap_or_else(|| format!("user-{}", user.number)),
            email: user.email.clone(),
            role: row.role,
            status,
            position,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        })
    }
}
