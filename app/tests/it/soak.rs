//! Ten bad minutes: bad weather at the mail server, workers and APIs killed in turn, the broker
//! killed and restarted, and every invitation still gets its mail.
//!
//! `make soak` runs it. `SOAK_SEED`, `SOAK_DATABASE` (postgres or sqlite), `SOAK_INVITATIONS` and
//! `SOAK_SECONDS` change it; the seed decides the weather and who dies when.
#![expect(clippy::print_stderr, reason = "somebody watches it")]

use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

use futures_util::stream::{StreamExt, iter};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::faults::{HASTE, Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::{FreshDatabase, OwnServer, eventually_within};
use crate::smtp_sink::Weather;

const WORKERS: usize = 3;
/// Mails that a worker may have out without a report when it dies: two for each connection.
const UNREPORTED: usize = 16;
const AT_ONCE: usize = 64;
/// Both APIs may be away, and the machine be busy with a broker that starts.
const PATIENCE: Duration = Duration::from_mins(3);
/// Percent of the mails that are put off, and whose connection breaks.
const DEFERRED: u32 = 10;
const DROPPED: u32 = 5;
/// Somebody dies this often, and every so many deaths the broker goes as well.
const DEATH: Duration = Duration::from_secs(2);
const DEATHS_PER_BROKER: u32 = 20;
/// Of the time, the invitations are spread over so much.
const BUSY: f64 = 0.85;

struct Plan {
    seed: u64,
    sqlite: bool,
    invitations: usize,
    time: Duration,
}

#[test]
fn ten_bad_minutes_lose_nothing() {
    let plan = Plan::from_environment();
    eprintln!(
        "soak: seed {}, {}, {} invitations in {} s",
        plan.seed,
        if plan.sqlite { "SQLite" } else { "PostgreSQL" },
        plan.invitations,
        plan.time.as_secs()
    );
    block_on(async {
        let _turn = TURN.acquire().await;
        soak(&plan).await;
    });
}

async fn soak(plan: &Plan) {
    let broker = OwnServer::start("rabbitmq");
    let database = if plan.sqlite { None } else { Some(FreshDatabase::create().await) };
    let quick = [("WELCOMAT_RETRY_PAUSES", "200ms,500ms,1s,2s")];
    let mut fleet =
        Fleet::over(database, broker.url.clone(), &[&HASTE[..], &quick[..]].concat()).await;
    fleet.add_api().await;
    (0..WORKERS).for_each(|_| fleet.add_worker());
    fleet.sink.set_weather(Some(Weather::new(plan.seed, DEFERRED, DROPPED)));
    let deaths = storm(plan, &mut fleet, &broker).await;
    fleet.sink.set_weather(None);
    let tally = fleet.settled().await;
    let doubts = fleet.sink.doubts() + usize::try_from(deaths).unwrap() * UNREPORTED;
    eprintln!("soak: {deaths} processes killed, {} mails taken unanswered", fleet.sink.doubts());
    eprintln!("| attempted | acknowledged | sent | failed | lost | repeated |\n{tally}");
    assert!(deaths > 0 && fleet.sink.doubts() > 0, "nothing happened");
    assert_eq!((tally.attempted, tally.acknowledged), (plan.invitations, plan.invitations));
    let number = format!("F43-{}-{}", if plan.sqlite { "sqlite" } else { "postgres" }, plan.seed);
    record(&number, "ten bad minutes", &tally, &Repeats::UpTo(doubts));
    fleet.end().await;
}

/// Invites all of them while processes die; gives how many were killed.
async fn storm(plan: &Plan, fleet: &mut Fleet, broker: &OwnServer) -> u32 {
    let mut workers = std::mem::take(&mut fleet.workers);
    let api = fleet.start_api(&[]);
    let address = api.client.server().to_string();
    let bind = [("WELCOMAT_HTTP_BIND", address.as_str())];
    let clients = [fleet.apis[0].client.clone(), api.client.clone()];
    let mut api = Some(api);
    let pace = plan.time.mul_f64(BUSY) / u32::try_from(plan.invitations).unwrap();
    let start = tokio::time::Instant::now();
    let inviting = iter(0..plan.invitations).map(|number| {
        let (fleet, clients) = (&*fleet, &clients);
        async move {
            tokio::time::sleep_until(start + pace * u32::try_from(number).unwrap()).await;
            // A client that gets no answer asks the other API.
            let mut clients = clients.iter().cycle().skip(number);
            eventually_within(PATIENCE, "the invitation is taken", async || {
                let answer = fleet.offer_one(number, clients.next().unwrap()).await;
                answer.ok().filter(|answer| answer.status == 201)
            })
            .await;
        }
    });
    let over = Cell::new(false);
    let inviting = async {
        inviting.buffer_unordered(AT_ONCE).for_each(async |()| {}).await;
        over.set(true);
    };
    let mut dice = StdRng::seed_from_u64(plan.seed);
    let mut deaths = 0;
    let killing = async {
        // What was stopped is started again before this ends.
        while !over.get() {
            // The pace of the storm, as that of the invitations above: no event is waited for.
            tokio::time::sleep(DEATH).await;
            let index = dice.random_range(0..=WORKERS);
            if index < WORKERS {
                std::mem::replace(&mut workers[index], fleet.start_worker(&[])).kill();
            } else {
                // It comes back at the same address.
                if let Some(api) = api.take() {
                    api.process.kill();
                }
                api = Some(fleet.start_api(&bind));
            }
            deaths += 1;
            if deaths % DEATHS_PER_BROKER == 0 {
                let how = if dice.random_bool(0.5) { "kill" } else { "stop" };
                run(broker.command(how)).await;
                run(broker.command("start")).await;
            }
        }
    };
    tokio::join!(inviting, killing);
    drop(api);
    fleet.workers = workers;
    deaths
}

/// Without holding up those who invite meanwhile.
async fn run(mut command: Command) {
    let status = tokio::task::spawn_blocking(move || command.status()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

impl Plan {
    fn from_environment() -> Self {
        let number = |name, default| setting(name).map_or(default, |text| text.parse().unwrap());
        let sqlite = match setting("SOAK_DATABASE").as_deref() {
            Some("sqlite") => true,
            Some("postgres") | None => false,
            Some(other) => panic!("SOAK_DATABASE is postgres or sqlite, not {other}"),
        };
        // Six processes that take turns at one file are slow.
        let invitations = if sqlite { 3000 } else { 10_000 };
        Self {
            seed: number("SOAK_SEED", 1),
            sqlite,
            invitations: number("SOAK_INVITATIONS", invitations).try_into().unwrap(),
            time: Duration::from_secs(number("SOAK_SECONDS", 600)),
        }
    }
}

/// An empty variable counts as none: make passes it on like that.
#[expect(clippy::disallowed_methods, reason = "these are settings of the test")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
