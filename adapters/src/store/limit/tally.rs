//! Adding to counts, many in one statement.

use std::collections::{BTreeMap, HashMap};

use domain::{Limit, SendRefusal, Timestamp};
use entity::tally::{self, Column};
use sea_orm::prelude::Expr;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, ExprTrait, Set};
use serde::Deserialize;

use super::Refused;
use crate::store::bulk::{self, Changes, Told, hex};
use crate::store::{Result, StoreError, convert};

/// What is counted: a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// What happened.
    pub(super) kind: &'static str,
    /// By or to whom.
    pub(super) subject: Vec<u8>,
    /// Since when.
    pub(super) start: Timestamp,
}

/// A count that is to grow.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    /// Which.
    pub(super) key: Key,
    /// If given, different ones of these are counted, and not how often they come.
    pub(super) seen: Option<String>,
    /// How far it may grow.
    pub(super) most: Option<(Limit, u32)>,
    /// When it matters no more; never without.
    pub(super) forget_at: Option<Timestamp>,
}

/// Counters and the mails that make them grow; in one order for everybody, so that no two
/// transactions lock each other out.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<(Key, Option<String>), Entry>);

struct Entry {
    counter: Counter,
    mails: Vec<usize>,
}

// Something that was seen before does not count again; what is never looked for counts each time.
const TOTAL: &str = r#""tally"."total" + CASE WHEN "tally"."seen" LIKE '%' || excluded."seen" || '%'
    THEN 0 ELSE excluded."total" END"#;
const SEEN: &str = r#"CASE WHEN "tally"."seen" LIKE '%' || excluded."seen" || '%'
    THEN "tally"."seen" ELSE "tally"."seen" || ' ' || excluded."seen" END"#;

impl Tally {
    /// Lets a mail, by its number, count.
    pub(super) fn add(&mut self, counter: Counter, mail: usize) {
        let place = (counter.key.clone(), counter.seen.clone());
        let entry = self.0.entry(place).or_insert_with(|| Entry { counter, mails: Vec::new() });
        entry.mails.push(mail);
    }

    /// Writes all of it. Says which mails are too many, and of several limits the one that lasts.
    pub(super) async fn write(
        self,
        tx: &DatabaseTransaction,
        now: Timestamp,
    ) -> Result<Vec<Refused>> {
        Counting { told: None, rounds: self.rounds() }.finish(tx, now).await
    }

    /// Adds what one statement can do to `changes`, so that it costs no way to the database of its own;
    /// to be finished once they are made.
    pub(super) fn write_with(self, changes: &mut Changes) -> Result<Counting> {
        let rounds = self.rounds();
        let columns = [Column::Kind, Column::Subject, Column::WindowStart, Column::Total];
        let told = match rounds.first() {
            Some(first) => {
                let limits = first.iter().filter_map(|entry| entry.counter.most);
                let least = limits.map(|(_, most)| most).min().unwrap_or(u32::MAX);
                // Up to there, none of them is too many.
                let only = Expr::col(Column::Total).gt(i64::from(least));
                changes.insert_and_tell(rows(first), grow(), &columns, Some(only))?
            }
            None => None,
        };
        Ok(Counting { told, rounds })
    }

    /// A statement may touch a row once: what adds to the same one waits for the next.
    fn rounds(self) -> Vec<Vec<Entry>> {
        let mut rounds: Vec<Vec<Entry>> = Vec::new();
        let mut before: Option<(Key, usize)> = None;
        for entry in self.0.into_values() {
            let key = entry.counter.key.clone();
            let round = match before {
                Some((last, round)) if last == key => round + 1,
                _ => 0,
            };
            before = Some((key, round));
            if rounds.len() == round {
                rounds.push(Vec::new());
            }
            rounds[round].push(entry);
        }
        rounds
    }
}

/// Counts that are about to grow.
pub(in crate::store) struct Counting {
    /// What became of the first round, if that is written with other changes: the counts that may be
    /// too many.
    told: Option<Told>,
    rounds: Vec<Vec<Entry>>,
}

