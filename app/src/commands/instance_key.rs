//! `welcomat keys create --instance`: a key for every organization, made in the database itself.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::path::Path;

use adapters::store::NewApiKey;
use api::bootstrap;
use app::Failure;
use app::parts::connect_store;
use domain::{Name, SecretHash};

use super::start;

/// Makes the key and prints nothing else: whoever may write to the database may do everything.
pub async fn run(config: Option<&Path>, name: &str) -> Result<(), Failure> {
    let name = Name::parse(name).map_err(|error| format!("--name {error}"))?;
    let settings = start(config)?;
    let store = connect_store(&settings).await?;
    let key = bootstrap::new_key(&mut adapters::rng());
    let hash = SecretHash::of_exact(&key);
    let new = NewApiKey::for_instance(name.as_str().to_owned(), hash, bootstrap::hint(&key));
    store.create_api_key(new).await?;
    store.close().await;
    println!("{}", *key);
    Ok(())
}
