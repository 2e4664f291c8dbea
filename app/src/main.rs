//! The program `welcomat`: reads the command line, runs one command, reports its failure.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use app::Failure;
use commands::{api, config, demo, migrate, openapi, serve, worker};

const EXAMPLES: &str = "\
Examples:
  welcomat                        Serve at http://127.0.0.1:8080 with an inbox for captured mail
  welcomat demo                   See an invitation from request to mail, with nothing to set up
  welcomat config check           Check the settings and show those in force
  WELCOMAT_DATABASE_URL=postgres://… WELCOMAT_BROKER_URL=amqp://… welcomat worker

Every setting can stand in the file or in the environment: http.bind is WELCOMAT_HTTP_BIND.";

/// Invites people into organizations and knows whether the mail went out.
#[derive(Debug, Parser)]
#[command(name = "welcomat", version, after_help = EXAMPLES)]
struct Cli {
    /// Settings file (TOML); the environment overrides it.
    #[arg(long, global = true, value_name = "PATH", env = "WELCOMAT_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve everything in one process: API, relay and worker (the default).
    Serve,
    /// Invite someone on a throw-away service, show the mail, and keep the service up.
    Demo {
        /// Stop once the mail is sent.
        #[arg(long)]
        once: bool,
        /// Print one JSON object and nothing else.
        #[arg(long, requires = "once")]
        json: bool,
    },
    /// Serve the API and the relay only, as the program welcomat-api does.
    Api,
    /// Send mails only, as the program welcomat-worker does.
    Worker,
    /// Bring the tables of the database up to date.
    Migrate,
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Look at the settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the settings and show those in force, without secrets.
    Check,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Several libraries speak TLS; all of them use this implementation.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            commands::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.config.as_deref();
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(config).await,
        Command::Demo { once, json } => demo::run(once, json).await,
        Command::Api => api::run(config).await,
        Command::Worker => worker::run(config).await,
        Command::Migrate => migrate::run(config).await,
        Command::Openapi => openapi::run(),
        Command::Config { command: ConfigCommand::Check } => config::check(config),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
