//! A worker alone in front of a full queue, with a mail server that is fast or slow.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tokio::time::{Instant, sleep};

use super::{CLIENTS, PATIENCE};
use crate::Result;
use crate::load::{self, Until};
use crate::product::{Product, World};
use crate::samples::Samples;
use crate::sink::Taken;
use crate::statistics::number;

/// What a mail takes at the slow one.
pub const SLOW: Duration = Duration::from_millis(20);
const SLOW_MAILS: usize = 2000;
const SECURE_MAILS: usize = 4000;
const SECURE_SLOW_MAILS: usize = 1000;
const ALONE: Duration = Duration::from_secs(3);

/// Mails in a second from a full queue; and what the API accepts while no worker runs. Not for the
/// embedded product, whose worker cannot be kept from beginning.
pub async fn fast(world: &mut World, samples: &mut Samples) -> Result<()> {
    let mut product = world.product("drain", false).await?;
    let warm = product.warm_up().await?;
    let until = Until { time: ALONE, count: usize::MAX };
    let alone = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    samples.set("accepted_api_alone_per_s", alone.rate());
    published(&product.database_url).await?;
    world.sink.reset()?;
    product.start_worker()?;
    let count = warm + alone.granted;
    samples.set("drain_per_s", rate(world.sink.until(count, PATIENCE).await?));
    world.end(product).await
}

/// The same at a mail server that takes its time; the embedded product begins at once.
pub async fn slow(world: &mut World, samples: &mut Samples) -> Result<()> {
    let rate = emptied(world, "slow", &[], SLOW, SLOW_MAILS).await?;
    samples.set("slow_mails_per_s", rate);
    Ok(())
}

/// Both over TLS: a handshake for each hundred mails, as `mail.max_per_connection` has it.
pub async fn secure(world: &mut World, samples: &mut Samples) -> Result<()> {
    let url = world.sink.secure_url()?;
    let settings = [("WELCOMAT_MAIL_URL", url.as_str())];
    let fast = emptied(world, "secure", &settings, Duration::ZERO, SECURE_MAILS).await?;
    samples.set("drain_tls_per_s", fast);
    let slow = emptied(world, "secure_slow", &settings, SLOW, SECURE_SLOW_MAILS).await?;
    samples.set("slow_tls_mails_per_s", slow);
    Ok(())
}

/// Mails in a second from a full queue to a mail server that takes `delay` for each.
async fn emptied(
    world: &mut World,
    scene: &str,
    settings: &[(&str, &str)],
    delay: Duration,
    mails: usize,
) -> Result<f64> {
    let mut product = world.product_with(scene, settings, false).await?;
    world.sink.delay(delay)?;
    world.sink.reset()?;
    let all = fill(&product, mails).await?;
    product.start_worker()?;
    let taken = world.sink.until(all, PATIENCE).await?;
    world.sink.delay(Duration::ZERO)?;
    world.end(product).await?;
    Ok(rate(taken))
}

/// Lets so many mails wait for a worker, and gives how many do. They are asked for one by one: of people
/// who are invited together the queue holds but a few.
pub async fn fill(product: &Product, mails: usize) -> Result<usize> {
    let until = Until { time: PATIENCE, count: mails };
    let asked = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    published(&product.database_url).await?;
    Ok(asked.granted)
}

/// Mails in a second, from the first to the last.
pub fn rate(taken: Taken) -> f64 {
    number(taken.count - 1) / taken.last.saturating_sub(taken.first).as_secs_f64()
}

/// Waits until the relay has nothing left to do.
pub async fn published(url: &str) -> Result<()> {
    let database = Database::connect(url).await?;
    let backend = database.get_database_backend();
    let start = Instant::now();
    let waiting = "SELECT 1 AS one FROM outbox WHERE published_at IS NULL LIMIT 1";
    while database.query_one_raw(Statement::from_string(backend, waiting)).await?.is_some() {
        if start.elapsed() > PATIENCE {
            return Err("the relay does not get to the end of the outbox".into());
        }
        // The embedded broker publishes at once; a look at it must not hold up the writer.
        let pause = if backend == DbBackend::Postgres { 20 } else { 200 };
        sleep(Duration::from_millis(pause)).await;
    }
    Ok(database.close().await?)
}
