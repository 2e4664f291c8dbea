//! What a long past costs: the product on two million settled invitations, and on none.
#![expect(clippy::print_stderr, reason = "a run of minutes says where it is")]

mod figures;
mod plans;
mod sizes;
mod statements;

use std::time::{Duration, Instant};

use sea_orm::Database;
use tokio::task::block_in_place;

use crate::Result;
use crate::load::{self, Until};
use crate::noise::{self, Steal};
use crate::options::{Database as Kind, Options};
use crate::product::World;
use crate::report::Report;
use crate::rounds::{report_folder, world};
use crate::samples::Samples;
use crate::servers::{create_database, execute};
use crate::table;

const ROWS: &str = "2000000";
const FILL: &str = include_str!("fill.sql");
const LARGE: &str = "bench_large";
const CLIENTS: usize = 64;
const TIME: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_mins(2);

/// Fills a database, measures both, prints and writes.
pub async fn run(options: &Options) -> Result<()> {
    if options.database != Kind::Postgres {
        return Err("MODE=large is about PostgreSQL; leave DATABASE out".into());
    }
    let mut world = world(options)?;
    let server = world.servers.as_ref().ok_or("there are no servers")?;
    statements::watch(&server.postgres).await?;
    let url = create_database(&server.postgres.url, LARGE).await?;
    let postgres = server.postgres.url.clone();
    // The first start makes the tables and the organization.
    world.end(world.product_over(LARGE, &url, &[], false).await?).await?;
    let start = Instant::now();
    execute(&url, &FILL.replace("ROWS", ROWS)).await?;
    execute(&url, "VACUUM (ANALYZE)").await?;
    execute(&url, "CHECKPOINT").await?;
    eprintln!("{ROWS} settled invitations made in {:.0} s", start.elapsed().as_secs_f64());
    let sizes = sizes::read(&url).await?;

    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let (start, steal) = (Instant::now(), Steal::watch());
        let mut samples = Samples::default();
        block_in_place(|| noise::calibrate(&world.folder, &mut samples))?;
        measure(&mut world, &postgres, None, "empty", &mut samples).await?;
        measure(&mut world, &postgres, Some(&url), "large", &mut samples).await?;
        samples.set("noise.steal", steal.share());
        rounds.push(samples);
        eprintln!("round {number} of {}: {:.0} s", options.rounds, start.elapsed().as_secs_f64());
    }
    let plans = plans::collect(&mut world, LARGE, &url).await?;
    let report = Report::new("2,000,000 settled invitations", figures::LARGE, &rounds);
    table::print(&report);
    statements::print(&report);
    sizes::print(&sizes);
    let folder = report_folder();
    std::fs::write(folder.join("plans.txt"), plans)?;
    sizes::write(&sizes, &folder)?;
    let path = report.write(&folder, "large")?;
    eprintln!("\nall of it: {}, and plans.txt and sizes.json beside it", path.display());
    Ok(())
}

/// Invites and mails on one of the databases; an empty one is made for it.
async fn measure(
    world: &mut World,
    postgres: &str,
    large: Option<&str>,
    which: &str,
    samples: &mut Samples,
) -> Result<()> {
    let product = match large {
        Some(url) => world.product_over(LARGE, url, &[], true).await?,
        None => world.product("empty", true).await?,
    };
    world.sink.reset()?;
    let warm = product.warm_up().await?;
    world.sink.until(warm, PATIENCE).await?;
    let database = Database::connect(postgres).await?;
    statements::forget(&database).await?;
    world.sink.reset()?;
    let until = Until { time: TIME, count: usize::MAX };
    let closed = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    if let Some(refusal) = &closed.refusal {
        return Err(format!("an invitation was refused: {refusal}").into());
    }
    world.sink.until(closed.granted, PATIENCE).await?;
    samples.set(format!("{which}.accepted_per_s"), closed.rate());
    statements::read(&database, product.database_name(), which, samples).await?;
    database.close().await?;
    world.end(product).await
}
