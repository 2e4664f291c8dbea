//! The usual run: rounds in which limits and product take turns, so that both meet the same noise.
#![expect(clippy::print_stderr, reason = "a run of minutes says where it is")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::block_in_place;

use crate::Result;
use crate::figures;
use crate::limits::pgbench::Pgbench;
use crate::limits::{lettre, publish, smtp, sqlite};
use crate::mail::MailMaker;
use crate::noise::{self, Others};
use crate::options::{Database, Options, Scene};
use crate::product::{World, fresh_folder};
use crate::report::Report;
use crate::samples::Samples;
use crate::scenes::{accept, bulk, drain, fair, idle, outage, scale};
use crate::servers::Servers;
use crate::sink::Sink;
use crate::statistics::number;
use crate::table;

const RENDERING: Duration = Duration::from_millis(700);

/// Measures, prints and writes.
pub async fn run(options: &Options) -> Result<()> {
    let mut world = world(options)?;
    let mails = Arc::new(MailMaker::new()?);
    let mut rounds = Vec::new();
    if let Some(servers) = &world.servers {
        Pgbench::prepare(&servers.postgres).await?;
    }
    for turn in 1..=options.rounds {
        let start = Instant::now();
        let others = Others::watch(&world);
        let mut samples = Samples::default();
        block_in_place(|| noise::calibrate(&world.folder, &mut samples))?;
        round(options, &mut world, &mails, &mut samples).await?;
        others.note(&world, &mut samples);
        rounds.push(samples);
        eprintln!("round {turn} of {}: {:.0} s", options.rounds, start.elapsed().as_secs_f64());
    }
    let (title, name) = match options.database {
        Database::Postgres => ("API and worker over PostgreSQL and RabbitMQ", "postgres"),
        Database::Sqlite => {
            ("the embedded product over SQLite, pgbench replaced by one connection", "sqlite")
        }
    };
    let report = Report::new(title, figures::USUAL, &rounds);
    table::print(&report);
    let path = report.write(&report_folder(), name)?;
    eprintln!("\nall of it: {}", path.display());
    Ok(())
}

/// Each limit right before the scenes that are compared with it.
async fn round(
    options: &Options,
    world: &mut World,
    mails: &Arc<MailMaker>,
    samples: &mut Samples,
) -> Result<()> {
    let wants = |scene| options.wants(scene);
    let mut progress = Progress(Instant::now());
    if wants(Scene::Idle) || wants(Scene::Accept) {
        limits_of_one(world, mails, samples).await?;
        progress.say("limits of one");
    }
    if wants(Scene::Idle) {
        idle::measure(world, samples).await?;
        progress.say("idle");
    }
    if wants(Scene::Accept) {
        accepting(world, mails, samples).await?;
        progress.say("accepting and mailing");
    }
    if wants(Scene::Outage) {
        outages(world, samples).await?;
        progress.say("SMTP and RabbitMQ stopped");
    }
    if wants(Scene::Accept) || wants(Scene::Drain) {
        samples.set("limit.render_per_s", block_in_place(|| mails.rate(RENDERING))?);
    }
    if wants(Scene::Drain) {
        draining(world, mails, samples).await?;
        progress.say("full queue and slow mail server");
    }
    if wants(Scene::Accept) || wants(Scene::Bulk) {
        bulks(world, samples).await?;
    }
    if wants(Scene::Bulk) {
        bulk::measure(world, samples).await?;
        progress.say("bulk");
    }
    if wants(Scene::Fair) {
        fair::measure(world, samples).await?;
        progress.say("one beside many");
    }
    if wants(Scene::Scale) {
        scale::measure(world, samples).await?;
        progress.say("more and more workers");
    }
    Ok(())
}

async fn limits_of_one(world: &mut World, mails: &MailMaker, samples: &mut Samples) -> Result<()> {
    smtp::measure(&mut world.sink, &mails.on_the_wire()?, samples).await?;
    commits(world, samples).await?;
    match &world.servers {
        Some(servers) => publish::measure(&servers.rabbitmq.url, samples).await,
        None => Ok(()),
    }
}

async fn accepting(world: &mut World, mails: &MailMaker, samples: &mut Samples) -> Result<()> {
    invites(world, samples).await?;
    accept::measure(world, samples).await?;
    samples.set("mail_bytes.product", number(world.sink.last()?.len()));
    samples.set("mail_bytes.limits", number(mails.on_the_wire()?.len()));
    Ok(())
}

async fn outages(world: &mut World, samples: &mut Samples) -> Result<()> {
    outage::without_mail(world, samples).await?;
    if world.servers.is_some() { outage::without_broker(world, samples).await } else { Ok(()) }
}

async fn draining(world: &mut World, mails: &Arc<MailMaker>, samples: &mut Samples) -> Result<()> {
    lettre::measure(&mut world.sink, mails, samples).await?;
    if world.servers.is_some() {
        drain::fast(world, samples).await?;
        drain::secure(world, samples).await?;
    }
    drain::slow(world, samples).await
}

/// What a run of minutes does at present.
struct Progress(Instant);

impl Progress {
    fn say(&mut self, what: &str) {
        eprintln!("  {what}: {:.1} s", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

async fn commits(world: &World, samples: &mut Samples) -> Result<()> {
    match &world.servers {
        Some(servers) => Pgbench::of(&servers.postgres)?.commits(samples).await,
        None => sqlite::commits(&world.folder, samples).await,
    }
}

async fn invites(world: &World, samples: &mut Samples) -> Result<()> {
    match &world.servers {
        Some(servers) => Pgbench::of(&servers.postgres)?.invite(samples).await,
        None => sqlite::invite(&world.folder, samples).await,
    }
}

async fn bulks(world: &World, samples: &mut Samples) -> Result<()> {
    match &world.servers {
        Some(servers) => Pgbench::of(&servers.postgres)?.bulk(samples).await,
        None => sqlite::bulk(&world.folder, samples).await,
    }
}

/// Starts servers and the mail server.
pub fn world(options: &Options) -> Result<World> {
    let folder = fresh_folder(&report_folder().join("work"))?;
    let servers = match options.database {
        Database::Postgres => Some(block_in_place(Servers::start)?),
        Database::Sqlite => None,
    };
    Ok(World { servers, sink: Sink::start()?, folder, settings: options.settings.clone() })
}

/// Where reports are: `target/bench`.
pub fn report_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench")
}
