//! Everything runs: people invite at 64 connections, then at a fixed rate, and the mails go out.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use super::{CLIENTS, PATIENCE};
use crate::Result;
use crate::load::{self, Outcome, Until};
use crate::product::World;
use crate::samples::Samples;
use crate::statistics::number;
use crate::usage::{Cpu, Memory};

const TIME: Duration = Duration::from_secs(4);
const MOST: usize = 24_000;
const STEADY_PER_SECOND: u32 = 200;
const STEADY: Duration = Duration::from_secs(3);

/// Accepts and mails at once.
pub async fn measure(world: &mut World, samples: &mut Samples) -> Result<()> {
    let product = world.product("accept", true).await?;
    world.sink.reset()?;
    let warm = product.warm_up().await?;
    world.sink.until(warm, PATIENCE).await?;

    let until = Until { time: Duration::from_secs(1), count: usize::MAX };
    let floor = load::closed(product.address, &product.nothing(), CLIENTS, until).await?;
    samples.set("limit.http_per_s", floor.rate());

    world.sink.reset()?;
    let steady = load::open(product.address, &product.invite(), STEADY_PER_SECOND, STEADY).await?;
    note(samples, "open", &steady)?;
    world.sink.until(steady.granted, PATIENCE).await?;

    let memory = Memory::watch(&product);
    let before = Cpu::of(world, &product);
    let log_before = written(world).await?;
    world.sink.reset()?;
    let until = Until { time: TIME, count: MOST };
    let closed = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    note(samples, "closed", &closed)?;
    let taken = world.sink.until(closed.granted, PATIENCE).await?;
    let after = Cpu::of(world, &product);
    if let (Some(before), Some(after)) = (log_before, written(world).await?) {
        samples.set("wal_bytes_per_invitation", (after - before) / number(closed.granted));
    }

    samples.set("accepted_per_s", closed.rate());
    samples.set("mails_per_s", number(taken.count) / taken.last.as_secs_f64());
    samples.set("pss_mb", memory.peak());
    let thousands = number(closed.granted) / 1000.0;
    let mut own = 0.0;
    for (name, seconds) in after.since(&before) {
        samples.set(format!("cpu_s_per_1000.{name}"), seconds / thousands);
        if name.starts_with("welcomat") {
            own += seconds / thousands;
        }
    }
    samples.set("own_cpu_s_per_1000", own);
    drop(memory);
    world.end(product).await
}

/// Bytes that the database has written to its log so far.
async fn written(world: &World) -> Result<Option<f64>> {
    let Some(servers) = &world.servers else { return Ok(None) };
    let database = Database::connect(&servers.postgres.url).await?;
    let ask = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes";
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await?;
    let bytes = row.ok_or("the database does not tell its place in the log")?;
    database.close().await?;
    Ok(Some(bytes.try_get("", "bytes")?))
}

/// Latencies, and whether all was granted.
pub fn note(samples: &mut Samples, loop_kind: &str, outcome: &Outcome) -> Result<()> {
    if let Some(refusal) = &outcome.refusal {
        let refused = outcome.refused;
        return Err(format!("{refused} requests were refused, the first with {refusal}").into());
    }
    for percent in [50, 90, 99] {
        let latency = outcome.latencies.percentile(percent);
        samples.set(format!("{loop_kind}_p{percent}_ms"), latency);
    }
    Ok(())
}
