//! `MODE=profile`: what an invitation costs, in half a minute and without the limits: CPU by process,
//! statements by what they took. The processes are there long enough for a profiler.
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use sea_orm::Database;

use crate::Result;
use crate::large::statements;
use crate::load::{self, Until};
use crate::options::{Database as Kind, Options};
use crate::product::{Product, World};
use crate::rounds::{report_folder, world};
use crate::samples::Samples;
use crate::scenes::{CLIENTS, PATIENCE, accept, drain, idle};
use crate::servers::execute;
use crate::statistics::number;
use crate::usage::Cpu;

const TIME: std::time::Duration = std::time::Duration::from_secs(6);
const MAILS: usize = 6000;

/// Measures and prints, so often.
pub async fn run(options: &Options) -> Result<()> {
    if options.database != Kind::Postgres {
        return Err("MODE=profile is about PostgreSQL; leave DATABASE out".into());
    }
    let mut world = world(options)?;
    let server = world.servers.as_ref().ok_or("there are no servers")?;
    statements::watch(&server.postgres).await?;
    let planning = "ALTER SYSTEM SET pg_stat_statements.track_planning = on";
    execute(&server.postgres.url, planning).await?;
    execute(&server.postgres.url, "SELECT pg_reload_conf()").await?;
    for _ in 0..options.rounds {
        alone(&world).await?;
        let mut product = world.product("profile", true).await?;
        together(&mut world, &product).await?;
        full_queue(&mut world, &mut product).await?;
        world.end(product).await?;
    }
    println!("\nstatements: {}", report_folder().join("statements-*.txt").display());
    Ok(())
}

/// One invitation after the other.
async fn alone(world: &World) -> Result<()> {
    let mut samples = Samples::default();
    idle::measure(world, &mut samples).await?;
    let of = |name| samples.get(name).unwrap_or_default();
    let (accepted, sent) = (of("idle_accept_ms"), of("idle_sent_ms"));
    println!("\nidle: accepted after {accepted:.2} ms, sent after {sent:.2} ms");
    Ok(())
}

/// Invitations and mails at the same time.
async fn together(world: &mut World, product: &Product) -> Result<()> {
    world.sink.reset()?;
    let warm = product.warm_up().await?;
    world.sink.until(warm, PATIENCE).await?;
    forget(world).await?;
    let before = Cpu::of(world, product);
    world.sink.reset()?;
    let until = Until { time: TIME, count: usize::MAX };
    let closed = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    accept::note(&mut Samples::default(), "closed", &closed)?;
    let taken = world.sink.until(closed.granted, PATIENCE).await?;
    let mails = number(taken.count) / taken.last.as_secs_f64();
    println!("\n{:.0} accepted/s, {mails:.0} mails/s", closed.rate());
    note(world, product, &before, closed.granted, "together").await
}

/// A worker alone in front of a full queue.
async fn full_queue(world: &mut World, product: &mut Product) -> Result<()> {
    for worker in product.workers.drain(..) {
        worker.stop()?;
    }
    let count = drain::fill(product, MAILS).await?;
    world.sink.reset()?;
    forget(world).await?;
    product.start_worker()?;
    let before = Cpu::of(world, product);
    let taken = world.sink.until(count, PATIENCE).await?;
    println!("\n{:.0} mails/s from a full queue", drain::rate(taken));
    note(world, product, &before, count, "drain").await
}

async fn forget(world: &World) -> Result<()> {
    let server = world.servers.as_ref().ok_or("there are no servers")?;
    let database = Database::connect(&server.postgres.url).await?;
    statements::forget(&database).await?;
    Ok(database.close().await?)
}

async fn note(
    world: &World,
    product: &Product,
    before: &Cpu,
    count: usize,
    name: &str,
) -> Result<()> {
    let after = Cpu::of(world, product);
    let parts: Vec<String> = after
        .since(before)
        .map(|(name, seconds)| format!("{name} {:.3}", seconds / number(count) * 1000.0))
        .collect();
    println!("CPU seconds per 1,000 invitations: {}", parts.join(", "));
    let server = world.servers.as_ref().ok_or("there are no servers")?;
    let database = Database::connect(&server.postgres.url).await?;
    let text = statements::busiest(&database, product.database_name(), number(count)).await?;
    std::fs::write(report_folder().join(format!("statements-{name}.txt")), text)?;
    Ok(database.close().await?)
}
