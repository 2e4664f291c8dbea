//! What an organization's invitations have come to: whether it is new, and whether it must stop.

use chrono::TimeDelta;
use domain::{Acceptance, EventKind, OrganizationId, Timestamp, Window};
use entity::{invitation, organization, tally};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::tally::{Counter, Key, Tally};
use crate::settings::LimitSettings;
use crate::store::audit::{Entry, SYSTEM};
use crate::store::{Result, Store, Verdict, announce, convert};

/// What matters of an organization.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// It has not shown yet that people want its mail.
    pub(super) is_new: bool,
    /// It has shown that they do not.
    pub(super) is_paused: bool,
}

/// Invitations that were mailed, by the day.
const INVITED: &str = "invited";
/// How many of a day's invitations were accepted, on whatever day that was.
const ACCEPTED: &str = "accepted";
/// All invitations that were ever accepted.
const ACCEPTED_EVER: &str = "accepted_ever";
/// What was longer ago says nothing about today.
const MEMORY: TimeDelta = TimeDelta::days(30);

/// Whether any setting asks for it.
pub(super) fn matters(limits: &LimitSettings) -> bool {
    limits.new_organization_per_day > 0 || limits.acceptance_rule().is_some()
}

/// How an organization stands at present.
pub(super) async fn of(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limits: &LimitSettings,
    id: OrganizationId,
) -> Result<Standing> {
    let row = organization::Entity::find()
        .filter(organization::Column::Id.eq(id.uuid()))
        .one(tx)
        .await?
        .ok_or(convert::inconsistent("invitation", "organization_id"))?;
    if row.trusted {
        return Ok(Standing::default());
    }
    let counts = tally::Entity::find()
        .filter(tally::Column::Kind.is_in([INVITED, ACCEPTED, ACCEPTED_EVER]))
        .filter(tally::Column::Subject.eq(subject(id)))
        .all(tx)
        .await?;
    let sum = |kind: &str, of: &dyn Fn(Timestamp) -> bool| {
        let counts = counts.iter().filter(|row| row.kind == kind && of(row.window_start));
        counts.map(|row| u64::try_from(row.total).unwrap_or_default()).sum::<u64>()
    };
    let answerable = now - limits.acceptance_age;
    let counts = |day: Timestamp| day >= now - MEMORY && Window::Day.end(day) <= answerable;
    let acceptance =
        Acceptance { invited: sum(INVITED, &counts), accepted: sum(ACCEPTED, &counts) };
    let broken = |rule| row.sending_paused_at.is_some() || acceptance.breaks(rule);
    Ok(Standing {
        is_new: sum(ACCEPTED_EVER, &|_| true) < u64::from(limits.warmed_up_after_accepted),
        is_paused: limits.acceptance_rule().is_some_and(broken),
    })
}

/// Counts an invitation that was mailed for the first time.
pub(super) fn invited(id: OrganizationId, now: Timestamp) -> Counter {
    of_day(INVITED, id, now)
}

/// Counts an invitation that has just been accepted. Always: an organization must not count as new
/// on the day that somebody sets a limit.
pub(in crate::store) async fn count_accepted(
    tx: &DatabaseTransaction,
    now: Timestamp,
    row: &invitation::Model,
) -> Result<()> {
    let id = OrganizationId::from_uuid(row.organization_id);
    let ever = Key { kind: ACCEPTED_EVER, subject: subject(id), start: Timestamp::UNIX_EPOCH };
    let mut tally = Tally::default();
    tally.add(Counter { key: ever, seen: None, most: None, forget_at: None }, 0);
    tally.add(of_day(ACCEPTED, id, row.created_at), 0);
    tally.write(tx, now).await?;
    Ok(())
}

fn of_day(kind: &'static str, id: OrganizationId, at: Timestamp) -> Counter {
    let start = Window::Day.start(at);
    let forget_at = Some(Window::Day.end(at) + MEMORY);
    Counter { key: Key { kind, subject: subject(id), start }, seen: None, most: None, forget_at }
}

fn subject(id: OrganizationId) -> Vec<u8> {
    id.uuid().into_bytes().to_vec()
}

impl Store {
    /// Notes that an organization must not send, unless that is known or an operator trusts it. In
    /// a transaction of its own, because the one that found out was rolled back.
    pub(in crate::store) async fn pause_sending(&self, id: OrganizationId) -> Result<()> {
        let paused = self.write(move |tx, now| {
            Box::pin(async move {
                let paused = organization::ActiveModel {
                    sending_paused_at: Set(Some(now)),
                    updated_at: Set(now),
                    ..Default::default()
                };
                let done = organization::Entity::update_many()
                    .set(paused)
                    .filter(organization::Column::Id.eq(id.uuid()))
                    .filter(organization::Column::SendingPausedAt.is_null())
                    .filter(organization::Column::Trusted.eq(false))
                    .exec(tx)
                    .await?;
                if done.rows_affected == 0 {
                    return Ok(Verdict::RollBack(false));
                }
                record(tx, now, id, EventKind::SendingPaused, SYSTEM.to_owned()).await?;
                Ok(Verdict::Commit(true))
            })
        });
        if paused.await? {
            tracing::warn!(organization.id = %id, "too few accept: the organization sends no more");
        }
        Ok(())
    }
}

/// Adds to the audit log what became of an organization's standing.
pub(in crate::store) async fn record(
    tx: &DatabaseTransaction,
    now: Timestamp,
    id: OrganizationId,
    kind: EventKind,
    actor: String,
) -> Result<()> {
    let entry = Entry::of_organization(now, id.uuid(), kind, actor, serde_json::json!({}));
    announce::record(tx, now, vec![entry]).await
}
