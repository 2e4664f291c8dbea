//! The person behind an invitation, and their place in the organization.

use domain::{MembershipId, MembershipRole, OrganizationId, Timestamp, UserId};
use entity::{membership, user};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, NotSet,
    QueryFilter, Set,
};

use super::create::NewInvitation;
use super::{Result, StoreError, insert_if_new};
use crate::rng;

pub(super) const ACTIVE: &str = "active";
const INVITED: &str = "invited";

/// The user with that address; one who waits for an answer is added if there is none.
pub(super) async fn find_or_add_user(
    tx: &DatabaseTransaction,
    now: Timestamp,
    new: &NewInvitation,
) -> Result<UserId> {
    let row = user::ActiveModel {
        number: NotSet,
        id: Set(UserId::new(now, &mut rng()).uuid()),
        email: Set(new.email.as_given().to_owned()),
        email_normalized: Set(new.email.normalized()),
        first_name: Set(new.first_name.as_ref().map(|name| name.as_str().to_owned())),
        last_name: Set(new.last_name.as_ref().map(|name| name.as_str().to_owned())),
        status: Set(INVITED.to_owned()),
        password_hash: Set(None),
        must_change_password: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
    };
    insert_if_new(tx, row).await?;
    let user = user::Entity::find()
        .filter(user::Column::EmailNormalized.eq(new.email.normalized()))
        .one(tx)
        .await?;
    user.map(|row| UserId::from_uuid(row.id)).ok_or(StoreError::Busy)
}

/// Makes sure there is a membership that waits for its invitee; `None` if it is active already.
pub(super) async fn invite(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    user: UserId,
    role: &MembershipRole,
) -> Result<Option<MembershipId>> {
    let id = MembershipId::new(now, &mut rng());
    let row = membership::ActiveModel {
        number: NotSet,
        id: Set(id.uuid()),
        organization_id: Set(organization.uuid()),
        user_id: Set(user.uuid()),
        role: Set(role.as_str().to_owned()),
        status: Set(INVITED.to_owned()),
        deleted_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    if insert_if_new(tx, row).await? {
        return Ok(Some(id));
    }
    let found = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization.uuid()))
        .filter(membership::Column::UserId.eq(user.uuid()))
        .one(tx)
        .await?
        .ok_or(StoreError::Busy)?;
    if found.status == ACTIVE {
        return Ok(None);
    }
    let id = MembershipId::from_uuid(found.id);
    let mut again = found.into_active_model();
    again.role = Set(role.as_str().to_owned());
    again.status = Set(INVITED.to_owned());
    again.deleted_at = Set(None);
    again.updated_at = Set(now);
    again.update(tx).await?;
    Ok(Some(id))
}
