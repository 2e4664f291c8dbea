//! The program `welcomat`: reads the command line, runs one command, reports its failure.

mod client;
mod commands;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use app::Failure;
use commands::{
    api, backup, batches, bounces, branding, completions, config, dead_letters, deliveries, demo,
    doctor, health, inbox, instance_key, invitations, invite_user, keys, man, me, members, migrate,
    openapi, organizations, people, policy, serve, suppressions, templates, webhooks, worker,
};

const EXAMPLES: &str = "\
Examples:
  welcomat                        Serve at http://127.0.0.1:8080 with an inbox for captured mail
  welcomat demo                   See an invitation from request to mail, with nothing to set up
  welcomat config check           Check the settings and show those in force
  welcomat doctor                 Find out why no mail goes out
  WELCOMAT_DATABASE_URL=postgres://… WELCOMAT_BROKER_URL=amqp://… welcomat worker
  welcomat invite-user email: ann@example.com, firstName: Ann --wait
  welcomat deliveries list --status failed

Every setting can stand in the file or in the environment: http.bind is WELCOMAT_HTTP_BIND.";

/// Invites people into organizations and knows whether the mail went out.
#[derive(Debug, Parser)]
#[command(name = "welcomat", version, after_help = EXAMPLES)]
struct Cli {
    /// Settings file of the server (TOML); the environment overrides it.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "WELCOMAT_CONFIG",
        hide_env_values = true
    )]
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
    /// Bring the tables of the database up to date, or move another database into this one.
    Migrate {
        /// The SQLite database of an embedded service, which must be stopped: move all that it holds
        /// into the database of the settings.
        #[arg(long, value_name = "URL")]
        from: Option<String>,
    },
    /// Copy the SQLite database of the settings into a new file while it is in use.
    Backup {
        /// The file, which must not be there yet.
        file: PathBuf,
    },
    /// Succeed if the API on this machine answers, as a container's health check.
    Health,
    /// Find out why no mail goes out: look at all that an invitation needs on its way.
    Doctor(doctor::Doctor),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Look at the settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Invite one person into an organization.
    #[command(alias = "inviteuser")]
    InviteUser(invite_user::InviteUser),
    /// Make, list, show, resend, change, revoke and answer invitations.
    Invitations(invitations::Invitations),
    /// Invite many at once from a file, and see what became of each.
    Batches(batches::Batches),
    /// See whether mails went out, and why not.
    Deliveries(deliveries::Deliveries),
    /// List, show, make and change organizations.
    Organizations(organizations::Organizations),
    /// See and say what an organization allows of its invitations: domains, seats, reminders.
    Policy(policy::Policy),
    /// See and say how an organization looks on the pages behind its links.
    Branding(branding::Branding),
    /// List and remove the members of an organization.
    Members(members::Members),
    /// Show whose key or token this is, and what that person is invited to.
    Me(me::Me),
    /// List, make and revoke API keys.
    Keys(keys::Keys),
    /// See which addresses get no mail, and why; add and lift them.
    Suppressions(suppressions::Suppressions),
    /// See what is held about one person, or forget them.
    People(people::People),
    /// Hand in the mails that came back.
    Bounces(bounces::Bounces),
    /// Have endpoints told of events, see what they were told, and tell them again.
    Webhooks(webhooks::Webhooks),
    /// Write the mail in your own words: save, preview and roll back its templates.
    Templates(templates::Templates),
    /// Read and delete the mails that a server captures instead of sending them.
    Inbox(inbox::Inbox),
    /// List, redrive and discard messages that nobody could process.
    DeadLetters(dead_letters::DeadLetters),
    /// Print the completions for a shell.
    Completions(completions::Completions),
    /// Print the manual page, or write one for each command.
    Man(man::Man),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the settings and show those in force, without secrets.
    #[command(visible_alias = "show")]
    Check,
    /// Print every setting with its default, in Markdown.
    Reference,
}

