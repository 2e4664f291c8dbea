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
use crate::options::{Database, Options};
use crate::product::{World, fresh_folder};
use crate::report::Report;
use crate::samples::Samples;
use crate::scenes::{accept, bulk, drain, idle, outage};
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
        round(&mut world, &mails, &mut samples).await?;
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
async fn round(world: &mut World, mails: &Arc<MailMaker>, samples: &mut Samples) -> Result<()> {
    let wire = mails.on_the_wire()?;
    let mut progress = Progress(Instant::now());

    smtp::measure(&mut world.sink, &wire, samples).await?;
    commits(world, samples).await?;
    if let Some(servers) = &world.servers {
        publish::measure(&servers.rabbitmq.url, samples).await?;
    }
    progress.say("limits of one");
    idle::measure(world, samples).await?;
    progress.say("idle");

    invites(world, samples).await?;
    progress.say("limits of accepting");
    accept::measure(world, samples).await?;
    progress.say("accepting and mailing");
    samples.set("mail_bytes.product", number(world.sink.last()?.len()));
    samples.set("mail_bytes.limits", number(wire.len()));
    outage::without_mail(world, samples).await?;
    progress.say("SMTP stopped");
    if world.servers.is_some() {
        outage::without_broker(world, samples).await?;
        progress.say("RabbitMQ stopped");
    }

    samples.set("limit.render_per_s", block_in_place(|| mails.rate(RENDERING))?);
    lettre::measure(&mut world.sink, mails, samples).await?;
    progress.say("limits of mailing");
    if world.servers.is_some() {
        drain::fast(world, samples).await?;
        progress.say("full queue");
    }
    drain::slow(world, samples).await?;
    progress.say("slow mail server");

    bulks(world, samples).await?;
    progress.say("limits of bulk");
    bulk::measure(world, samples).await?;
    progress.say("bulk");
    Ok(())
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
    Ok(World { servers, sink: Sink::start()?, folder })
}

/// Where reports are: `target/bench`.
pub fn report_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench")
}
