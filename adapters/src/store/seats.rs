//! The seats of an organization that has a limit of them: counted under a lock, so that no two
//! transactions give the last one away.

use domain::{InvitationStatus, MembershipStatus, OrganizationId, Timestamp};
use entity::{invitation, membership, organization};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect,
};

use super::invite::Inviting;
use super::{Result, policy};

/// How many seats this transaction may still take.
pub(super) struct Seats(Option<i64>);

impl Seats {
    /// Counts what is left, and keeps others from taking any until the transaction ends. To be called
    /// before it locks anything else. Asks nothing where there is no limit.
    pub(super) async fn lock(
        tx: &DatabaseTransaction,
        now: Timestamp,
        inviting: &Inviting,
    ) -> Result<Self> {
        let limited = inviting.rules.as_ref().is_some_and(|rules| rules.seat_limit.is_some());
        if !limited {
            return Ok(Self(None));
        }
        let id = inviting.organization;
        let mut query = organization::Entity::find().filter(organization::Column::Id.eq(id.uuid()));
        // On SQLite the transaction is the only writer already. Rows that refer to the organization can
        // be written meanwhile.
        if tx.get_database_backend() == DbBackend::Postgres {
            query = query.lock(LockType::NoKeyUpdate);
        }
        // Read again under the lock: the limit may be another one by now.
        let row = query.one(tx).await?;
        let rules = row.as_ref().map(policy::of).transpose()?.flatten();
        let Some(most) = rules.and_then(|rules| rules.seat_limit) else { return Ok(Self(None)) };
        let taken = taken(tx, now, id).await?;
        Ok(Self(Some(i64::from(most) - i64::try_from(taken).unwrap_or(i64::MAX))))
    }

    /// How many there are; `None` if there is no limit.
    pub(super) fn left(&self) -> Option<usize> {
        self.0.map(|left| usize::try_from(left).unwrap_or_default())
    }

    /// Whether there is one, once `more` have become free.
    pub(super) fn has_room(&self, more: i64) -> bool {
        self.0.is_none_or(|left| left + more > 0)
    }

    /// Takes some, which there are, or, below zero, gives them back.
    pub(super) fn take(&mut self, count: i64) {
        self.0 = self.0.map(|left| left - count);
    }
}

/// Members and pending invitations. Whoever accepts meanwhile is counted twice rather than never: they
/// are looked for where they were first.
async fn taken(tx: &DatabaseTransaction, now: Timestamp, id: OrganizationId) -> Result<u64> {
    let pending = invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(id.uuid()))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .filter(invitation::Column::ExpiresAt.gt(now))
        .count(tx)
        .await?;
    let members = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(id.uuid()))
        .filter(membership::Column::Status.eq(MembershipStatus::Active.as_str()))
        .count(tx)
        .await?;
    Ok(pending + members)
}
