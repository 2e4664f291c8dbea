//! The program `welcomat-worker`: reads its arguments, runs, says why it ended.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Sends the mails of Welcomat; start as many as you like.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file with settings; WELCOMAT_… variables override it.
    #[arg(long, value_name = "PATH", env = "WELCOMAT_CONFIG")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { config } = Arguments::parse();
    match worker::process::run(config.as_deref()).await {
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
