//! Deliveries with their invitations, locked in the one order that all changes keep: invitations
//! before deliveries, each by their ids. So no two transactions can lock each other out.

use std::collections::HashMap;

use entity::{delivery, invitation};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockBehavior, LockType, SelectStatement};
use sea_orm::{
    DatabaseTransaction, EntityTrait, PartialModelTrait, QueryFilter, QueryOrder, QueryTrait,
    Select,
};

use super::together::Locking;
use super::{Result, bulk};

/// What a transaction has locked until its end.
#[derive(Default)]
pub(super) struct Locked(HashMap<Uuid, (delivery::Model, invitation::Model)>);

/// Locks the deliveries that there are, and their invitations.
pub(super) async fn lock(
    tx: &DatabaseTransaction,
    deliveries: Vec<Uuid>,
    locking: Locking,
) -> Result<Locked> {
    let mut query = of(tx, deliveries).select_also(invitation::Entity);
    locking.lock(&mut query);
    let mut locked = Locked::default();
    for (delivery, invitation) in query.all(tx).await? {
        locked.0.extend(invitation.map(|invitation| (delivery.id, (delivery, invitation))));
    }
    Ok(locked)
}

/// Locks them, and reads of them, and of what the query joins, no more than one wants to know.
pub(super) async fn lock_some<R: PartialModelTrait>(
    tx: &DatabaseTransaction,
    mut query: Select<delivery::Entity>,
    locking: Locking,
) -> Result<Vec<R>> {
    locking.lock(&mut query);
    Ok(query.into_partial_model().all(tx).await?)
}

/// The deliveries that there are, and their invitations.
pub(super) fn of(tx: &DatabaseTransaction, deliveries: Vec<Uuid>) -> Select<delivery::Entity> {
    delivery::Entity::find()
        .inner_join(invitation::Entity)
        .filter(bulk::is_any(tx, delivery::Column::Id, deliveries))
        .order_by_asc(invitation::Column::Id)
        .order_by_asc(delivery::Column::Id)
}

impl Locked {
    /// A delivery and its invitation, if both are locked.
    pub(super) fn get(&self, delivery: Uuid) -> Option<&(delivery::Model, invitation::Model)> {
        self.0.get(&delivery)
    }
}

impl Locking {
    /// Each row's invitation first. No locks on SQLite, where the transaction is the only writer
    /// already.
    fn lock(self, query: &mut impl QueryTrait<QueryStatement = SelectStatement>) {
        let tables = ["invitation", "delivery"];
        let query = query.query();
        match self {
            Self::Skip => {
                query.lock_with_tables_behavior(LockType::Update, tables, LockBehavior::SkipLocked)
            }
            Self::Wait => query.lock_with_tables(LockType::Update, tables),
        };
    }
}
