//! What an invitation gives is looked at again when it is accepted: since it was made, its
//! organization may have dropped the role, and its inviter may have less than the invitation grants.

use domain::{OrganizationId, Permissions};
use entity::{invitation, membership};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter};

use super::caller::{self, OrganizationKey, role_policy};
use super::{Result, convert, members};

/// Whether the invitation could be made like that today.
pub(super) async fn is_given(tx: &DatabaseTransaction, row: &invitation::Model) -> Result<bool> {
    let id = OrganizationId::from_uuid(row.organization_id);
    let host = caller::find(tx, OrganizationKey::Id(id)).await?;
    let host = host.ok_or(convert::inconsistent("invitation", "organization_id"))?;
    let role = role_policy(&host)?.choose(Some(&row.role));
    Ok(role.is_ok() && inviter_has_it(tx, row).await?)
}

/// Whether the inviter has the permissions that are granted. Nothing is compared where none are
/// recorded; whoever has left since counts with those that they had last.
pub(super) async fn inviter_has_it(
    tx: &DatabaseTransaction,
    row: &invitation::Model,
) -> Result<bool> {
    let Some(inviter) = row.inviter_id else { return Ok(true) };
    let places = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(row.organization_id))
        .filter(
            Condition::any()
                .add(membership::Column::UserId.eq(row.user_id))
                .add(membership::Column::UserId.eq(inviter)),
        )
        .all(tx)
        .await?;
    let (wanted, own) = (permissions(&places, row.user_id)?, permissions(&places, inviter)?);
    Ok(wanted.zip(own).is_none_or(|(wanted, own)| own.cover(&wanted)))
}

fn permissions(places: &[membership::Model], user: Uuid) -> Result<Option<Permissions>> {
    let place = places.iter().find(|place| place.user_id == user);
    let position = place.map(members::position).transpose()?;
    Ok(position.and_then(|position| position.permissions))
}
