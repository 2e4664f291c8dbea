//! `welcomat migrate`: brings the tables up to date; harmless to repeat and to run twice at once. With
//! `--from`, moves an embedded database into that of the settings.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::path::Path;

use adapters::clock::Clock;
use adapters::store::{MovedTable, Store};
use app::Failure;
use app::parts::connect_store;

use super::start;

/// Connects, migrates, says so.
pub async fn run(config: Option<&Path>) -> Result<(), Failure> {
    let settings = start(config)?;
    connect_store(&settings).await?;
    println!("The tables are up to date.");
    Ok(())
}

/// Moves what another database holds.
pub async fn run_from(config: Option<&Path>, source: &str) -> Result<(), Failure> {
    let settings = start(config)?;
    let file = source.strip_prefix("sqlite:").map(|file| file.trim_start_matches("//"));
    let file =
        file.ok_or("--from takes the URL of a SQLite database: sqlite:///path/welcomat.db")?;
    if !Path::new(file.split('?').next().unwrap_or_default()).exists() {
        return Err(format!("there is no file {file}; nothing was moved").into());
    }
    if settings.database.url.starts_with("sqlite:") {
        let wanted = "set database.url to the PostgreSQL database that everything is to move to";
        return Err(wanted.into());
    }
    let mut embedded = settings.clone();
    source.clone_into(&mut embedded.database.url);
    let unusable = |error| format!("the source cannot be used: {error}");
    let source = Store::connect(&embedded, Clock::new()).await.map_err(unusable)?;
    let target = connect_store(&settings).await?;
    let tell = |table: &MovedTable| println!("{:<20} {:>10} rows", table.name, table.rows);
    let moved = target.move_in(&source, tell).await?;
    let rows: u64 = moved.iter().map(|table| table.rows).sum();
    println!(
        "{rows} rows are in the new database, each the same as in the old one. Start the service \
         with the seal keys of the old one (the file seal.key in its data folder is WELCOMAT_SEAL_KEYS)."
    );
    Ok(())
}
