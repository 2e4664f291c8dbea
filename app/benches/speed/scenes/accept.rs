//! Everything runs: people invite at 64 connections, then at a fixed rate, and the mails go out.

use std::time::Duration;

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
    world.sink.reset()?;
    let until = Until { time: TIME, count: MOST };
    let closed = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    note(samples, "closed", &closed)?;
    let taken = world.sink.until(closed.granted, PATIENCE).await?;
    let after = Cpu::of(world, &product);

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
