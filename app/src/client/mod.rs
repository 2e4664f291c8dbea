//! What the commands share that talk to a server: where it is, what they ask it, and how they show
//! its answers. Answers go to standard output, everything else to standard error.

pub mod api;
pub mod error;
pub mod options;
pub mod output;
pub mod pages;
pub mod profile;
pub mod progress;
pub mod session;
pub mod shorthand;
pub mod stdin;
pub mod table;
pub mod wait;

use std::io::{IsTerminal, Write};

use app::Failure;
use tokio::signal::unix::{SignalKind, signal};

pub use error::ClientError;
pub use options::{ClientOptions, Scope};
pub use session::Session;

/// The exit code after Ctrl-C, as shells count it: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Runs a command beside the runtime, which hears Ctrl-C meanwhile.
pub async fn run(
    command: impl FnOnce() -> Result<(), ClientError> + Send + 'static,
) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let command = tokio::task::spawn_blocking(command);
    tokio::select! {
        done = command => Ok(done??),
        _ = interrupt.recv() => {
            let mut stderr = std::io::stderr();
            if stderr.is_terminal() {
                let _ = writeln!(stderr);
            }
            std::process::exit(INTERRUPTED)
        }
    }
}
