//! More and more workers in front of a full queue, with a mail server that takes its time.

use std::time::Duration;

use super::PATIENCE;
use super::drain::{fill, rate};
use crate::Result;
use crate::product::World;
use crate::samples::Samples;

/// How many workers there are, one time after the other.
pub const WORKERS: [usize; 5] = [1, 2, 3, 4, 6];
/// What a mail takes: the sixteen connections of a worker could send 320 a second.
const MAIL: Duration = Duration::from_millis(50);
/// For each worker: some six seconds of work.
const MAILS: usize = 2000;

/// Mails in a second, from the first to the last, by the number of workers.
pub async fn measure(world: &mut World, samples: &mut Samples) -> Result<()> {
    if world.servers.is_none() {
        return Err("the embedded product has one worker; leave DATABASE out".into());
    }
    for workers in WORKERS {
        let mut product = world.product("scale", false).await?;
        world.sink.delay(MAIL)?;
        world.sink.reset()?;
        let all = fill(&product, workers * MAILS).await?;
        for _ in 0..workers {
            product.start_worker()?;
        }
        let taken = world.sink.until(all, PATIENCE).await?;
        samples.set(figure(workers), rate(taken));
        world.sink.delay(Duration::ZERO)?;
        world.end(product).await?;
    }
    Ok(())
}

/// Where the figure is kept.
pub fn figure(workers: usize) -> String {
    format!("scale_{workers}_mails_per_s")
}
