//! What a long past costs: the product on two million settled invitations, and on none.
#![expect(clippy::print_stderr, reason = "a run of minutes says where it is")]

mod figures;
mod plans;
mod sizes;
pub mod statements;

use std::time::{Duration, Instant};

use app::http::Client;
use sea_orm::Database;
use tokio::task::block_in_place;

use crate::Result;
use crate::load::{self, Until};
use crate::noise::{self, Others};
use crate::options::{Database as Kind, Options};
use crate::product::{KEY, Product, World};
use crate::report::Report;
use crate::rounds::{report_folder, world};
use crate::samples::Samples;
use crate::servers::{create_database, execute};
use crate::statistics::number;
use crate::table;

use self::sizes::Size;

const ROWS: &str = "2000000";
const FILL: &str = include_str!("fill.sql");
const LARGE: &str = "bench_large";
const CLIENTS: usize = 64;
const TIME: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_mins(2);

/// A rescue comes around once in this time.
const RESCUE: (&str, &str) = ("WELCOMAT_WORKER_RESCUE_INTERVAL", "1s");
/// Lists that people ask for; what they look for is common, rare, or nowhere.
const LISTS: &[&str] = &[
    "limit=50",
    "limit=50&status=pending",
    "limit=50&status=accepted",
    "limit=50&delivery_status=sent",
    "limit=50&delivery_status=failed",
    "limit=50&email=o1000@example.com",
];

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

    let (mut rounds, mut live) = (Vec::new(), Vec::new());
    for turn in 1..=options.rounds {
        let (start, others) = (Instant::now(), Others::watch(&world));
        let mut samples = Samples::default();
        block_in_place(|| noise::calibrate(&world.folder, &mut samples))?;
        live = measure(&mut world, &postgres, None, "empty", &mut samples).await?;
        measure(&mut world, &postgres, Some(&url), "large", &mut samples).await?;
        others.note(&world, &mut samples);
        rounds.push(samples);
        eprintln!("round {turn} of {}: {:.0} s", options.rounds, start.elapsed().as_secs_f64());
    }
    let plans = plans::on_large(&mut world, LARGE, &url).await?;
    let first = plans::on_empty(&mut world, &postgres).await?;
    let report = Report::new("2,000,000 settled invitations", figures::LARGE, &rounds);
    table::print(&report);
    statements::print(&report);
    sizes::print("Once everything is settled, without dead rows", &sizes);
    sizes::print("As the service has just written it, with dead rows", &live);
    let folder = report_folder();
    std::fs::write(folder.join("plans.txt"), plans)?;
    std::fs::write(folder.join("plans-empty.txt"), first)?;
    sizes::write(&sizes, &live, &folder)?;
    let path = report.write(&folder, "large")?;
    eprintln!(
        "\nall of it: {}, with plans.txt, sizes.json and statements-*.txt beside it",
        path.display()
    );
    Ok(())
}

/// Invites and mails on one of the databases; an empty one is made for it.
async fn measure(
    world: &mut World,
    postgres: &str,
    large: Option<&str>,
    which: &str,
    samples: &mut Samples,
) -> Result<Vec<Size>> {
    let product = match large {
        Some(url) => world.product_over(LARGE, url, &[RESCUE], true).await?,
        None => world.product_with("empty", &[RESCUE], true).await?,
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
    for _ in 0..20 {
        look_at_list(&product, LISTS[0]).await?;
    }
    look_at_overview(&product).await?;
    statements::read(&database, product.database_name(), which, samples).await?;
    let invitations = number(closed.granted);
    let text = statements::busiest(&database, product.database_name(), invitations).await?;
    std::fs::write(report_folder().join(format!("statements-{which}.txt")), text)?;
    database.close().await?;
    let sizes = sizes::read(&product.database_url).await?;
    world.end(product).await?;
    Ok(sizes)
}

/// Opens the console and looks at what goes on, as somebody with a browser does.
async fn look_at_overview(product: &Product) -> Result<()> {
    let client = Client::new(product.address, None);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let key = format!("key={KEY}");
    let entered = client.send("POST", "/console/sign-in", &form, key.as_bytes()).await?;
    let cookie = entered.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.ok_or("the console lets nobody in")?;
    let path = format!("/console/{}", product.organization);
    let page = client.send("GET", &path, &[("Cookie", cookie)], b"").await?;
    if page.status == 200 {
        return Ok(());
    }
    Err(format!("the overview was answered with {}", page.status).into())
}

/// Asks for a list once.
async fn look_at_list(product: &Product, query: &str) -> Result<()> {
    let client = Client::new(product.address, Some(KEY.to_owned()));
    let path = format!("/v1/organizations/{}/invitations?{query}", product.organization);
    let answer = client.get(&path).await?;
    if answer.status == 200 {
        return Ok(());
    }
    Err(format!("the list with {query} was answered with {}", answer.status).into())
}
