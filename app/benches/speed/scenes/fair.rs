//! One person is invited now and then, alone, and while a batch of a hundred thousand is worked on.

use std::fmt::Write;
use std::time::Duration;

use app::http::Client;
use sea_orm::Database;
use tokio::time::{Instant, sleep_until};

use super::idle::{sent_after, until_sent};
use crate::Result;
use crate::http::Connection;
use crate::product::{KEY, Product, World};
use crate::samples::Samples;
use crate::statistics::Latencies;

const PEOPLE: usize = 100_000;
const TURNS: u32 = 100;
const EVERY: Duration = Duration::from_millis(200);

/// From the request for one to the row that says `sent`, with and without the others.
pub async fn measure(world: &World, samples: &mut Samples) -> Result<()> {
    let product = world.product("fair", true).await?;
    product.warm_up().await?;
    let database = Database::connect(&product.database_url).await?;
    until_sent(&database, None).await?;
    database.close().await?;
    let alone = ask_for_one(&product).await?;
    let batch = hand_in(&product).await?;
    let beside = ask_for_one(&product).await?;
    let client = Client::new(product.address, Some(KEY.to_owned()));
    let state = client.get(&batch).await?.json();
    if state["status"] != "working" {
        return Err(format!("the batch was over before the last of the others: {state}").into());
    }
    for (name, latencies) in [("alone", alone), ("beside", beside)] {
        samples.set(format!("fair_{name}_p50_ms"), latencies.percentile(50));
        samples.set(format!("fair_{name}_p99_ms"), latencies.percentile(99));
    }
    world.end(product).await
}

async fn ask_for_one(product: &Product) -> Result<Latencies> {
    let database = Database::connect(&product.database_url).await?;
    let mut connection = Connection::open(product.address).await?;
    let (ask, start) = (product.invite(), Instant::now());
    let mut sent = Vec::new();
    for turn in 0..TURNS {
        sleep_until(start + EVERY * turn).await;
        let begin = Instant::now();
        sent_after(&mut connection, &*ask, &database).await?;
        sent.push(begin.elapsed());
    }
    database.close().await?;
    Ok(Latencies::new(sent))
}

/// Gives the path at which the batch can be looked at.
async fn hand_in(product: &Product) -> Result<String> {
    let mut file = "email\n".to_owned();
    for number in 0..PEOPLE {
        writeln!(file, "many{number}@example.com")?;
    }
    let client = Client::new(product.address, Some(KEY.to_owned()));
    let path = format!("/v1/organizations/{}/batches", product.organization);
    let headers = [("Content-Type", "text/csv")];
    let answer = client.send("POST", &path, &headers, file.as_bytes()).await?;
    match (answer.status, answer.json()["id"].as_str()) {
        (202, Some(id)) => Ok(format!("{path}/{id}")),
        (status, _) => Err(format!("the batch was refused: {status} {}", answer.text()).into()),
    }
}
