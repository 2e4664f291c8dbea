//! `welcomat serve`: everything in one process, ready to use without any setting.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::path::Path;

use adapters::settings::Settings;
use app::Failure;
use app::parts::Parts;
use app::service;
use domain::SecretHash;

use super::{start, stop_on_signal};

/// Serves until a signal.
pub async fn run(config: Option<&Path>) -> Result<(), Failure> {
    let mut settings = start(config)?;
    let listener = service::listen(&mut settings)?;
    let shutdown = stop_on_signal()?;
    let parts = Parts::assemble(settings).await?;
    welcome(&parts).await?;
    service::run(&parts, listener, shutdown).await
}

/// Tells where everything is and, once in the life of a database, the key.
async fn welcome(parts: &Parts) -> Result<(), Failure> {
    let first = parts.bootstrap().await?;
    let url = &parts.settings.public_url;
    println!("Welcomat is ready at {url}");
    if parts.mailer.captured().is_some() {
        println!("Mail is captured, not sent. Read it at {url}inbox");
    }
    let Some(key) = first else { return Ok(()) };
    show_key(&parts.settings, &key);
    let caller = parts.store.authenticate(SecretHash::of_exact(&key)).await?;
    if let Some(organization) = caller.and_then(|caller| caller.organization) {
        let organization = organization.id;
        println!("\nInvite someone:\n");
        println!("  curl {url}v1/organizations/{organization}/invitations \\");
        println!("    -H 'Authorization: Bearer {}' \\", *key);
        println!("    -H 'Content-Type: application/json' \\");
        println!("    -d '{{\"email\": \"ann@example.com\", \"first_name\": \"Ann\"}}'\n");
    }
    Ok(())
}

/// The key is kept as a hash only, so there is no second time.
fn show_key(settings: &Settings, key: &str) {
    let first = &settings.bootstrap;
    println!("\nFirst start: made the organization {:?} with the admin", first.organization);
    println!("{} and this API key, shown only now:\n\n  {key}", first.email);
}