/// A count as the database tells it.
#[derive(Deserialize)]
struct Counted {
    kind: String,
    subject: String,
    window_start: Timestamp,
    total: i64,
}

impl Counting {
    /// Writes the rest. Says which mails are too many, and of several limits the one that lasts.
    pub(in crate::store) async fn finish(
        self,
        tx: &DatabaseTransaction,
        now: Timestamp,
    ) -> Result<Vec<Refused>> {
        let mut refused = BTreeMap::new();
        let mut told = self.told;
        for round in self.rounds {
            let totals = match told.take() {
                Some(told) => totals(&round, &told)?,
                None => add(tx, &round).await?,
            };
            for (entry, total) in totals {
                let Some((limit, most)) = entry.counter.most else { continue };
                let reason = (limit.window().rest(now), limit);
                for mail in entry.beyond(total - i64::from(most)) {
                    let longest = refused.entry(*mail).or_insert(reason);
                    *longest = reason.max(*longest);
                }
            }
        }
        let refusal = |(mail, (retry_after, limit))| Refused {
            mail,
            why: SendRefusal::Limit { limit, retry_after },
        };
        Ok(refused.into_iter().map(refusal).collect())
    }
}

impl Entry {
    fn count(&self) -> usize {
        if self.counter.seen.is_some() { 1 } else { self.mails.len() }
    }

    /// The mails that make it so much too many: the last ones, or all where they count as one.
    fn beyond(&self, excess: i64) -> &[usize] {
        let excess = usize::try_from(excess).unwrap_or_default();
        let kept = self.count().saturating_sub(excess);
        if self.counter.seen.is_some() && kept > 0 { &[] } else { &self.mails[kept..] }
    }
}

fn rows(part: &[Entry]) -> Vec<tally::ActiveModel> {
    let row = |entry: &Entry| tally::ActiveModel {
        kind: Set(entry.counter.key.kind.to_owned()),
        subject: Set(entry.counter.key.subject.clone()),
        window_start: Set(entry.counter.key.start),
        total: Set(i64::try_from(entry.count()).unwrap_or(i64::MAX)),
        seen: Set(entry.counter.seen.clone()),
        forget_at: Set(entry.counter.forget_at),
    };
    part.iter().map(row).collect()
}

fn grow() -> OnConflict {
    OnConflict::columns([Column::Kind, Column::Subject, Column::WindowStart])
        .value(Column::Total, Expr::cust(TOTAL))
        .value(Column::Seen, Expr::cust(SEEN))
        .to_owned()
}

/// One statement; gives each entry with its new total.
async fn add<'a>(tx: &DatabaseTransaction, part: &'a [Entry]) -> Result<Vec<(&'a Entry, i64)>> {
    let written = bulk::insert(tx, rows(part), grow()).await?;
    // They come back in any order; `part` is sorted by its keys.
    let total = |row: tally::Model| {
        let at = part.binary_search_by(|entry| {
            let key = &entry.counter.key;
            (key.kind, &key.subject, key.start).cmp(&(&row.kind, &row.subject, row.window_start))
        });
        Some((&part[at.ok()?], row.total))
    };
    Ok(written.into_iter().filter_map(total).collect())
}

/// The same of what was written with other changes, as far as it was told.
fn totals<'a>(part: &'a [Entry], told: &Told) -> Result<Vec<(&'a Entry, i64)>> {
    if told.rows().is_empty() {
        return Ok(Vec::new());
    }
    let key = |entry: &Entry| {
        let Key { kind, subject, start } = &entry.counter.key;
        ((*kind).to_owned(), hex(subject), *start)
    };
    let entries: HashMap<_, _> = part.iter().map(|entry| (key(entry), entry)).collect();
    let total = |row| {
        let row = Counted::deserialize(row).map_err(|_| convert::inconsistent("tally", "total"))?;
        let entry = entries.get(&(row.kind, row.subject, row.window_start));
        Ok((*entry.ok_or(StoreError::Busy)?, row.total))
    };
    told.rows().iter().map(total).collect()
}
