//! Reminders: one more mail about an invitation that nobody has answered, as its organization's policy
//! says.

use std::collections::HashMap;
use std::time::Duration;

use domain::{
    DeliveryStatus, InvitationStatus, OrganizationId, OrganizationPolicy, SendRefusal, Timestamp,
};
use entity::{delivery, invitation, organization, suppression};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{LockBehavior, LockType, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set, Unchanged,
};

use super::bulk::Changes;
use super::limit::{self, Mail};
use super::{Result, Store, StoreError, Verdict, bulk, plan, policy, read};
use crate::trace::Span;

/// One transaction's worth, as for the other sweeps.
const BATCH: u64 = 200;
const DAY: Duration = Duration::from_hours(24);

/// How one transaction ended.
enum Round {
    /// So many reminders are planned.
    Planned(u64),
    /// None is, because the limits do not allow these before then.
    Refused(Vec<(Uuid, Duration)>),
}

impl Store {
    /// Plans the reminders that are due, of all organizations. Gives how many. Several processes may do it
    /// at once: each invitation is locked by one, and compared when that has committed.
    pub async fn remind(&self) -> Result<u64> {
        let mut total = 0;
        for (id, rules) in self.who_reminds().await? {
            loop {
                let (store, days) = (self.clone(), rules.reminders.clone());
                let round = self
                    .write(move |tx, now| {
                        Box::pin(async move { store.remind_some(tx, now, id, &days).await })
                    })
                    .await?;
                match round {
                    Round::Planned(count) => {
                        total += count;
                        if count < BATCH {
                            break;
                        }
                    }
                    Round::Refused(rows) => self.put_reminders_off(rows).await?,
                }
            }
        }
        if total > 0 {
            self.outlet.wake();
        }
        Ok(total)
    }

    async fn who_reminds(&self) -> Result<Vec<(OrganizationId, OrganizationPolicy)>> {
        self.read(|db, _| {
            Box::pin(async move {
                let rows = organization::Entity::find()
                    .filter(organization::Column::Policy.is_not_null())
                    .all(db)
                    .await?;
                let mut found = Vec::new();
                for row in rows {
                    let rules = policy::of(&row)?;
                    let rules = rules.filter(|rules| !rules.reminders.is_empty());
                    let id = OrganizationId::from_uuid(row.id);
                    found.extend(rules.map(|rules| (id, rules.as_ref().clone())));
                }
                Ok(found)
            })
        })
        .await
    }

    async fn remind_some(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        organization: OrganizationId,
        days: &[u16],
    ) -> Result<Verdict<Round>> {
        let rows = due(tx, now, organization, days).await?;
        // Nobody asks for a reminder: each is a trace of its own.
        let mut spans: Vec<Span> = rows.iter().map(|row| self.planning(row)).collect();
        let round = self.plan_reminders(tx, now, rows, days, &spans).await;
        if !matches!(round, Ok(Verdict::Commit(_))) {
            for span in &mut spans {
                span.fail("given up");
            }
        }
        round
    }

    fn planning(&self, row: &invitation::Model) -> Span {
        let mut span = self.tracer.begin("plan reminder", None);
        span.set("invitation.id", || row.id.to_string());
        span
    }

    /// Plans reminders of locked invitations, or finds out that the limits do not allow all of them.
    async fn plan_reminders(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        rows: Vec<invitation::Model>,
        days: &[u16],
        spans: &[Span],
    ) -> Result<Verdict<Round>> {
        let rows: Vec<_> = rows.into_iter().map(|row| next_generation(now, row, days)).collect();
        let reminded: Vec<_> = rows.iter().map(reminded).collect();
        let mut changes = Changes::new(tx);
        changes.update(reminded, untouched)?;
        let traces = spans.iter().map(Span::context);
        let planned = plan::add_reminders(now, &self.policy, &rows, traces, &mut changes)?;
        if !changes.make(tx).await? {
            return Err(StoreError::Busy);
        }
        let (mut mails, mut whose) = (Vec::new(), Vec::new());
        for (row, mail) in rows.iter().zip(&planned) {
            mails.extend(Mail::reminder(row, mail)?);
            whose.resize(mails.len(), row.id);
        }
        let refused = limit::count(tx, now, &self.limits, &mails).await?;
        if refused.is_empty() {
            return Ok(Verdict::Commit(Round::Planned(rows.len() as u64)));
        }
        let until = |why| match why {
            SendRefusal::Limit { retry_after, .. } | SendRefusal::JustResent { retry_after } => {
                retry_after
            }
            SendRefusal::Paused | SendRefusal::Policy(_) => DAY,
        };
        let refused = refused.iter().map(|one| (whose[one.mail], until(one.why)));
        Ok(Verdict::RollBack(Round::Refused(refused.collect())))
    }

