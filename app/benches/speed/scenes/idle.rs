//! Nobody else is there: how long one invitation takes from the request to `sent`.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use serde_json::Value as Json;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use super::PATIENCE;
use crate::Result;
use crate::http::Connection;
use crate::limits::{REST, TURNS};
use crate::load::Ask;
use crate::product::World;
use crate::samples::Samples;
use crate::statistics::Latencies;

/// Between two looks at the database.
const GLANCE: Duration = Duration::from_micros(200);

/// From the request to the row that says `sent`.
pub async fn measure(world: &World, samples: &mut Samples) -> Result<()> {
    let product = world.product("idle", true).await?;
    product.warm_up().await?;
    let database = Database::connect(&product.database_url).await?;
    let ask = product.invite();
    let mut connection = Connection::open(product.address).await?;
    let (mut accepted, mut sent) = (Vec::new(), Vec::new());
    until_sent(&database, None).await?;
    for _ in 0..TURNS {
        sleep(REST).await;
        let start = Instant::now();
        accepted.push(sent_after(&mut connection, &*ask, &database).await?);
        sent.push(start.elapsed());
    }
    database.close().await?;
    let (accepted, sent) = (Latencies::new(accepted), Latencies::new(sent));
    samples.set("idle_accept_ms", accepted.percentile(50));
    samples.set("idle_sent_ms", sent.percentile(50));
    samples.set("idle_sent_p99_ms", sent.percentile(99));
    world.end(product).await
}

/// Invites one, and returns once its mail is sent; gives how long the answer took.
pub async fn sent_after(
    connection: &mut Connection,
    ask: &impl Ask,
    database: &DatabaseConnection,
) -> Result<Duration> {
    let mut request = Vec::new();
    ask.request(&mut request);
    let start = Instant::now();
    let status = connection.exchange(&request).await?;
    let accepted = start.elapsed();
    if status != ask.granted() {
        let why = String::from_utf8_lossy(connection.body());
        return Err(format!("an invitation was refused: {status} {why}").into());
    }
    let answer: Json = serde_json::from_slice(connection.body())?;
    let id = answer["id"].as_str().ok_or("the answer has no id")?;
    until_sent(database, Some(id.parse()?)).await?;
    Ok(accepted)
}

/// Waits until this invitation, or every one, has its mail.
pub async fn until_sent(
    database: &DatabaseConnection,
    id: Option<sea_orm::prelude::Uuid>,
) -> Result<()> {
    let backend = database.get_database_backend();
    let place = if backend == DbBackend::Postgres { "$1" } else { "?" };
    let (sql, values) = if let Some(id) = id {
        let of = format!("SELECT 1 AS one FROM invitation WHERE id = {place} AND email_sent");
        (of, vec![Value::from(id)])
    } else {
        let any =
            "SELECT 1 AS one WHERE NOT EXISTS (SELECT 1 FROM invitation WHERE NOT email_sent)";
        (any.to_owned(), Vec::new())
    };
    let start = Instant::now();
    loop {
        let look = Statement::from_sql_and_values(backend, sql.clone(), values.clone());
        if database.query_one_raw(look).await?.is_some() {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err("a mail is never sent".into());
        }
        // The runtime's own timer would add a millisecond.
        block_in_place(|| std::thread::sleep(GLANCE));
    }
}
