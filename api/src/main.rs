//! `welcomat-api`: the API on its own, to be scaled apart from the workers.

use std::process::ExitCode;

use adapters::settings::Settings;
use adapters::telemetry;
use api::start::{self, StartError};

#[expect(clippy::print_stderr, reason = "a start that fails may have no log yet")]
fn main() -> ExitCode {
    // Its tasks have ended with it: none of them logs anything after the reason for the end.
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("welcomat-api: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), StartError> {
    let config = start::config_path(std::env::args().skip(1))?;
    let settings = Settings::from_process(config.as_deref())?;
    telemetry::init(&settings.log);
    Box::pin(start::run_alone(settings)).await
}
