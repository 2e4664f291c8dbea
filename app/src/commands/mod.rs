//! One module per command; each prints its result to standard output.

pub mod api;
pub mod backup;
pub mod batches;
pub mod bounces;
pub mod branding;
pub mod completions;
pub mod config;
pub mod dead_letters;
pub mod deliveries;
pub mod demo;
pub mod doctor;
pub mod health;
pub mod inbox;
pub mod instance_key;
pub mod invitations;
pub mod invite_user;
pub mod keys;
pub mod man;
pub mod me;
pub mod members;
pub mod migrate;
pub mod openapi;
pub mod organizations;
pub mod people;
pub mod policy;
pub mod serve;
pub mod suppressions;
pub mod templates;
pub mod webhooks;
pub mod worker;

use std::path::Path;
use std::process::ExitCode;

use adapters::settings::Settings;
use adapters::telemetry;
use app::Failure;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::client::ClientError;

/// Reads the settings and starts the log.
fn start(config: Option<&Path>) -> Result<Settings, Failure> {
    let settings = Settings::from_process(config)?;
    telemetry::init(&settings.log);
    Ok(settings)
}

/// Is cancelled by Ctrl-C or SIGTERM; the second of them ends the process at once.
fn stop_on_signal() -> Result<CancellationToken, Failure> {
    let shutdown = CancellationToken::new();
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let token = shutdown.clone();
    tokio::spawn(async move {
        for last in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if last {
                std::process::exit(130);
            }
            tracing::info!("stopping; what is under way may finish");
            token.cancel();
        }
    });
    Ok(shutdown)
}

/// Says on standard error why the program ends, and gives the exit code that says the same.
#[expect(clippy::print_stderr, reason = "the last words of the program")]
pub fn complain(failure: &Failure) -> ExitCode {
    let Some(error) = failure.downcast_ref::<ClientError>() else {
        eprintln!("welcomat: {failure}");
        return ExitCode::FAILURE;
    };
    error.complain();
    ExitCode::from(error.exit_code())
}