    /// They come again later, and the others are not held up by them.
    async fn put_reminders_off(&self, rows: Vec<(Uuid, Duration)>) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let mut by_wait: HashMap<Duration, Vec<Uuid>> = HashMap::new();
                for (id, wait) in rows {
                    by_wait.entry(wait).or_default().push(id);
                }
                for (wait, ids) in by_wait {
                    let later = invitation::ActiveModel {
                        remind_after: Set(Some(now + wait.max(Duration::from_secs(1)))),
                        ..Default::default()
                    };
                    invitation::Entity::update_many()
                        .set(later)
                        .filter(bulk::is_any(tx, invitation::Column::Id, ids))
                        .exec(tx)
                        .await?;
                }
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}

/// The days of the list that have passed since the mail was sent.
fn passed(now: Timestamp, sent_at: Option<Timestamp>, days: &[u16]) -> impl Iterator<Item = &u16> {
    days.iter().filter(move |day| sent_at.is_some_and(|at| at + DAY * u32::from(**day) <= now))
}

/// Invitations that are due for a reminder, locked; those that another process has are left to it.
async fn due(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    days: &[u16],
) -> Result<Vec<invitation::Model>> {
    use invitation::Column;
    let mut one_of = Condition::any();
    for (done, day) in (0_i32..).zip(days) {
        let sent_before = Column::EmailSentAt.lte(now - DAY * u32::from(*day));
        one_of = one_of.add(Column::Reminded.eq(done).and(sent_before));
    }
    let mut query = invitation::Entity::find()
        .filter(Column::OrganizationId.eq(organization.uuid()))
        // As a literal: that is how the index of pending ones is found.
        .filter(Expr::cust(format!("invitation.status = '{}'", InvitationStatus::Pending.as_str())))
        .filter(Column::EmailSent.eq(true))
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::RemindAfter.is_null().or(Column::RemindAfter.lte(now)))
        .filter(one_of)
        .filter(Expr::exists(arrived()))
        .filter(Expr::exists(suppressed()).not())
        .order_by_asc(Column::Id)
        .limit(BATCH);
    if tx.get_database_backend() == DbBackend::Postgres {
        query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    Ok(query.all(tx).await?)
}

/// The newest mail has left, and nothing bad was heard of it.
fn arrived() -> SelectStatement {
    let status = Expr::col((delivery::Entity, delivery::Column::Status));
    Query::select()
        .expr(Expr::val(1))
        .from(delivery::Entity)
        .and_where(read::is_current_delivery())
        .and_where(
            status.is_in([DeliveryStatus::Sent.as_str(), DeliveryStatus::Delivered.as_str()]),
        )
        .to_owned()
}

fn suppressed() -> SelectStatement {
    let of = |column: suppression::Column| Expr::col((suppression::Entity, column));
    let its = |column: invitation::Column| Expr::col((invitation::Entity, column));
    Query::select()
        .expr(Expr::val(1))
        .from(suppression::Entity)
        .and_where(
            of(suppression::Column::OrganizationId).eq(its(invitation::Column::OrganizationId)),
        )
        .and_where(
            of(suppression::Column::EmailNormalized).eq(its(invitation::Column::EmailNormalized)),
        )
        .to_owned()
}

/// The reminder's own generation.
fn next_generation(now: Timestamp, row: invitation::Model, days: &[u16]) -> invitation::Model {
    let passed = passed(now, row.email_sent_at, days).count();
    invitation::Model {
        generation: row.generation + 1,
        reminded: i32::try_from(passed).unwrap_or(i32::MAX),
        remind_after: None,
        updated_at: now,
        ..row
    }
}

/// What changes of an invitation by that.
fn reminded(row: &invitation::Model) -> invitation::ActiveModel {
    invitation::ActiveModel {
        id: Unchanged(row.id),
        generation: Set(row.generation),
        reminded: Set(row.reminded),
        remind_after: Set(row.remind_after),
        updated_at: Set(row.updated_at),
        ..Default::default()
    }
}

/// Nothing has happened to an invitation since it was found.
fn untouched(new: &dyn Fn(invitation::Column) -> Expr) -> Expr {
    use invitation::Column;
    let before = Expr::col((invitation::Entity, Column::Generation));
    let pending = Column::Status.eq(InvitationStatus::Pending.as_str());
    pending.and(before.add(1).eq(new(Column::Generation)))
}
