//! Inviting the next rows of a batch: what becomes of them is written down in the transaction that does it.

use std::collections::HashMap;
use std::time::Duration;

use domain::{BatchRowStatus, BatchStatus, Limit, OrganizationId, SendRefusal, Timestamp};
use entity::{batch, batch_row};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    Set, Unchanged,
};

use super::super::bulk::Changes;
use super::super::caller::{self, OrganizationKey};
use super::super::create::{NewInvitation, OnExisting};
use super::super::create_all::{All, invite_all};
use super::super::invite::{Invited, Inviting};
use super::super::seats::Seats;
use super::super::together::Locking;
use super::super::{Result, Store, StoreError, Verdict, limit, policy};
use super::spans::{self, Spans};
use super::{
    BatchPace, BatchProgress, Explain, RowFault, RowRefusal, actor, lock, rows_of, steer, wanted,
};
use crate::failpoint;

/// Batches that are looked at before this process rests: others may be at the first ones.
const CANDIDATES: u64 = 16;
/// One limit after the other may refuse some of the rows.
const TRIES: usize = 10;

/// How one transaction ended.
enum Round {
    /// Somebody else is at it, or nothing of it waits.
    NotNow,
    /// Rows were invited: so many of them new.
    Worked { created: usize },
    /// No row waits any more.
    Finished,
    /// These rows must not be invited now; the others may.
    Limited(OrganizationId, Vec<(Uuid, SendRefusal)>),
    /// Another request for one of the addresses was faster.
    Overtaken,
}

impl Store {
    /// Waits until there may be a batch to work on: this process took one in.
    pub async fn batch_bell(&self) {
        self.bell.notified().await;
    }

