//! What the database can do at best: pgbench with statements that do what the product does.

use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::Database;

use super::{REST, TURNS, statements};
use crate::Result;
use crate::samples::Samples;
use crate::servers::{Server, create_database, execute};

const DATABASE: &str = "limits";
/// Invitations in one statement: what the bulk request has.
const BULK: usize = 1000;
/// Invitations whose life goes on in one statement, and how often at most.
const BATCH: usize = 100;
const MOST_BATCHES: f64 = 120.0;

/// The database of the limits, with the product's own schema.
pub struct Pgbench<'a> {
    server: &'a Server,
    url: String,
}

/// What pgbench printed.
struct Printed {
    per_second: f64,
    latency_ms: f64,
}

impl<'a> Pgbench<'a> {
    /// Makes the database.
    pub async fn prepare(server: &Server) -> Result<()> {
        let url = create_database(&server.url, DATABASE).await?;
        let database = Database::connect(&url).await?;
        Migrator::up(&database, None).await?;
        database.close().await?;
        execute(&url, statements::PREPARE).await
    }

    /// The database that was made before.
    pub fn of(server: &'a Server) -> Result<Self> {
        let (base, _) = server.url.rsplit_once('/').ok_or("the URL names no database")?;
        Ok(Self { server, url: format!("{base}/{DATABASE}") })
    }

    /// One invitation a statement, on 64 connections and on one.
    pub async fn invite(&self, samples: &mut Samples) -> Result<()> {
        let bare = self.run(64, Duration::from_secs(2), &statements::invite_bare())?;
        samples.set("limit.pg_bare_per_s", bare.per_second);
        self.empty().await?;
        let one = self.run(64, Duration::from_secs(3), &statements::invite(1))?;
        samples.set("limit.pg_invite_per_s", one.per_second);
        samples.set("limit.pg_invite_c64_ms", one.latency_ms);
        self.empty().await
    }

    /// What one commit takes on an idle server: an invitation, and a report.
    pub async fn commits(&self, samples: &mut Samples) -> Result<()> {
        let invite = self.at_rest(&statements::invite(1))?;
        execute(&self.url, statements::LOOK).await?;
        let report = self.at_rest(&statements::report_one())?;
        samples.set("limit.commit_invite_ms", invite);
        samples.set("limit.commit_report_ms", report);
        self.empty().await
    }

    /// A thousand invitations a statement, and the rest of their life a hundred at a time.
    pub async fn bulk(&self, samples: &mut Samples) -> Result<()> {
        let bulk = self.run(2, Duration::from_secs(3), &statements::invite(BULK))?;
        let rows = bulk.per_second * crate::statistics::number(BULK);
        samples.set("limit.pg_bulk_rows_per_s", rows);
        let there = rows * 3.0 / crate::statistics::number(BATCH) / 2.0;
        // What there is must last: a batch of nothing would cost nothing.
        let batches = (there * 0.8).clamp(1.0, MOST_BATCHES).floor();
        execute(&self.url, statements::LOOK).await?;
        let arguments = arguments(2, &["-t".to_owned(), batches.to_string()]);
        let printed = self.server.pgbench(DATABASE, &arguments, &statements::live(BATCH))?;
        let life = read(&printed)?;
        let lives = life.per_second * crate::statistics::number(BATCH);
        samples.set("limit.pg_life_rows_per_s", lives);
        self.empty().await
    }

    /// Milliseconds that one transaction takes on a server that rests in between. What pgbench is late
    /// itself is in its latency, and no part of that.
    fn at_rest(&self, script: &str) -> Result<f64> {
        let rate = (REST.as_secs_f64().recip()).to_string();
        let arguments = arguments(1, &["-R".into(), rate, "-t".into(), TURNS.to_string()]);
        let printed = self.server.pgbench(DATABASE, &arguments, script)?;
        let late = after(&printed, "rate limit schedule lag: avg ");
        let late =
            late.ok_or_else(|| format!("pgbench does not say how late it was:\n{printed}"))?;
        Ok(read(&printed)?.latency_ms - late)
    }

    async fn empty(&self) -> Result<()> {
        execute(&self.url, statements::EMPTY).await
    }

    fn run(&self, clients: usize, time: Duration, script: &str) -> Result<Printed> {
        let seconds = time.as_secs().max(1).to_string();
        let arguments = arguments(clients, &["-T".to_owned(), seconds]);
        read(&self.server.pgbench(DATABASE, &arguments, script)?)
    }
}

/// The number behind these words.
fn after(printed: &str, words: &str) -> Option<f64> {
    let line = printed.lines().find_map(|line| line.strip_prefix(words))?;
    line.split_whitespace().next()?.parse().ok()
}

fn arguments(clients: usize, more: &[String]) -> Vec<String> {
    let threads = clients.min(2).to_string();
    let own = ["-c".to_owned(), clients.to_string(), "-j".to_owned(), threads];
    [&own[..], more].concat()
}

fn read(printed: &str) -> Result<Printed> {
    let failed = after(printed, "number of failed transactions: ").unwrap_or(0.0);
    let (per_second, latency_ms) = (after(printed, "tps = "), after(printed, "latency average = "));
    match (per_second, latency_ms) {
        (Some(per_second), Some(latency_ms)) if failed == 0.0 => {
            Ok(Printed { per_second, latency_ms })
        }
        _ => Err(format!("pgbench printed something else than its result:\n{printed}").into()),
    }
}
