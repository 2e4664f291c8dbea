//! Creating many invitations at once, asked for by many callers: newcomers share one transaction,
//! and whoever needs a decision of their own gets a transaction of their own.
//!
//! No call can fail another. What a limit refuses is taken out and the rest is tried again; a
//! failure of the whole, whatever its reason, is followed by each call alone.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use domain::{OrganizationId, SendRefusal, Timestamp};
use sea_orm::DatabaseTransaction;

use crate::failpoint;
use crate::settings::LimitSettings;
use crate::trace::Carried;

use super::bulk::Changes;
use super::create::{CreateOutcome, NewInvitation};
use super::idempotency::{self, IdempotencyKey};
use super::invite::Inviting;
use super::limit::Refused;
use super::newcomers::{self, Person};
use super::outlet::Held;
use super::{Call, Result, Store, StoreError, Verdict, announce, enlist, limit};

/// What one caller asks for.
pub(super) struct Asked {
    pub(super) inviting: Inviting,
    pub(super) new: NewInvitation,
    pub(super) key: Option<IdempotencyKey>,
    /// Where in a trace they ask.
    pub(super) trace: Carried,
}

/// A caller who asks for an invitation.
pub(super) type Asking = Call<Arc<Asked>, CreateOutcome>;

/// How one try for all of them ended.
enum Tried {
    /// By the place in the batch: what became of it, or nothing for whoever is no newcomer.
    Ended(Vec<Option<CreateOutcome>>),
    /// Nobody is invited, because these must not be mailed now; the others may be tried again.
    Refused(Vec<(usize, SendRefusal)>),
    /// Nobody is invited, because another transaction was faster with one of them.
    Overtaken,
}

/// How often the rest is tried when some are refused; then each goes alone.
const ROUNDS: usize = 3;

/// Answers all of them.
pub(super) async fn create(store: Store, calls: Vec<Asking>) {
    let (mut calls, mut alone) = without_repeats(calls);
    calls.sort_by_cached_key(|call| call.asks.place());
    for _ in 0..ROUNDS {
        if calls.is_empty() {
            break;
        }
        match attempt(&store, &calls).await {
            Ok(Tried::Ended(outcomes)) => {
                for (call, outcome) in calls.drain(..).zip(outcomes) {
                    match outcome {
                        Some(outcome) => call.answer(Ok(outcome)),
                        None => alone.push(call),
                    }
                }
            }
            Ok(Tried::Refused(refused)) => refuse(&store, &mut calls, refused).await,
            Err(StoreError::Unavailable(why)) => {
                // Each would find out by itself, one time limit after the other.
                for call in calls.into_iter().chain(alone) {
                    call.answer(Err(StoreError::Unavailable(why.clone())));
                }
                return;
            }
            Ok(Tried::Overtaken) | Err(_) => break,
        }
    }
    for call in alone.into_iter().chain(calls) {
        let store = store.clone();
        let trace = call.asks.trace.clone();
        store.runtime.clone().spawn(trace.within(async move {
            let outcome = store.create_alone(&call.asks).await;
            call.answer(outcome);
        }));
    }
}

/// Sets aside what repeats another call's address or key: it is to see what became of that one.
fn without_repeats(calls: Vec<Asking>) -> (Vec<Asking>, Vec<Asking>) {
    let (mut places, mut keys) = (HashSet::new(), HashSet::new());
    calls.into_iter().partition(|call| {
        let is_new = places.insert(call.asks.place());
        call.asks.key_place().is_none_or(|key| keys.insert(key)) && is_new
    })
}

async fn attempt(store: &Store, calls: &[Asking]) -> Result<Tried> {
    let asked: Vec<Arc<Asked>> = calls.iter().map(|call| Arc::clone(&call.asks)).collect();
    let (limits, outlet) = (Arc::clone(&store.limits), Arc::clone(&store.outlet));
    let tried = store.write(move |tx, now| {
        Box::pin(async move {
            let mut held = outlet.hold(asked.len(), now);
            let tried = create_newcomers(tx, now, &limits, &asked, held.as_mut()).await?;
            Ok(tried.map(|tried| (tried, held)))
        })
    });
    let (tried, held) = tried.await?;
    failpoint::reach("create.after_commit").await;
    let created = match &tried {
        Tried::Ended(outcomes) => outcomes.iter().flatten().count(),
        _ => 0,
    };
    if created > 0 {
        store.metrics.created(created);
        match held {
            Some(held) => held.hand_over(),
            None => store.outlet.wake(),
        }
    }
    Ok(tried)
}

