//! `welcomat completions`: what a shell needs to complete our commands.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::client::{ClientError, output};

const EXAMPLES: &str = "\
Examples:
  welcomat completions bash > /etc/bash_completion.d/welcomat
  welcomat completions zsh > ~/.zfunc/_welcomat
  welcomat completions fish > ~/.config/fish/completions/welcomat.fish";

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(command: &Completions, mut program: Command) -> Result<(), ClientError> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut program, "welcomat", &mut script);
    output::write_out(&String::from_utf8_lossy(&script))
}
