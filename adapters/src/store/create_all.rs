//! Recording many invitations in one transaction: all of them, or none.

use domain::{OrganizationId, PolicyRefusal, SendRefusal, Timestamp};
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use super::bulk::Changes;
use super::create::NewInvitation;
use super::idempotency::{self, Earlier, IdempotencyKey};
use super::invite::{self, Invited, Inviting};
use super::limit::Mail;
use super::newcomers::{self, Person};
use super::seats::Seats;
use super::{
    Actor, InvitationView, OrganizationRef, Result, Store, StoreError, Verdict, announce, enlist,
    limit,
};
use crate::trace::Span;

/// What became of one of many.
#[derive(Debug)]
pub enum BatchRow {
    /// Recorded, and its mail will be sent.
    Created(Box<InvitationView>),
    /// The address has this open invitation already.
    Pending(Box<InvitationView>),
    /// The address belongs to an active member.
    Member,
}

/// How a request for many ended.
#[derive(Debug)]
pub enum BatchOutcome<A> {
    /// What the caller made of the rows; it is kept for a repeat of the request.
    Done(A),
    /// The same request was answered before, with this JSON body.
    Replayed(String),
    /// The idempotency key belongs to a different request.
    KeyReused,
    /// Some mails must not be sent now, so nobody was invited: which ones, by their place in the
    /// request, and why.
    Refused(Vec<(usize, SendRefusal)>),
}

const TRIES: usize = 3;

impl Store {
    /// What a request with this key was answered before; `None` if there was none. For a caller who
    /// has slow work to do before [`Store::create_invitations`], which looks again.
    pub async fn earlier_batch<A: Send + 'static>(
        &self,
        organization: OrganizationId,
        key: IdempotencyKey,
    ) -> Result<Option<BatchOutcome<A>>> {
        self.read(move |db, _| {
            Box::pin(async move {
                Ok(idempotency::earlier(db, organization, &key).await?.map(Into::into))
            })
        })
        .await
    }

    /// Records invitations and the intent to mail them, in one transaction; each address should be
    /// there once. `answer` turns the rows, in the order of `new`, into what a repeat gets.
    pub async fn create_invitations<A>(
        &self,
        organization: &OrganizationRef,
        actor: Actor,
        new: Vec<NewInvitation>,
        key: Option<IdempotencyKey>,
        answer: fn(Vec<BatchRow>) -> A,
    ) -> Result<BatchOutcome<A>>
    where
        A: Serialize + Send + Sync + 'static,
    {
        let inviting = self.inviting(organization.id, actor, organization.policy.clone());
        for _ in 0..TRIES {
            let (inviting, new, key) = (inviting.clone(), new.clone(), key.clone());
            let outcome = self
                .write(move |tx, now| {
                    Box::pin(
                        async move { create(tx, now, &inviting, &new, key.as_ref(), answer).await },
                    )
                })
                .await?;
            let Some((outcome, created)) = outcome else { continue };
            self.metrics.created(created);
            match &outcome {
                BatchOutcome::Done(_) => self.outlet.wake(),
                BatchOutcome::Refused(rows) if is_paused(rows) => {
                    self.pause_sending(organization.id).await?;
                }
                _ => {}
            }
            return Ok(outcome);
        }
        Err(StoreError::Busy)
    }
}

/// How the request ended, and how many invitations are new; `None` if another one was faster.
async fn create<A: Serialize + Sync>(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    new: &[NewInvitation],
    key: Option<&IdempotencyKey>,
    answer: fn(Vec<BatchRow>) -> A,
) -> Result<Verdict<Option<(BatchOutcome<A>, usize)>>> {
    let seats = Seats::lock(tx, now, inviting).await?;
    if let Some(key) = key
        && let Some(earlier) = idempotency::claim(tx, now, inviting.organization, key).await?
    {
        return Ok(Verdict::RollBack(Some((earlier.into(), 0))));
    }
    let Some(all) = invite_all(tx, now, inviting, new, seats, &[]).await? else {
        return Ok(Verdict::RollBack(None));
    };
    let not_allowed = all.rows.iter().enumerate().filter_map(|(at, row)| match row {
        Invited::NotAllowed(why) => Some((at, SendRefusal::Policy(*why))),
        _ => None,
    });
    let not_allowed: Vec<_> = not_allowed.collect();
    if !not_allowed.is_empty() {
        return Ok(Verdict::RollBack(Some((BatchOutcome::Refused(not_allowed), 0))));
    }
    let rows = all.rows.into_iter().map(|row| match row {
        Invited::New(invitation) => Some(BatchRow::Created(invitation)),
        Invited::Pending { invitation, .. } => Some(BatchRow::Pending(invitation)),
        Invited::Member => Some(BatchRow::Member),
        Invited::Refused(_) | Invited::NotAllowed(_) | Invited::Overtaken => None,
    });
    let Some(rows) = rows.collect::<Option<Vec<_>>>() else { return Ok(Verdict::RollBack(None)) };
    let created = rows.iter().filter(|row| matches!(row, BatchRow::Created(_))).count();
    let answer = answer(rows);
    if let Some(key) = key {
        idempotency::keep_answer(tx, inviting.organization, key, &answer).await?;
    }
    let refused = limit::count(tx, now, &inviting.limits, &all.mails).await?;
    if !refused.is_empty() {
        let mut rows: Vec<_> = refused.iter().map(|one| (all.whose[one.mail], one.why)).collect();
        rows.sort_by_key(|&(at, _)| at);
        return Ok(Verdict::RollBack(Some((BatchOutcome::Refused(rows), 0))));
    }
    Ok(Verdict::Commit(Some((BatchOutcome::Done(answer), created))))
}

