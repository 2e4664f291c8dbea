//! People invite while the mail server or the broker is away.

use std::time::Duration;

use tokio::task::block_in_place;

use super::{CLIENTS, PATIENCE};
use crate::Result;
use crate::load::{self, Until};
use crate::product::{Product, World};
use crate::samples::Samples;

const TIME: Duration = Duration::from_secs(3);

/// The mail server hangs up and listens no more.
pub async fn without_mail(world: &mut World, samples: &mut Samples) -> Result<()> {
    let product = world.product("no_mail", true).await?;
    world.sink.reset()?;
    let warm = product.warm_up().await?;
    world.sink.until(warm, PATIENCE).await?;
    world.sink.close()?;
    samples.set("accepted_without_mail_per_s", accepted(&product).await?);
    world.sink.open()?;
    world.end(product).await
}

/// The broker is stopped, and comes back afterwards.
pub async fn without_broker(world: &World, samples: &mut Samples) -> Result<()> {
    let Some(servers) = &world.servers else { return Ok(()) };
    let product = world.product("no_broker", true).await?;
    product.warm_up().await?;
    block_in_place(|| servers.rabbitmq.run("stop"))?;
    samples.set("accepted_without_broker_per_s", accepted(&product).await?);
    block_in_place(|| servers.rabbitmq.run("start"))?;
    world.end(product).await
}

async fn accepted(product: &Product) -> Result<f64> {
    let until = Until { time: TIME, count: usize::MAX };
    let outcome = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    match outcome.refusal {
        None => Ok(outcome.rate()),
        Some(refusal) => Err(format!("an invitation was refused: {refusal}").into()),
    }
}
