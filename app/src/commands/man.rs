//! `welcomat man`: manual pages, made from the same words as `--help`.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;
use roff::{Roff, roman};

use crate::client::{ClientError, output};

const EXAMPLES: &str = "\
Examples:
  welcomat man | man -l -
  welcomat man --dir /usr/local/share/man/man1";

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Man {
    /// Write a page for each command into this folder instead.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the page of the program, or writes all.
pub fn run(command: &Man, program: Command) -> Result<(), ClientError> {
    let mut program = program.disable_help_subcommand(true);
    // Gives the subcommands their full names and what they inherit.
    program.build();
    let written = match &command.dir {
        Some(dir) => std::fs::create_dir_all(dir).and_then(|()| write_all(&program, dir)),
        None => match page(&program) {
            Ok(page) => return output::write_out(&String::from_utf8_lossy(&page)),
            Err(error) => Err(error),
        },
    };
    written.map_err(|error| ClientError::Local(format!("the manual cannot be written: {error}")))
}

fn write_all(command: &Command, dir: &std::path::Path) -> io::Result<()> {
    let name = Page::new(command.clone()).get_filename();
    std::fs::write(dir.join(name), page(command)?)?;
    command.get_subcommands().try_for_each(|command| write_all(command, dir))
}

/// As `clap_mangen` writes it, but with examples whose lines stay as they are.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Page::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(examples) = command.get_after_help() {
        let mut section = Roff::new();
        section.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.to_string().lines().filter(|line| *line != "Examples:") {
            section.text([roman(line)]);
        }
        section.control("fi", []).to_writer(&mut page)?;
    }
    Ok(page)
}
