//! The program `welcomat-worker`: reads its arguments, runs, says why it ended.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use worker::process::ProcessError;

/// Sends the mails of Welcomat; start as many as you like.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file with settings; WELCOMAT_… variables override it.
    #[arg(long, value_name = "PATH", env = "WELCOMAT_CONFIG")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { config } = Arguments::parse();
    // Its tasks have ended with it: none of them logs anything after the reason for the end.
    match run(config.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "there may be no log yet")]
            {
                eprintln!("welcomat-worker: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: Option<&Path>) -> Result<(), ProcessError> {
    worker::process::run(config).await
}
