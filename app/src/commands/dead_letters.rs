//! `welcomat dead-letters`: messages that nobody could process.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::pages::Extent;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat dead-letters list
  welcomat dead-letters redrive 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat dead-letters discard 01890a5d-ac96-774b-bcce-b302099a8057";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat dead-letters list
  welcomat dead-letters list --quiet | xargs -n1 welcomat dead-letters redrive";
const REDRIVE_EXAMPLES: &str = "\
Examples:
  welcomat dead-letters redrive 01890a5d-ac96-774b-bcce-b302099a8057";
const DISCARD_EXAMPLES: &str = "\
Examples:
  welcomat dead-letters discard 01890a5d-ac96-774b-bcce-b302099a8057";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::whole("DELIVERY", "/delivery_id"),
        Column::text("REASON", "/reason"),
        Column::time("RECEIVED", "/received_at"),
        Column::time("REDRIVEN", "/redriven_at"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DeadLetters {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the dead letters; with a key for the whole instance, those of every organization.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
        #[command(flatten)]
        scope: Scope,
    },
    /// Let the workers try again; a mail that is sent already is not sent twice.
    #[command(after_help = REDRIVE_EXAMPLES)]
    Redrive {
        /// The dead letter's id.
        id: String,
    },
    /// Throw a dead letter away.
    #[command(after_help = DISCARD_EXAMPLES)]
    Discard {
        /// The dead letter's id.
        id: String,
    },
}

/// Runs one of the family.
pub fn run(command: &DeadLetters) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let Session { api, output } = &session;
    let all = ["v1", "dead-letters"];
    match &command.action {
        Action::List { extent, scope } => {
            let named = [("organization_id", scope.organization.as_deref())];
            extent.show_whole(&session, &all, &named, &LIST)
        }
        Action::Redrive { id } => {
            api.post(&[&all[..], &[id, "redrive"]].concat(), &json!({}))?;
            output.done(id, "redriven")
        }
        Action::Discard { id } => {
            api.delete(&[&all[..], &[id]].concat())?;
            output.done(id, "discarded")
        }
    }
}