fn main() -> ExitCode {
    // Several libraries speak TLS; all of them use this implementation.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse_from(as_called(std::env::args_os().collect()));
    // Its tasks have ended with it: none of them logs anything after the reason for the end.
    match run_to_end(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => commands::complain(&failure),
    }
}

#[tokio::main]
async fn run_to_end(cli: Cli) -> Result<(), Failure> {
    // The commands' futures are large; the stack has no need to hold the largest of them.
    Box::pin(run(cli)).await
}

/// The container image has one file under three names: under the two others it is that program. The
/// command comes last, so that `--version` and `--config` mean what they mean there.
fn as_called(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str);
    let command = match name {
        Some("welcomat-api") => "api",
        Some("welcomat-worker") => "worker",
        _ => return arguments,
    };
    arguments.push(command.into());
    arguments
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.config.as_deref();
    match cli.command.unwrap_or(Command::Serve) {
        // By far the largest of them: a service, and a service and its client at once.
        Command::Serve => Box::pin(serve::run(config)).await,
        Command::Demo { once, json } => Box::pin(demo::run(once, json)).await,
        Command::Api => Box::pin(api::run(config)).await,
        Command::Worker => worker::run(config).await,
        Command::Migrate { from: None } => migrate::run(config).await,
        Command::Migrate { from: Some(source) } => {
            Box::pin(migrate::run_from(config, &source)).await
        }
        Command::Backup { file } => backup::run(config, &file).await,
        Command::Health => health::run(config).await,
        Command::Doctor(wanted) => Box::pin(doctor::run(config, &wanted)).await,
        Command::Openapi => openapi::run(),
        Command::Config { command: ConfigCommand::Check } => config::check(config),
        Command::Config { command: ConfigCommand::Reference } => {
            config::reference();
            Ok(())
        }
        Command::InviteUser(command) => client::run(move || invite_user::run(&command)).await,
        Command::Invitations(command) => client::run(move || invitations::run(&command)).await,
        Command::Batches(command) => client::run(move || batches::run(&command)).await,
        Command::Deliveries(command) => client::run(move || deliveries::run(&command)).await,
        Command::Organizations(command) => client::run(move || organizations::run(&command)).await,
        Command::Policy(command) => client::run(move || policy::run(&command)).await,
        Command::Branding(command) => client::run(move || branding::run(&command)).await,
        Command::Members(command) => client::run(move || members::run(&command)).await,
        Command::Me(command) => client::run(move || me::run(&command)).await,
        Command::Keys(command) => match command.for_instance() {
            Some(name) => instance_key::run(config, &name).await,
            None => client::run(move || keys::run(&command)).await,
        },
        Command::Suppressions(command) => client::run(move || suppressions::run(&command)).await,
        Command::People(command) => client::run(move || people::run(&command)).await,
        Command::Bounces(command) => client::run(move || bounces::run(&command)).await,
        Command::Webhooks(command) => client::run(move || webhooks::run(&command)).await,
        Command::Templates(command) => client::run(move || templates::run(&command)).await,
        Command::Inbox(command) => client::run(move || inbox::run(&command)).await,
        Command::DeadLetters(command) => client::run(move || dead_letters::run(&command)).await,
        Command::Completions(command) => Ok(completions::run(&command, Cli::command())?),
        Command::Man(command) => Ok(man::run(&command, Cli::command())?),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command, as_called};

    #[test]
    fn under_the_name_of_another_program_it_is_that_program() {
        let called =
            |line: &str| Cli::parse_from(as_called(line.split(' ').map(Into::into).collect()));
        let api = called("/usr/bin/welcomat-api --config a.toml");
        assert!(matches!(api.command, Some(Command::Api)), "{api:?}");
        assert_eq!(api.config, Some("a.toml".into()));
        assert!(matches!(called("welcomat-worker").command, Some(Command::Worker)));
        assert!(matches!(called("./welcomat migrate").command, Some(Command::Migrate { .. })));
        assert!(called("welcomat").command.is_none());
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
