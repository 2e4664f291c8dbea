//! `welcomat config`: are the settings right, which are in force, and which are there at all?
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::path::Path;

use adapters::settings::{self, Settings};
use app::{Failure, parts};

/// Prints the settings in force as TOML, secrets hidden; connects to nothing.
pub fn check(config: Option<&Path>) -> Result<(), Failure> {
    let settings = Settings::from_process(config)?;
    parts::check(&settings)?;
    println!("# These settings are in force; nothing is wrong with them.");
    print!("{}", toml::to_string(&settings.redacted())?);
    Ok(())
}

/// Prints every setting with its default, as a page of the guide.
pub fn reference() {
    print!("{}", settings::reference());
}
