//! An atomic batch: all of its rows are invited in one transaction, or nothing of it is kept.

use domain::{BatchRowStatus, SendRefusal, Timestamp};
use entity::batch;
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel, Set};

use super::super::bulk::Changes;
use super::super::create::NewInvitation;
use super::super::create_all::invite_all;
use super::super::idempotency::{self, IdempotencyKey};
use super::super::invite::{Invited, Inviting};
use super::super::seats::Seats;
use super::super::{Actor, OrganizationRef, Result, Store, StoreError, Verdict, limit};
use super::receive::{BatchPlan, Started, row, written};
use super::view::BatchView;
use super::{Explain, RowFault, RowRefusal, SentRow, actor, counts, steer};

/// How an atomic batch ended.
#[derive(Debug)]
pub enum AtOnce {
    /// It is done, or was answered before.
    Started(Started),
    /// Some rows cannot be invited now, so that nobody was: their places in the request, and why.
    Refused(Vec<(usize, RowFault)>),
}

enum Tried {
    Ended(AtOnce, usize),
    /// Another request for one of the addresses was faster.
    Overtaken,
    Limited(Vec<(usize, SendRefusal)>),
}

const TRIES: usize = 3;

impl Store {
    /// Invites all rows, each of which makes sense, or nobody.
    pub async fn create_batch_at_once(
        &self,
        organization: &OrganizationRef,
        by: Actor,
        plan: BatchPlan,
        rows: Vec<SentRow>,
        key: Option<IdempotencyKey>,
        explain: Explain,
    ) -> Result<AtOnce> {
        let inviting = self.inviting(organization.id, by, organization.policy.clone());
        let rows = std::sync::Arc::new(rows);
        for _ in 0..TRIES {
            let (inviting, plan, rows) = (inviting.clone(), plan.clone(), rows.clone());
            let key = key.clone();
            let tried = self
                .write(move |tx, now| {
                    Box::pin(async move {
                        create(tx, now, &inviting, plan, &rows, key.as_ref(), explain).await
                    })
                })
                .await?;
            match tried {
                Tried::Overtaken => {}
                Tried::Ended(ended, created) => {
                    self.metrics.created(created);
                    self.outlet.wake();
                    return Ok(ended);
                }
                Tried::Limited(rows) => {
                    if rows.iter().any(|(_, why)| *why == SendRefusal::Paused) {
                        self.pause_sending(organization.id).await?;
                    }
                    let told = |(at, why)| (at, explain(RowRefusal::Limit(why)));
                    return Ok(AtOnce::Refused(rows.into_iter().map(told).collect()));
                }
            }
        }
        Err(StoreError::Busy)
    }
}

async fn create(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    plan: BatchPlan,
    sent: &[SentRow],
    key: Option<&IdempotencyKey>,
    explain: Explain,
) -> Result<Verdict<Tried>> {
    let refuse = |rows| Ok(Verdict::RollBack(Tried::Ended(AtOnce::Refused(rows), 0)));
    let senseless = |(at, row): (usize, &SentRow)| Some((at, row.wanted.as_ref().err()?.clone()));
    let faults: Vec<_> = sent.iter().enumerate().filter_map(senseless).collect();
    if !faults.is_empty() {
        return refuse(faults);
    }
    let seats = Seats::lock(tx, now, inviting).await?;
    if let Some(key) = key
        && let Some(earlier) = idempotency::claim(tx, now, inviting.organization, key).await?
    {
        return Ok(Verdict::RollBack(Tried::Ended(AtOnce::Started(earlier.into()), 0)));
    }
    let new: Vec<NewInvitation> =
        sent.iter().filter_map(|row| row.wanted.as_ref().ok()).map(|new| (**new).clone()).collect();
    let Some(all) = invite_all(tx, now, inviting, &new, seats, &[]).await? else {
        return Ok(Verdict::RollBack(Tried::Overtaken));
    };
    let refused = all.rows.iter().enumerate().filter_map(|(at, row)| {
        let why = match row {
            Invited::Refused(id) => RowRefusal::Pending(*id),
            Invited::Member => RowRefusal::Member,
            Invited::NotAllowed(why) => RowRefusal::Limit(SendRefusal::Policy(*why)),
            Invited::New(_) | Invited::Pending { .. } | Invited::Overtaken => return None,
        };
        Some((at, explain(why)))
    });
    let refused: Vec<_> = refused.collect();
    if !refused.is_empty() {
        return refuse(refused);
    }
    let created = all.rows.iter().filter(|row| matches!(row, Invited::New(_))).count();
    let view = keep(tx, now, inviting, plan, sent, &all.rows).await?;
    if let Some(key) = key {
        idempotency::keep_answer(tx, inviting.organization, key, &view).await?;
    }
    let refused = limit::count(tx, now, &inviting.limits, &all.mails).await?;
    if !refused.is_empty() {
        let mut rows: Vec<_> = refused.iter().map(|one| (all.whose[one.mail], one.why)).collect();
        rows.sort_by_key(|&(at, _)| at);
        return Ok(Verdict::RollBack(Tried::Limited(rows)));
    }
    let done = AtOnce::Started(Started::Done(Box::new(view)));
    Ok(Verdict::Commit(Tried::Ended(done, created)))
}

/// Writes the batch down as it stands: done.
async fn keep(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    plan: BatchPlan,
    sent: &[SentRow],
    invited: &[Invited],
) -> Result<BatchView> {
    let mut batch = row(now, inviting.organization, actor::written(inviting.actor.clone())?, plan);
    batch.total = i32::try_from(sent.len()).unwrap_or(i32::MAX);
    domain::BatchStatus::Done.as_str().clone_into(&mut batch.status);
    batch.finished_at = Some(now);
    batch::Entity::insert(batch.clone().into_active_model()).exec_without_returning(tx).await?;
    let mut rows = written(now, batch.id, 1, sent)?;
    for (row, invited) in rows.iter_mut().zip(invited) {
        let (status, invitation) = match invited {
            Invited::New(invitation) => (BatchRowStatus::Created, invitation.id),
            Invited::Pending { invitation, .. } => (BatchRowStatus::Pending, invitation.id),
            Invited::Member | Invited::Refused(_) | Invited::NotAllowed(_) | Invited::Overtaken => {
                continue;
            }
        };
        row.status = Set(status.as_str().to_owned());
        row.invitation_id = Set(Some(invitation.uuid()));
    }
    let mut changes = Changes::new(tx);
    changes.insert(rows)?;
    if !changes.make(tx).await? {
        return Err(StoreError::Busy);
    }
    let counts = counts::of_rows(tx, vec![batch.id]).await?.remove(&batch.id);
    let view = BatchView::new(batch, counts.unwrap_or_default())?;
    steer::tell_finished(tx, now, &view).await?;
    Ok(view)
}
