//! What a person is invited to, whoever invites.

use std::collections::HashMap;

use domain::{InvitationId, InvitationStatus, Timestamp, UserId};
use entity::{invitation, organization, user};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::full_name;
use super::{OrganizationRef, Result, Store, convert, read};

/// An invitation as its invitee sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnInvitation {
    /// Names the invitation.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    pub id: InvitationId,
    /// The organization that invites.
    pub organization: OrganizationRef,
    /// The name of the person who invites, if it is known.
    #[schema(example = "Ada Lovelace")]
    pub inviter: Option<String>,
    /// The role that the invitee gets.
    #[schema(example = "editor")]
    pub role: String,
    /// When the invitation was made.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.113402Z")]
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    #[schema(value_type = DateTime<Utc>, example = "2026-12-01T09:30:00.113402Z")]
    pub expires_at: Timestamp,
}

impl Store {
    /// The person's open invitations of all organizations, newest first: at most `limit`, and only
    /// those older than `before`. One whose mail waits for its moment is not there yet.
    pub async fn invitations_of(
        &self,
        person: UserId,
        before: Option<InvitationId>,
        limit: u64,
    ) -> Result<Vec<OwnInvitation>> {
        let now = self.clock.now();
        self.snapshot(move |db| {
            Box::pin(async move {
                let person =
                    user::Entity::find().filter(user::Column::Id.eq(person.uuid())).one(db).await?;
                let Some(person) = person else { return Ok(Vec::new()) };
                let mut query = invitation::Entity::find()
                    // There is an index of addresses; a person has one.
                    .filter(invitation::Column::EmailNormalized.eq(person.email_normalized))
                    .filter(invitation::Column::UserId.eq(person.id))
                    .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
                    .filter(invitation::Column::ExpiresAt.gt(now))
                    .filter(Expr::exists(read::scheduled()).not())
                    .order_by_desc(invitation::Column::Id)
                    .limit(limit);
                if let Some(before) = before {
                    query = query.filter(invitation::Column::Id.lt(before.uuid()));
                }
                let rows = query.all(db).await?;
                let organizations = organization::Entity::find()
                    .filter(
                        organization::Column::Id.is_in(rows.iter().map(|row| row.organization_id)),
                    )
                    .all(db)
                    .await?;
                let inviters = user::Entity::find()
                    .filter(user::Column::Id.is_in(rows.iter().filter_map(|row| row.inviter_id)))
                    .all(db)
                    .await?;
                views(rows, organizations, inviters)
            })
        })
        .await
    }
}

fn views(
    rows: Vec<invitation::Model>,
    organizations: Vec<organization::Model>,
    inviters: Vec<user::Model>,
) -> Result<Vec<OwnInvitation>> {
    let organizations: HashMap<Uuid, _> =
        organizations.into_iter().map(|row| (row.id, row)).collect();
    let inviters: HashMap<Uuid, _> = inviters.into_iter().map(|row| (row.id, row)).collect();
    let view = |row: invitation::Model| {
        let organization = organizations.get(&row.organization_id).cloned();
        let organization =
            organization.ok_or(convert::inconsistent("invitation", "organization_id"));
        let inviter = row.inviter_id.and_then(|id| inviters.get(&id)).cloned();
        Ok(OwnInvitation {
            id: InvitationId::from_uuid(row.id),
            organization: OrganizationRef::new(organization?)?,
            inviter: inviter.as_ref().and_then(full_name),
            role: row.role,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    };
    rows.into_iter().map(view).collect()
}