    /// Invites the next rows of the batch that was longest without, as far as `pace` allows.
    pub async fn work_on_batches(
        &self,
        pace: BatchPace,
        explain: Explain,
    ) -> Result<BatchProgress> {
        let ids = self.batches_at_work().await?;
        if ids.is_empty() {
            return Ok(BatchProgress::Nothing);
        }
        let limit = self.rows_to_invite(pace).await?;
        if limit == 0 {
            return Ok(BatchProgress::Held);
        }
        for id in ids {
            let round = match self.work_on(id, limit, explain).await {
                Err(error) if !is_of_one_row(&error) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, batch.id = %id, "rows of a batch fail together");
                    self.work_one_by_one(id, limit, explain).await?
                }
                Ok(round) => round,
            };
            match round {
                Round::NotNow => {}
                Round::Worked { created } => {
                    self.metrics.created(created);
                    self.outlet.wake();
                    return Ok(BatchProgress::Made);
                }
                Round::Finished => {
                    tracing::info!(batch.id = %id, "a batch is finished");
                    self.outlet.wake();
                    return Ok(BatchProgress::Made);
                }
                Round::Limited(..) | Round::Overtaken => return Err(StoreError::Busy),
            }
        }
        Ok(BatchProgress::Nothing)
    }

    async fn batches_at_work(&self) -> Result<Vec<Uuid>> {
        self.read(|db, now| {
            Box::pin(async move {
                let is_due =
                    batch::Column::NotBefore.is_null().or(batch::Column::NotBefore.lte(now));
                let due = batch::Entity::find()
                    .select_only()
                    .column(batch::Column::Id)
                    .filter(batch::Column::Status.eq(BatchStatus::Working.as_str()))
                    .filter(is_due)
                    .order_by_asc(batch::Column::WorkedAt)
                    .limit(CANDIDATES);
                Ok(due.into_tuple().all(db).await?)
            })
        })
        .await
    }

    async fn work_on(&self, id: Uuid, limit: u64, explain: Explain) -> Result<Round> {
        let mut refused: HashMap<Uuid, SendRefusal> = HashMap::new();
        for _ in 0..TRIES {
            let (store, known) = (self.clone(), refused.clone());
            let round = self
                .write(move |tx, now| {
                    Box::pin(async move { store.round(tx, now, id, limit, &known, explain).await })
                })
                .await?;
            failpoint::reach("batch.after_commit").await;
            match round {
                Round::Overtaken => {}
                Round::Limited(organization, rows) => {
                    if rows.iter().any(|(_, why)| *why == SendRefusal::Paused) {
                        self.pause_sending(organization).await?;
                    }
                    refused.extend(rows);
                }
                ended => return Ok(ended),
            }
        }
        Err(StoreError::Busy)
    }

    /// One row that breaks the statement that it is in must not hold up the others.
    async fn work_one_by_one(&self, id: Uuid, limit: u64, explain: Explain) -> Result<Round> {
        let mut total = 0;
        for _ in 0..limit {
            match self.work_on(id, 1, explain).await {
                Ok(Round::Worked { created }) => total += created,
                Ok(ended) => return Ok(ended),
                Err(error) if !is_of_one_row(&error) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, batch.id = %id, "a row of a batch fails");
                    self.fail_next(id, explain).await?;
                }
            }
        }
        Ok(Round::Worked { created: total })
    }

    /// Gives up the row whose turn it is.
    async fn fail_next(&self, id: Uuid, explain: Explain) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                if lock(tx, id, Locking::Wait).await?.is_some() {
                    let rows = waiting(tx, id, 1).await?;
                    let failed = rows.iter().map(|row| {
                        let fault = explain(RowRefusal::Ours);
                        changed(now, row, BatchRowStatus::Failed, None, Some(fault))
                    });
                    write_down(tx, failed.collect()).await?;
                }
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// One transaction; `refused` were found to be too many in the one before.
    async fn round(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        id: Uuid,
        limit: u64,
        refused: &HashMap<Uuid, SendRefusal>,
        explain: Explain,
    ) -> Result<Verdict<Round>> {
        let Some(batch) = lock(tx, id, Locking::Skip).await? else {
            return Ok(Verdict::RollBack(Round::NotNow));
        };
        if batch.status != BatchStatus::Working.as_str() {
            return Ok(Verdict::RollBack(Round::NotNow));
        }
        let rows = waiting(tx, id, limit).await?;
        if rows.is_empty() {
            let finishing = spans::finish(&self.tracer, &batch);
            finishing.within(steer::finish(tx, now, id, BatchStatus::Done)).await?;
            return Ok(Verdict::Commit(Round::Finished));
        }
        let turns = sort_out(now, rows, refused)?;
        let numbers = turns.invited.iter().map(|(row, _)| row.number);
        let mut spans = Spans::begin(&self.tracer, &batch, numbers);
        let round = self.take_turns(tx, now, &batch, &turns, &spans, explain).await;
        if !matches!(round, Ok(Verdict::Commit(_))) {
            spans.give_up();
        }
        round
    }

    /// What each row's turn brings.
    async fn take_turns(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        batch: &batch::Model,
        turns: &Turns,
        spans: &Spans,
        explain: Explain,
    ) -> Result<Verdict<Round>> {
        let organization = OrganizationId::from_uuid(batch.organization_id);
        let host = caller::find(tx, OrganizationKey::Id(organization)).await?;
        let rules = host.as_ref().map(policy::of).transpose()?.flatten();
        let inviting = self.inviting(organization, actor::read(&batch.actor)?, rules);
        let seats = Seats::lock(tx, now, &inviting).await?;
        let new: Vec<NewInvitation> = turns.invited.iter().map(|(_, new)| new.clone()).collect();
        let Some(all) = invite_all(tx, now, &inviting, &new, seats, &spans.rows).await? else {
            return Ok(Verdict::RollBack(Round::Overtaken));
        };
        let created = all.rows.iter().filter(|row| matches!(row, Invited::New(_))).count();
        write_down(tx, turns.results(now, &all, explain)).await?;
        let worked = batch::ActiveModel {
            worked_at: Set(now),
            not_before: Set(turns.not_before),
            updated_at: Set(now),
            ..Default::default()
        };
        let own = batch::Entity::update_many().set(worked).filter(batch::Column::Id.eq(batch.id));
        own.exec(tx).await?;
        if let Some(refused) = count(tx, now, &inviting, turns, &all).await? {
            return Ok(Verdict::RollBack(Round::Limited(organization, refused)));
        }
        failpoint::reach("batch.before_commit").await;
        Ok(Verdict::Commit(Round::Worked { created }))
    }
}

/// Whether one row may be to blame, and not the database as a whole.
const fn is_of_one_row(error: &StoreError) -> bool {
    match error {
        StoreError::Inconsistent { .. } | StoreError::Database(_) => true,
        StoreError::Unavailable(_)
        | StoreError::Busy
        | StoreError::Forbidden(_)
        | StoreError::TooNew(_) => false,
    }
}

/// Rows whose turn it is.
struct Turns {
    invited: Vec<(batch_row::Model, NewInvitation)>,
    refused: Vec<(batch_row::Model, SendRefusal)>,
    /// When the others may be invited, where a limit of a minute has to be waited for.
    not_before: Option<Timestamp>,
}

