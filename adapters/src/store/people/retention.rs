//! What ended long ago is made anonymous, and then its history deleted: as the operator says, or never.

use std::time::Duration;

use domain::Timestamp;
use entity::{attempt, delivery, event, invitation, membership, user};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use super::{anonymous, erase};
use crate::store::{Result, Store, Verdict, bulk};

/// One transaction's worth, as for the other sweeps.
const BATCH: u64 = 200;
/// Entries of the log that are deleted at once.
const ENTRIES: u64 = 2000;
/// How whoever has never joined anything stands.
const NEVER_JOINED: &str = "invited";

impl Store {
    /// Makes anonymous what ended so long ago. Gives how many invitations. Several processes may do it at
    /// once: each invitation is locked by one of them.
    pub async fn anonymize_ended(&self, after: Duration) -> Result<u64> {
        let mut total = 0;
        loop {
            let count = self
                .write(move |tx, now| {
                    Box::pin(async move {
                        let count = anonymize_some(tx, now, now - after).await?;
                        Ok(Verdict::Commit(count))
                    })
                })
                .await?;
            total += count;
            self.metrics.anonymized(count);
            if count < BATCH {
                return Ok(total);
            }
        }
    }

    /// Deletes what happened to invitations that ended so long ago, and what the log says of organizations
    /// since then: entries, attempts, and mails but the newest, which says how an invitation stands. Gives
    /// how many invitations.
    pub async fn prune_ended(&self, after: Duration) -> Result<u64> {
        let mut total = 0;
        loop {
            let (count, entries, rows) = self
                .write(move |tx, now| {
                    Box::pin(async move {
                        let (count, rows) = prune_some(tx, now, now - after).await?;
                        let entries = prune_log(tx, now - after).await?;
                        Ok(Verdict::Commit((count, entries, rows)))
                    })
                })
                .await?;
            total += count;
            self.metrics.pruned(rows + entries);
            if count < BATCH && entries < ENTRIES {
                return Ok(total);
            }
        }
    }
}

/// Invitations that ended before, oldest first; those that another process has are left to it.
async fn ended(
    tx: &DatabaseTransaction,
    before: Timestamp,
    still: invitation::Column,
) -> Result<Vec<invitation::Model>> {
    let mut query = invitation::Entity::find()
        .filter(invitation::Column::ClosedAt.is_not_null())
        .filter(invitation::Column::ClosedAt.lt(before))
        .filter(still.is_null())
        .order_by_asc(invitation::Column::ClosedAt)
        .limit(BATCH);
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    Ok(query.all(tx).await?)
}

async fn anonymize_some(
    tx: &DatabaseTransaction,
    now: Timestamp,
    before: Timestamp,
) -> Result<u64> {
    let rows = ended(tx, before, invitation::Column::AnonymizedAt).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    anonymous::make(tx, now, &ids).await?;
    forget_strangers(tx, now, &rows).await?;
    Ok(rows.len() as u64)
}

/// Whoever never joined anything, and has no other invitation, is not known any more.
async fn forget_strangers(
    tx: &DatabaseTransaction,
    now: Timestamp,
    ended: &[invitation::Model],
) -> Result<()> {
    let emails: Vec<String> = ended.iter().map(|row| row.email_normalized.clone()).collect();
    let named: Vec<(String, Uuid)> = invitation::Entity::find()
        .select_only()
        .column(invitation::Column::EmailNormalized)
        .column(invitation::Column::MembershipId)
        .filter(bulk::is_any(tx, invitation::Column::EmailNormalized, emails.clone()))
        .into_tuple()
        .all(tx)
        .await?;
    let is_over = |row: &&invitation::Model| !named.iter().any(|(_, id)| *id == row.membership_id);
    let places = ended.iter().filter(is_over).map(|row| row.membership_id).collect();
    membership::Entity::update_many()
        .set(erase::nothing_to_do())
        .filter(bulk::is_any(tx, membership::Column::Id, places))
        .filter(membership::Column::Status.ne(domain::MembershipStatus::Active.as_str()))
        .exec(tx)
        .await?;
    let emails = emails.into_iter().filter(|email| !named.iter().any(|(known, _)| known == email));
    let strangers = user::Entity::find()
        .filter(bulk::is_any(tx, user::Column::EmailNormalized, emails.collect()))
        .filter(user::Column::Status.eq(NEVER_JOINED))
        .filter(user::Column::PasswordHash.is_null())
        .all(tx)
        .await?;
    for row in strangers {
        user::Entity::update_many()
            .set(erase::nobody(now, row.id))
            .filter(user::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Gives how many invitations lost their history, and how many rows that was.
async fn prune_some(
    tx: &DatabaseTransaction,
    now: Timestamp,
    before: Timestamp,
) -> Result<(u64, u64)> {
    let rows = ended(tx, before, invitation::Column::PrunedAt).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok((0, 0));
    }
    let mails: Vec<(Uuid, Uuid, i32)> = delivery::Entity::find()
        .select_only()
        .columns([
            delivery::Column::Id,
            delivery::Column::InvitationId,
            delivery::Column::Generation,
        ])
        .filter(bulk::is_any(tx, delivery::Column::InvitationId, ids.clone()))
        .into_tuple()
        .all(tx)
        .await?;
    let is_former = |invitation: Uuid, generation: i32| {
        rows.iter().any(|row| row.id == invitation && generation < row.generation)
    };
    let former = mails.iter().filter(|mail| is_former(mail.1, mail.2)).map(|mail| mail.0).collect();
    let all = mails.iter().map(|mail| mail.0).collect();
    let attempts = attempt::Entity::delete_many()
        .filter(bulk::is_any(tx, attempt::Column::DeliveryId, all))
        .exec(tx)
        .await?;
    let mails = delivery::Entity::delete_many()
        .filter(bulk::is_any(tx, delivery::Column::Id, former))
        .exec(tx)
        .await?;
    let events = event::Entity::delete_many()
        .filter(bulk::is_any(tx, event::Column::InvitationId, ids.clone()))
        .exec(tx)
        .await?;
    invitation::Entity::update_many()
        .set(invitation::ActiveModel { pruned_at: Set(Some(now)), ..Default::default() })
        .filter(bulk::is_any(tx, invitation::Column::Id, ids.clone()))
        .exec(tx)
        .await?;
    let deleted = [attempts, mails, events].iter().map(|done| done.rows_affected).sum();
    Ok((rows.len() as u64, deleted))
}

/// What the log says of no invitation, oldest first: ids grow with time.
async fn prune_log(tx: &DatabaseTransaction, before: Timestamp) -> Result<u64> {
    let old = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::Column::InvitationId.is_null())
        .filter(event::Column::CreatedAt.lt(before))
        .order_by_asc(event::Column::Id)
        .limit(ENTRIES);
    let ids: Vec<Uuid> = old.into_tuple().all(tx).await?;
    let deleted = event::Entity::delete_many()
        .filter(bulk::is_any(tx, event::Column::Id, ids))
        .exec(tx)
        .await?;
    Ok(deleted.rows_affected)
}
