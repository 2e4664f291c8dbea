//! `welcomat backup`: a copy of an embedded service's database, as it is at one moment.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use adapters::clock::Clock;
use adapters::store::Store;
use app::Failure;

use super::start;

/// Writes the file, and says what else is to be kept.
pub async fn run(config: Option<&Path>, file: &Path) -> Result<(), Failure> {
    let settings = start(config)?;
    if !settings.database.url.starts_with("sqlite:") {
        return Err("this copies SQLite databases; PostgreSQL has pg_dump (docs/deploy.md)".into());
    }
    let source = settings.database.url.trim_start_matches("sqlite:").trim_start_matches("//");
    let source = source.split('?').next().unwrap_or_default();
    if !Path::new(source).exists() {
        return Err(format!("there is no database {source}; set database.url or data_dir").into());
    }
    // Nobody else may read it, and an empty file is what SQLite takes for a new one.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(|error| format!("{} cannot be made ({error}); name a new file", file.display()))?;
    let unusable = |error| format!("the database cannot be copied: {error}");
    let store = Store::connect(&settings, Clock::new()).await.map_err(unusable)?;
    store.back_up(file).await.map_err(unusable)?;
    println!("The database is in {}.", file.display());
    if settings.seal_keys.is_empty() {
        println!(
            "Keep {} as well: without it, mails that wait cannot be made.",
            settings.data_dir.join("seal.key").display()
        );
    }
    Ok(())
}
