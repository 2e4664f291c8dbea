//! `welcomat config check`: are the settings right, and which are in force?
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::path::Path;

use adapters::settings::Settings;
use app::{Failure, parts};

/// Prints the settings in force as TOML, secrets hidden; connects to nothing.
pub fn check(config: Option<&Path>) -> Result<(), Failure> {
    let settings = Settings::from_process(config)?;
    parts::check(&settings)?;
    println!("# These settings are in force; nothing is wrong with them.");
    print!("{}", toml::to_string(&settings.redacted())?);
    Ok(())
}