/// What became of many, and the mails that are queued for them, which are still to be counted.
pub(super) struct All {
    /// In the order of what was asked for; none of them is `Overtaken`.
    pub(super) rows: Vec<Invited>,
    pub(super) mails: Vec<Mail>,
    /// Whose mail each one is, by their places.
    pub(super) whose: Vec<usize>,
}

/// Invites many; whoever is refused or a member leaves nothing behind. `None` if another transaction
/// was faster: then this one must be given up. What is done for one of them is part of its span in
/// `spans`, which are in the order of `new`; without them, of what the task is part of.
pub(super) async fn invite_all(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    new: &[NewInvitation],
    mut seats: Seats,
    spans: &[Span],
) -> Result<Option<All>> {
    let inviting = &inviting.of_many();
    // One order for everybody: two batches with the same addresses cannot lock each other out.
    let mut order: Vec<usize> = (0..new.len()).collect();
    order.sort_by_cached_key(|&at| new[at].email.normalized());
    let mut rows: Vec<Option<Invited>> = new.iter().map(|_| None).collect();
    let (mut mails, mut whose) = (Vec::new(), Vec::new());
    order.retain(|&at| {
        rows[at] = inviting.check(&new[at]).err().map(Invited::NotAllowed);
        rows[at].is_none()
    });
    let (mut newcomers, others) = sort_out(tx, inviting, new, order).await?;
    for at in without_a_seat(&newcomers, &seats) {
        rows[at] = Some(Invited::NotAllowed(PolicyRefusal::NoSeat));
    }
    newcomers.retain(|&at| rows[at].is_none());
    seats.take(i64::try_from(newcomers.len()).unwrap_or(i64::MAX));
    let trace = |at: usize| spans.get(at).and_then(Span::context);
    let person = |&at: &usize| Person { inviting, new: &new[at], trace: trace(at) };
    let people: Vec<_> = newcomers.iter().map(person).collect();
    let users = enlist::find_or_add_users(tx, now, &people).await?;
    let (mut changes, mut log) = (Changes::new(tx), Vec::new());
    let invited = newcomers::invite(tx, now, &people, &users, &mut changes, &mut log, None).await?;
    if !announce::make(tx, now, changes, log).await? {
        return Ok(None);
    }
    for (at, newcomer) in newcomers.into_iter().zip(invited) {
        rows[at] = Some(Invited::New(newcomer.invitation));
        mails.extend(newcomer.mail);
        whose.resize(mails.len(), at);
    }
    let nothing = Span::none();
    for at in others {
        let invite = invite::invite(tx, now, inviting, &new[at], &mut seats, &mut mails);
        match spans.get(at).unwrap_or(&nothing).within(invite).await? {
            Invited::Overtaken => return Ok(None),
            invited => rows[at] = Some(invited),
        }
        whose.resize(mails.len(), at);
    }
    Ok(Some(All { rows: rows.into_iter().flatten().collect(), mails, whose }))
}

/// Who is too many: whoever was asked for first gets a seat first.
fn without_a_seat(newcomers: &[usize], seats: &Seats) -> Vec<usize> {
    let mut places = newcomers.to_vec();
    places.sort_unstable();
    let seats = seats.left().unwrap_or(usize::MAX).min(places.len());
    places.split_off(seats)
}

/// Tells newcomers from those who need a decision of their own, by their places in `new`.
async fn sort_out(
    tx: &DatabaseTransaction,
    inviting: &Inviting,
    new: &[NewInvitation],
    order: Vec<usize>,
) -> Result<(Vec<usize>, Vec<usize>)> {
    let people: Vec<_> = new.iter().map(|new| Person { inviting, new, trace: None }).collect();
    let mut known = newcomers::known(tx, &people).await?;
    Ok(order.into_iter().partition(|&at| {
        // Whoever is there a second time finds the first.
        let is_new = known.insert(newcomers::place(inviting.organization, &new[at].email));
        is_new && new[at].password_hash.is_none()
    }))
}

fn is_paused(rows: &[(usize, SendRefusal)]) -> bool {
    rows.iter().any(|(_, why)| *why == SendRefusal::Paused)
}

impl<A> From<Earlier> for BatchOutcome<A> {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Answer(body) => Self::Replayed(body),
            Earlier::OtherRequest => Self::KeyReused,
        }
    }
}
