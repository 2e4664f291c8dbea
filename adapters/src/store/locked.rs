//! Deliveries with their invitations, locked in the one order that all changes keep: invitations
//! before deliveries, each by their ids. So no two transactions can lock each other out.

use std::collections::HashMap;

use entity::{delivery, invitation};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockBehavior, LockType, Query};
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::together::Locking;
use super::{Result, bulk};

/// What a transaction has locked until its end.
pub(super) struct Locked {
    invitations: HashMap<Uuid, invitation::Model>,
    deliveries: HashMap<Uuid, delivery::Model>,
}

/// Locks the deliveries that there are, and their invitations.
pub(super) async fn lock(
    tx: &DatabaseTransaction,
    deliveries: Vec<Uuid>,
    locking: Locking,
) -> Result<Locked> {
    let theirs = Query::select()
        .column(delivery::Column::InvitationId)
        .from(delivery::Entity)
        .and_where(bulk::is_any(tx, delivery::Column::Id, deliveries.clone()))
        .to_owned();
    // No locks on SQLite, where the transaction is the only writer already.
    let invitations = invitation::Entity::find()
        .filter(bulk::is_any_of(tx, invitation::Column::Id, theirs))
        .order_by_asc(invitation::Column::Id);
    let invitations = locking.lock(invitations).all(tx).await?;
    let reached = invitations.iter().map(|row| row.id).collect();
    let deliveries = delivery::Entity::find()
        .filter(bulk::is_any(tx, delivery::Column::Id, deliveries))
        .filter(bulk::is_any(tx, delivery::Column::InvitationId, reached))
        .order_by_asc(delivery::Column::Id);
    let deliveries = locking.lock(deliveries).all(tx).await?;
    Ok(Locked {
        invitations: invitations.into_iter().map(|row| (row.id, row)).collect(),
        deliveries: deliveries.into_iter().map(|row| (row.id, row)).collect(),
    })
}

impl Locked {
    /// A delivery and its invitation, if both are locked.
    pub(super) fn get(&self, delivery: Uuid) -> Option<(&delivery::Model, &invitation::Model)> {
        let delivery = self.deliveries.get(&delivery)?;
        Some((delivery, self.invitations.get(&delivery.invitation_id)?))
    }

    /// The invitations, in no order.
    pub(super) fn invitations(&self) -> impl Iterator<Item = &invitation::Model> {
        self.invitations.values()
    }
}

impl Locking {
    fn lock<Q: QuerySelect>(self, query: Q) -> Q {
        match self {
            Self::Skip => query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
            Self::Wait => query.lock(LockType::Update),
        }
    }
}
