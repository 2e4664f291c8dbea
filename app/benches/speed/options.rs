//! The command line: `--mode=`, `--database=`, `--rounds=`, and the role of a helper process.

use crate::Result;

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Measures.
    Bench,
    /// Takes mails.
    Sink,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All figures, on empty databases.
    Usual,
    /// What two million settled invitations cost.
    Large,
}

/// What the product keeps its data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// API and worker over `PostgreSQL` and `RabbitMQ`.
    Postgres,
    /// The embedded product: one process, no broker.
    Sqlite,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What this process is.
    pub role: Role,
    /// What is measured.
    pub mode: Mode,
    /// On which database.
    pub database: Database,
    /// How often; each figure is the median.
    pub rounds: usize,
}

impl Options {
    /// Reads the arguments without the program's name; empty values count as absent.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options =
            Self { role: Role::Bench, mode: Mode::Usual, database: Database::Postgres, rounds: 3 };
        for argument in arguments {
            match argument.split_once('=').unwrap_or((&argument, "")) {
                // `cargo bench` adds it.
                ("--bench", _) | ("--mode" | "--database" | "--rounds", "") => {}
                ("--role", "sink") => options.role = Role::Sink,
                ("--mode", "usual") => options.mode = Mode::Usual,
                ("--mode", "large") => options.mode = Mode::Large,
                ("--database", "postgres") => options.database = Database::Postgres,
                ("--database", "sqlite") => options.database = Database::Sqlite,
                ("--rounds", number) => options.rounds = number.parse::<usize>()?.max(1),
                _ => {
                    let known = "MODE=large, DATABASE=sqlite and ROUNDS=3";
                    return Err(
                        format!("unknown option {argument}; make bench knows {known}").into()
                    );
                }
            }
        }
        Ok(options)
    }
}
