//! `welcomat doctor`: why does no mail go out? Looks at everything that an invitation needs on its way,
//! changes nothing but what a start would, and says of each finding what to do.

mod broker;
mod database;
mod finding;
mod machine;
mod mail;
mod sender;

use std::net::SocketAddr;
use std::path::Path;

use adapters::settings::Settings;
use app::{Failure, parts};
use clap::{Args, ValueEnum};

use finding::{Finding, Verdict};

const EXAMPLES: &str = "\
Examples:
  welcomat doctor
  welcomat --config /etc/welcomat/welcomat.toml doctor --send-to you@example.com
  welcomat doctor --output json | jq '.findings[] | select(.verdict != \"good\")'";

/// See `welcomat doctor --help`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Send a mail to this address, as the worker would.
    #[arg(long, value_name = "ADDRESS")]
    send_to: Option<String>,
    /// Ask this DNS server and not the one of this machine.
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each, and what to do about it.
    Text,
    /// One JSON object.
    Json,
}

/// Looks at everything; the failure says how much is wrong.
pub async fn run(config: Option<&Path>, wanted: &Doctor) -> Result<(), Failure> {
    let findings = examine(config, wanted).await;
    match wanted.output {
        Format::Text => finding::print(&findings),
        Format::Json => finding::print_json(&findings),
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        1 => Err("one thing is wrong; what to do about it stands above".into()),
        many => Err(format!("{many} things are wrong; what to do about them stands above").into()),
    }
}

async fn examine(config: Option<&Path>, wanted: &Doctor) -> Vec<Finding> {
    let settings = Settings::from_process(config).map_err(Failure::from);
    let checked = settings.and_then(|settings| parts::check(&settings).map(|()| settings));
    let settings = match checked {
        Ok(settings) => settings,
        // Without them there is nothing to look for.
        Err(error) => {
            let todo = "change what it names, in the file or the environment; \
                        docs/settings.md has every setting";
            return vec![Finding::bad("settings", error.to_string(), todo)];
        }
    };
    let mut findings = vec![Finding::good("settings", "nothing is wrong with them")];
    findings.extend(machine::examine(&settings));
    findings.extend(database::examine(&settings).await);
    findings.extend(broker::examine(&settings).await);
    findings.extend(mail::examine(&settings, wanted.send_to.as_deref()).await);
    findings.extend(sender::examine(&settings, wanted.dns).await);
    findings
}