async fn create_newcomers(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limits: &LimitSettings,
    asked: &[Arc<Asked>],
    held: Option<&mut Held>,
) -> Result<Verdict<Tried>> {
    let unused = unused(tx, asked).await?;
    let people: Vec<_> = unused.iter().map(|&at| asked[at].person()).collect();
    let users = enlist::find_or_add_users(tx, now, &people).await?;
    let chosen = if users.all_new { unused } else { newcomers(tx, asked, unused).await? };
    let people: Vec<_> = chosen.iter().map(|&at| asked[at].person()).collect();
    let (mut changes, mut log) = (Changes::new(tx), Vec::new());
    let newcomers =
        newcomers::invite(tx, now, &people, &users, &mut changes, &mut log, held).await?;
    let mut keys = Vec::new();
    // Whose mail each one is.
    let (mut mails, mut mailed) = (Vec::new(), Vec::new());
    let mut outcomes: Vec<_> = asked.iter().map(|_| None).collect();
    for (at, newcomer) in chosen.into_iter().zip(newcomers) {
        let Asked { inviting, key, .. } = &*asked[at];
        if let Some(key) = key {
            let answer = &newcomer.invitation;
            keys.push(idempotency::answered(now, inviting.organization, key, answer)?);
        }
        mails.extend(newcomer.mail);
        mailed.resize(mails.len(), at);
        outcomes[at] = Some(CreateOutcome::Created(newcomer.invitation));
    }
    changes.insert(keys)?;
    let refused = |refused: Vec<Refused>| {
        let refused = refused.iter().map(|one| (mailed[one.mail], one.why)).collect();
        Ok(Verdict::RollBack(Tried::Refused(refused)))
    };
    let counting = match limit::count_with(tx, now, limits, &mails, &mut changes).await? {
        Ok(counting) => counting,
        Err(at_once) => return refused(at_once),
    };
    if !announce::make(tx, now, changes, log).await? {
        return Ok(Verdict::RollBack(Tried::Overtaken));
    }
    let too_many = counting.finish(tx, now).await?;
    if !too_many.is_empty() {
        return refused(too_many);
    }
    failpoint::reach("create.before_commit").await;
    Ok(Verdict::Commit(Tried::Ended(outcomes)))
}

/// Who says nothing that was said before, by their places.
async fn unused(tx: &DatabaseTransaction, asked: &[Arc<Asked>]) -> Result<Vec<usize>> {
    let keys = asked.iter().filter_map(|asked| asked.key_place()).collect();
    let used = idempotency::used(tx, keys).await?;
    let is_repeat = |asked: &Asked| asked.key_place().is_some_and(|key| used.contains(&key));
    Ok((0..asked.len()).filter(|&at| !is_repeat(&asked[at])).collect())
}

/// Those of them who are newcomers.
async fn newcomers(
    tx: &DatabaseTransaction,
    asked: &[Arc<Asked>],
    mut places: Vec<usize>,
) -> Result<Vec<usize>> {
    let people: Vec<_> = places.iter().map(|&at| asked[at].person()).collect();
    let known = newcomers::known(tx, &people).await?;
    places.retain(|&at| !known.contains(&asked[at].place()));
    Ok(places)
}

/// Answers those that must not be mailed now, and leaves the others.
async fn refuse(store: &Store, calls: &mut Vec<Asking>, refused: Vec<(usize, SendRefusal)>) {
    let is_paused = |&(_, why): &(usize, SendRefusal)| why == SendRefusal::Paused;
    let paused = refused.iter().copied().filter(is_paused);
    let paused: BTreeSet<OrganizationId> =
        paused.map(|(at, _)| calls[at].asks.inviting.organization).collect();
    for organization in paused {
        if let Err(error) = store.pause_sending(organization).await {
            tracing::warn!(organization.id = %organization, %error, "the pause is not noted yet");
        }
    }
    let mut reasons: Vec<Option<SendRefusal>> = calls.iter().map(|_| None).collect();
    for (at, why) in refused {
        reasons[at] = Some(why);
    }
    for (call, why) in std::mem::take(calls).into_iter().zip(reasons) {
        match why {
            Some(why) => call.answer(Ok(CreateOutcome::Refused(why))),
            None => calls.push(call),
        }
    }
}

impl Asked {
    fn person(&self) -> Person<'_> {
        Person { inviting: &self.inviting, new: &self.new, trace: self.trace.context() }
    }

    fn place(&self) -> newcomers::Place {
        newcomers::place(self.inviting.organization, &self.new.email)
    }

    fn key_place(&self) -> Option<idempotency::Place> {
        self.key.as_ref().map(|key| idempotency::place(self.inviting.organization, key))
    }
}
