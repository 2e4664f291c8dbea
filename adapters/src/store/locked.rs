//! Deliveries with their invitations, locked in the one order that all changes keep: invitations
//! before deliveries, each by their ids. So no two transactions can lock each other out.

use std::collections::HashMap;

use entity::{delivery, invitation, organization, user};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockBehavior, LockType, SelectStatement};
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QueryTrait, SelectTwo};

use super::together::Locking;
use super::{Result, bulk};

/// What a transaction has locked until its end.
#[derive(Default)]
pub(super) struct Locked(HashMap<Uuid, (delivery::Model, invitation::Model)>);

/// Whom a mail is from.
pub(super) struct Sender {
    pub(super) organization: organization::Model,
    pub(super) inviter: Option<user::Model>,
}

/// Locks the deliveries that there are, and their invitations.
pub(super) async fn lock(
    tx: &DatabaseTransaction,
    deliveries: Vec<Uuid>,
    locking: Locking,
) -> Result<Locked> {
    let mut query = of(tx, deliveries);
    locking.lock(&mut query);
    let mut locked = Locked::default();
    for (delivery, invitation) in query.all(tx).await? {
        locked.0.extend(invitation.map(|invitation| (delivery.id, (delivery, invitation))));
    }
    Ok(locked)
}

/// The same, and reads whom their mails are from, by the deliveries.
pub(super) async fn lock_with_senders(
    tx: &DatabaseTransaction,
    deliveries: Vec<Uuid>,
    locking: Locking,
) -> Result<(Locked, HashMap<Uuid, Sender>)> {
    let mut query = of(tx, deliveries)
        .find_also(delivery::Entity, organization::Entity)
        .find_also(invitation::Entity, user::Entity);
    locking.lock(&mut query);
    let (mut locked, mut senders) = (Locked::default(), HashMap::new());
    for (delivery, invitation, organization, inviter) in query.all(tx).await? {
        let sender = organization.map(|organization| Sender { organization, inviter });
        senders.extend(sender.map(|sender| (delivery.id, sender)));
        locked.0.extend(invitation.map(|invitation| (delivery.id, (delivery, invitation))));
    }
    Ok((locked, senders))
}

fn of(
    tx: &DatabaseTransaction,
    deliveries: Vec<Uuid>,
) -> SelectTwo<delivery::Entity, invitation::Entity> {
    delivery::Entity::find()
        .inner_join(invitation::Entity)
        .filter(bulk::is_any(tx, delivery::Column::Id, deliveries))
        .order_by_asc(invitation::Column::Id)
        .order_by_asc(delivery::Column::Id)
        .select_also(invitation::Entity)
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
