//! `welcomat migrate`: brings the tables up to date; harmless to repeat and to run twice at once.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::path::Path;

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
