//! Passed deadlines: pending invitations whose time is over come to their end.

use domain::invitation::InvitationEvent;
use domain::{EventKind, InvitationStatus, Timestamp};
use entity::invitation;
use sea_orm::prelude::Expr;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::audit::{By, Entry};
use super::{Result, Store, Verdict, close, convert};

impl Store {
    /// Ends up to `limit` pending invitations whose time has passed. Returns how many. One that somebody
    /// is at this moment is left to the next look.
    pub async fn expire_invitations(&self, limit: u64) -> Result<u64> {
        let store = self.clone();
        self.write(move |tx, now| {
            Box::pin(async move {
                let (mut ended, mut log) = (Vec::new(), Vec::new());
                for row in overdue(tx, now, limit).await? {
                    let expired = convert::invitation(&row)?.apply(InvitationEvent::Expire, now);
                    let Ok(expired) = expired else { continue };
                    let row = close::ended(now, row, &expired);
                    log.push(store.expiry(now, &row));
                    ended.push(row);
                }
                if !ended.is_empty() {
                    close::write(tx, now, &ended, log).await?;
                }
                Ok(Verdict::Commit(ended.len() as u64))
            })
        })
        .await
    }

    /// Nobody asks for it: each is a trace of its own, which whoever is told is part of.
    fn expiry(&self, now: Timestamp, row: &invitation::Model) -> Entry {
        let mut span = self.tracer.begin("expire", None);
        span.set("invitation.id", || row.id.to_string());
        let kind = EventKind::InvitationExpired;
        let mut entry = Entry::new(now, row, kind, By::System, serde_json::json!({}));
        entry.trace = span.context();
        entry
    }
}

/// The oldest first, locked.
async fn overdue(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<invitation::Model>> {
    let mut query = invitation::Entity::find()
        // As a literal: that is how the index of pending ones is found.
        .filter(Expr::cust(format!("status = '{}'", InvitationStatus::Pending.as_str())))
        .filter(invitation::Column::ExpiresAt.lte(now))
        .order_by_asc(invitation::Column::ExpiresAt)
        .limit(limit);
    // Whoever skips what is locked needs no order among locks.
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    Ok(query.all(tx).await?)
}