/// Tells who is invited from who is refused. A limit of a minute refuses nobody: those rows wait until
/// the minute is over.
fn sort_out(
    now: Timestamp,
    rows: Vec<batch_row::Model>,
    refused: &HashMap<Uuid, SendRefusal>,
) -> Result<Turns> {
    let mut turns = Turns { invited: Vec::new(), refused: Vec::new(), not_before: None };
    let mut rest: Option<Duration> = None;
    for row in rows {
        let mut new = wanted::read(&row.email, row.wanted.as_deref())?;
        match refused.get(&row.id) {
            Some(SendRefusal::Limit { limit: Limit::KeyPerMinute, retry_after }) => {
                rest = rest.max(Some(*retry_after));
                continue;
            }
            // There is a pending invitation whose mail must not go out again: it stays as it is.
            Some(_) if matches!(new.on_existing, OnExisting::Resend(_)) => {
                new.on_existing = OnExisting::Ignore;
            }
            Some(why) => {
                turns.refused.push((row, *why));
                continue;
            }
            None => {}
        }
        turns.invited.push((row, new));
    }
    turns.not_before = rest.map(|rest| now + rest);
    Ok(turns)
}

impl Turns {
    fn results(&self, now: Timestamp, all: &All, explain: Explain) -> Vec<batch_row::ActiveModel> {
        let invited = self.invited.iter().zip(&all.rows).map(|((row, _), invited)| {
            let (status, invitation, why) = match invited {
                Invited::New(made) => (BatchRowStatus::Created, Some(made.id), None),
                Invited::Pending { invitation, .. } => {
                    (BatchRowStatus::Pending, Some(invitation.id), None)
                }
                Invited::Refused(id) => {
                    (BatchRowStatus::Pending, Some(*id), Some(RowRefusal::Pending(*id)))
                }
                Invited::Member => (BatchRowStatus::Member, None, Some(RowRefusal::Member)),
                Invited::NotAllowed(why) => {
                    let why = RowRefusal::Limit(SendRefusal::Policy(*why));
                    (BatchRowStatus::Refused, None, Some(why))
                }
                // None of them is.
                Invited::Overtaken => (BatchRowStatus::Failed, None, Some(RowRefusal::Ours)),
            };
            let invitation = invitation.map(domain::InvitationId::uuid);
            changed(now, row, status, invitation, why.map(explain))
        });
        let refused = self.refused.iter().map(|(row, why)| {
            let fault = explain(RowRefusal::Limit(*why));
            changed(now, row, BatchRowStatus::Refused, None, Some(fault))
        });
        invited.chain(refused).collect()
    }
}

/// Last of all: many transactions meet in the rows that count. Which rows are too many; `None` if none.
async fn count(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    turns: &Turns,
    all: &All,
) -> Result<Option<Vec<(Uuid, SendRefusal)>>> {
    let refused = limit::count(tx, now, &inviting.limits, &all.mails).await?;
    let row = |mail: usize| turns.invited[all.whose[mail]].0.id;
    let refused: Vec<_> = refused.iter().map(|one| (row(one.mail), one.why)).collect();
    Ok((!refused.is_empty()).then_some(refused))
}

async fn waiting(tx: &DatabaseTransaction, id: Uuid, limit: u64) -> Result<Vec<batch_row::Model>> {
    let waiting = rows_of(id, BatchRowStatus::Waiting);
    Ok(waiting.order_by_asc(batch_row::Column::Number).limit(limit).all(tx).await?)
}

fn changed(
    now: Timestamp,
    row: &batch_row::Model,
    status: BatchRowStatus,
    invitation: Option<Uuid>,
    fault: Option<RowFault>,
) -> batch_row::ActiveModel {
    let (code, detail) = fault.map(|fault| (fault.code.to_owned(), fault.detail)).unzip();
    batch_row::ActiveModel {
        id: Unchanged(row.id),
        status: Set(status.as_str().to_owned()),
        code: Set(code),
        detail: Set(detail),
        invitation_id: Set(invitation),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// What waited is settled, once.
async fn write_down(tx: &DatabaseTransaction, rows: Vec<batch_row::ActiveModel>) -> Result<()> {
    let mut changes = Changes::new(tx);
    changes.update(rows, |_| batch_row::Column::Status.eq(BatchRowStatus::Waiting.as_str()))?;
    if changes.make(tx).await? { Ok(()) } else { Err(StoreError::Busy) }
}
