//! `make bench`: measures the product and, in the same run, the limits that it compares with.
//!
//! Everything runs as in production: a durable database, a broker and a mail server as their own
//! processes, the release program with their default settings. It never judges the speed: that a
//! figure is below its goal is a line in the table and no error.

mod figures;
mod http;
mod large;
mod limits;
mod load;
mod mail;
mod noise;
mod options;
mod processes;
mod product;
mod profile;
mod report;
mod requests;
mod rounds;
mod samples;
mod scenes;
mod servers;
mod sink;
mod statistics;
mod table;
mod usage;

use std::error::Error;
use std::process::ExitCode;

use options::{Mode, Options, Role};

/// What goes wrong here ends the run with one sentence.
type Failure = Box<dyn Error + Send + Sync>;
type Result<T, E = Failure> = std::result::Result<T, E>;

#[expect(clippy::print_stderr, reason = "a benchmark says why it ends")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    match options.role {
        Role::Sink => sink::serve(),
        Role::Bench => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                match options.mode {
                    Mode::Usual => rounds::run(&options).await,
                    Mode::Large => large::run(&options).await,
                    Mode::Profile => profile::run(&options).await,
                }
            })
        }
    }
}
