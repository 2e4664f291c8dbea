//! A thousand people in each request.

use std::time::Duration;

use crate::Result;
use crate::load::{self, Until};
use crate::product::World;
use crate::samples::Samples;
use crate::statistics::number;

/// As many as the contract takes, and as pgbench puts in one statement.
pub const PEOPLE: usize = 1000;
/// As pgbench has.
const CLIENTS: usize = 2;
const TIME: Duration = Duration::from_secs(4);

/// Rows in a second, without a worker: what becomes of the mails is measured elsewhere.
pub async fn measure(world: &World, samples: &mut Samples) -> Result<()> {
    let product = world.product("bulk", false).await?;
    let until = Until { time: TIME, count: usize::MAX };
    let ask = product.invite_many(PEOPLE);
    let outcome = load::closed(product.address, &ask, CLIENTS, until).await?;
    if let Some(refusal) = outcome.refusal {
        return Err(format!("a request for many was refused: {refusal}").into());
    }
    let rows = number(outcome.granted * PEOPLE) / outcome.seconds;
    samples.set("bulk_rows_per_s", rows);
    samples.set("bulk_p50_ms", outcome.latencies.percentile(50));
    world.end(product).await
}
