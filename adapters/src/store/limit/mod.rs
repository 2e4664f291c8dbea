//! Limits on mails: counted in the transaction that queues them, and refused by rolling it back.
//!
//! So the counts are those of all processes together, a refused request leaves nothing behind, and
//! what is counted is what is sent: a delivery that was queued, whatever became of its invitation.

mod mail;
mod standing;
mod tally;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::{Limit, OrganizationId, SendRefusal, Timestamp};
use sea_orm::DatabaseTransaction;

pub(super) use mail::Mail;
pub(super) use standing::{count_accepted, record as record_standing};

use self::standing::Standing;
use self::tally::{Counter, Counting, Key, Tally};
use super::Result;
use super::bulk::Changes;
use crate::settings::LimitSettings;

/// A mail that may not be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    /// Which of them.
    pub(super) mail: usize,
    /// Why.
    pub(super) why: SendRefusal,
}

/// Counts the mails that this transaction has queued. If any of them are refused, in the order of
/// `mails`, the transaction must be rolled back; without these, it may be tried again.
///
/// To be called last of all: many transactions meet in the rows that count.
pub(super) async fn count(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limits: &LimitSettings,
    mails: &[Mail],
) -> Result<Vec<Refused>> {
    match tally(tx, now, limits, mails).await? {
        Ok(tally) => tally.write(tx, now).await,
        Err(refused) => Ok(refused),
    }
}

/// The same together with changes that are still to be made, which saves a way to the database and back:
/// [`Counting::finish`] says what is refused then. The error is what is refused at once.
pub(super) async fn count_with(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limits: &LimitSettings,
    mails: &[Mail],
    changes: &mut Changes,
) -> Result<Result<Counting, Vec<Refused>>> {
    match tally(tx, now, limits, mails).await? {
        Ok(tally) => tally.write_with(changes).map(Ok),
        Err(refused) => Ok(Err(refused)),
    }
}

/// What the mails add to; or those that must not be sent whatever the counts are.
async fn tally(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limits: &LimitSettings,
    mails: &[Mail],
) -> Result<Result<Tally, Vec<Refused>>> {
    let standings = standings(tx, now, limits, mails).await?;
    let standing = |mail: &Mail| standings.get(&mail.organization).copied().unwrap_or_default();
    let paused = |(at, mail): (usize, &Mail)| {
        standing(mail).is_paused.then_some(Refused { mail: at, why: SendRefusal::Paused })
    };
    let refused: Vec<_> = mails.iter().enumerate().filter_map(paused).collect();
    if !refused.is_empty() {
        return Ok(Err(refused));
    }
    let mut tally = Tally::default();
    for (at, mail) in mails.iter().enumerate() {
        for (limit, subject) in mail.subjects(standing(mail).is_new) {
            if let Some(most) = limits.of(limit) {
                tally.add(counter(limit, subject, most, mail, now), at);
            }
        }
        if mail.first && limits.acceptance_rule().is_some() {
            tally.add(standing::invited(mail.organization, now), at);
        }
    }
    Ok(Ok(tally))
}

fn counter(limit: Limit, subject: Vec<u8>, most: u32, mail: &Mail, now: Timestamp) -> Counter {
    let window = limit.window();
    Counter {
        key: Key { kind: limit.as_str(), subject, start: window.start(now) },
        seen: limit.counts_organizations().then(|| mail.organization.to_string()),
        most: Some((limit, most)),
        forget_at: Some(window.end(now)),
    }
}

/// What matters of each organization; nothing if nothing does.
async fn standings(
    tx: &DatabaseTransaction,
    now: Timestamp,
    limits: &LimitSettings,
    mails: &[Mail],
) -> Result<HashMap<OrganizationId, Standing>> {
    let mut standings = HashMap::new();
    if !standing::matters(limits) {
        return Ok(standings);
    }
    for mail in mails {
        if let Entry::Vacant(unknown) = standings.entry(mail.organization) {
            unknown.insert(standing::of(tx, now, limits, mail.organization).await?);
        }
    }
    Ok(standings)
}
