//! Announcements on their way to the exchange: switched on and off, claimed, settled.
//!
//! Whether there is an exchange is a row, not a setting of each process: the workers, which write
//! events as well, cannot have another opinion.

use std::time::Duration;

use domain::retry::jittered;
use domain::{EventId, InvitationId, LockToken, OrganizationId, Timestamp};
use entity::{announcement, event_exchange};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{LockBehavior, LockType, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set};

use super::{Result, Store, Verdict, bulk, insert_if_new};
use crate::rng;

/// An event that the caller may publish while its lock holds.
#[derive(Debug, Clone)]
pub struct AnnouncementEntry {
    /// Which event.
    pub id: EventId,
    /// Whose.
    pub organization: OrganizationId,
    /// About which invitation.
    pub invitation: Option<InvitationId>,
    /// What happened.
    pub event_type: String,
    /// What it is about, in JSON.
    pub data: String,
    /// When it happened.
    pub at: Timestamp,
    /// Proof of the claim.
    pub lock: LockToken,
}

const TOPIC: &str = "topic";
/// What the exchange did not take waits for so long, more or less.
const AGAIN: Duration = Duration::from_secs(5);

impl Store {
    /// From now on every event is announced to the exchange, or none is; what was announced before
    /// still gets there.
    pub async fn set_exchange(&self, on: bool) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let found = event_exchange::Entity::find_by_id(TOPIC.to_owned()).one(tx).await?;
                match (on, found) {
                    (true, None) => {
                        let row = event_exchange::ActiveModel {
                            name: Set(TOPIC.to_owned()),
                            created_at: Set(now),
                        };
                        insert_if_new(tx, row).await?;
                    }
                    (false, Some(_)) => {
                        event_exchange::Entity::delete_by_id(TOPIC.to_owned()).exec(tx).await?;
                    }
                    _ => return Ok(Verdict::RollBack(())),
                }
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// Claims up to `limit` announcements for `lock`, oldest first; nobody else gets them meanwhile.
    pub async fn claim_announcements(
        &self,
        limit: u64,
        lock: Duration,
    ) -> Result<Vec<AnnouncementEntry>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let token = LockToken::new(now, &mut rng());
                let rows = announcement::Entity::update_many()
                    .col_expr(announcement::Column::LockToken, Expr::value(token.uuid()))
                    .col_expr(announcement::Column::LockedUntil, Expr::value(now + lock))
                    .filter(bulk::is_any_of(tx, announcement::Column::EventId, due(now, limit)))
                    .exec_with_returning(tx)
                    .await?;
                if rows.is_empty() {
                    return Ok(Verdict::RollBack(Vec::new()));
                }
                let mut entries: Vec<_> = rows.into_iter().map(|row| entry(row, token)).collect();
                entries.sort_unstable_by_key(|entry| entry.id);
                Ok(Verdict::Commit(entries))
            })
        })
        .await
    }

    /// Records what became of claimed announcements: the published are done, the others come again.
    pub async fn settle_announcements(
        &self,
        lock: LockToken,
        published: Vec<EventId>,
        unpublished: Vec<EventId>,
    ) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let done = announcement::ActiveModel {
                    published_at: Set(Some(now)),
                    lock_token: Set(None),
                    locked_until: Set(None),
                    ..Default::default()
                };
                let again = announcement::ActiveModel {
                    lock_token: Set(None),
                    locked_until: Set(Some(now + jittered(AGAIN, &mut rng()))),
                    ..Default::default()
                };
                for (ids, change) in [(published, done), (unpublished, again)] {
                    let ids: Vec<Uuid> = ids.into_iter().map(EventId::uuid).collect();
                    if ids.is_empty() {
                        continue;
                    }
                    announcement::Entity::update_many()
                        .set(change)
                        .filter(bulk::is_any(tx, announcement::Column::EventId, ids))
                        .filter(announcement::Column::LockToken.eq(lock.uuid()))
                        .exec(tx)
                        .await?;
                }
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}

fn due(now: Timestamp, limit: u64) -> SelectStatement {
    Query::select()
        .column(announcement::Column::EventId)
        .from(announcement::Entity)
        .and_where(Expr::col(announcement::Column::ToExchange))
        .and_where(announcement::Column::PublishedAt.is_null())
        .and_where(
            announcement::Column::LockedUntil
                .is_null()
                .or(announcement::Column::LockedUntil.lte(now)),
        )
        .order_by(announcement::Column::CreatedAt, Order::Asc)
        .limit(limit)
        // Left out on SQLite, where the single statement is atomic by itself.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned()
}

fn entry(row: announcement::Model, lock: LockToken) -> AnnouncementEntry {
    AnnouncementEntry {
        id: EventId::from_uuid(row.event_id),
        organization: OrganizationId::from_uuid(row.organization_id),
        invitation: row.invitation_id.map(InvitationId::from_uuid),
        event_type: row.event_type,
        data: row.data,
        at: row.created_at,
        lock,
    }
}
