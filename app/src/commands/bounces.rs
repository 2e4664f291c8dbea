//! `welcomat bounces`: hands bounce mails in.

use std::fs;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::options::ApiKey;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Session};

/// As many bytes as the server takes, unless its operator has changed that.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  welcomat bounces read /var/mail/bounces
  welcomat bounces read - < bounce.eml";
const READ_EXAMPLES: &str = "\
Examples:
  welcomat bounces read /var/mail/bounces
  WELCOMAT_FEEDBACK_DSN_SECRET=… welcomat bounces read - < bounce.eml";

const READ: Shape = Shape {
    id: "/changed",
    columns: &[Column::text("MAILS", "/mails"), Column::text("CHANGED", "/changed")],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Bounces {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Hand in the new mails of a maildir, which are not new then, or one mail from standard input.
    #[command(after_help = READ_EXAMPLES)]
    Read {
        /// A maildir, or - for standard input.
        from: PathBuf,
        /// What the server has as `feedback.dsn_secret`; others can see it here, but not in the variable.
        #[arg(
            long,
            value_name = "SECRET",
            env = "WELCOMAT_FEEDBACK_DSN_SECRET",
            hide_env_values = true
        )]
        secret: ApiKey,
    },
}

/// Runs one of the family.
pub fn run(command: &Bounces) -> Result<(), ClientError> {
    let Action::Read { from, secret } = &command.action;
    let options = ClientOptions { api_key: Some(secret.clone()), ..command.options.clone() };
    let session = Session::open(&options)?;
    let (mut mails, mut changed) = (0, 0);
    let mut hand_in = |mail: &[u8]| {
        let path = ["v1", "events", "dsn"];
        let heard = session.api.post_mail(&path, mail)?.body;
        mails += 1;
        changed += heard.get("changed").and_then(Value::as_u64).unwrap_or_default();
        Ok(())
    };
    if from == Path::new("-") {
        let mut mail = Vec::new();
        let read = stdin().lock().take(MOST_BYTES).read_to_end(&mut mail);
        read.map_err(|error| unreadable("standard input", &error))?;
        hand_in(&mail)?;
    } else {
        read_maildir(from, hand_in)?;
    }
    session.output.object(&json!({ "mails": mails, "changed": changed }), &READ)
}

/// Hands in what is in `new`, oldest first, and moves each to `cur` once the server has heard it: what is
/// interrupted goes on where it stopped.
fn read_maildir(
    maildir: &Path,
    mut hand_in: impl FnMut(&[u8]) -> Result<(), ClientError>,
) -> Result<(), ClientError> {
    let (new, cur) = (maildir.join("new"), maildir.join("cur"));
    let entries = fs::read_dir(&new).map_err(|error| {
        let words = format!("{} is no maildir: its folder new cannot be read", maildir.display());
        ClientError::Usage(format!("{words}: {error}"))
    })?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&new.display().to_string(), &error))?;
        names.push(entry.file_name());
    }
    // A maildir's names begin with the time.
    names.sort_unstable();
    for name in names {
        let path = new.join(&name);
        let mail = fs::read(&path).map_err(|e| unreadable(&path.display().to_string(), &e))?;
        hand_in(&mail)?;
        let mut seen = name.clone();
        seen.push(":2,S");
        fs::rename(&path, cur.join(seen)).map_err(|error| {
            ClientError::Local(format!("{} cannot be moved to cur: {error}", path.display()))
        })?;
    }
    Ok(())
}

fn unreadable(what: &str, error: &std::io::Error) -> ClientError {
    ClientError::Local(format!("{what} cannot be read: {error}"))
}
