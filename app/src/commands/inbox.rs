//! `welcomat inbox`: the mails that a server has captured instead of sending them.

use std::io::stdout;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::table::{self, Column, Shape};
use crate::client::{ClientError, ClientOptions, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat inbox list --search ann@example.com
  welcomat inbox get 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat inbox delete --all";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat inbox list
  welcomat inbox list --search 'ann@example.com join' --output json | jq '.data[0].text'";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat inbox get 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat inbox get 01890a5d-ac96-774b-bcce-b302099a8057 --source > mail.eml";
const DELETE_EXAMPLES: &str = "\
Examples:
  welcomat inbox delete 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat inbox delete --all";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("TO", "/to"),
        Column::text("SUBJECT", "/subject"),
        Column::time("CAPTURED", "/at"),
    ],
};
const ONE: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("FROM", "/from"),
        Column::text("TO", "/to"),
        Column::text("SUBJECT", "/subject"),
        Column::time("CAPTURED", "/at"),
        Column::text("INVITATION", "/invitation_id"),
        Column::text("TEXT", "/text"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Inbox {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the captured mails, newest first.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only those with all of these words in recipient, sender, subject or text.
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
    },
    /// Show one captured mail.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The mail's id.
        id: String,
        /// Print the mail as it would have gone out.
        #[arg(long)]
        source: bool,
    },
    /// Delete one captured mail, or all.
    #[command(after_help = DELETE_EXAMPLES)]
    Delete {
        /// The mail's id.
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Delete all that are kept.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// Runs one of the family.
pub fn run(command: &Inbox) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let Session { api, output } = &session;
    match &command.action {
        Action::List { search } => {
            let query: Vec<_> = search.iter().map(|words| ("q", words.as_str())).collect();
            // The server gives a bare list; here it looks like all others.
            let mails = api.get(&["inbox", "messages"], &query)?.body;
            output.list(&json!({ "data": mails, "next_cursor": null }), &LIST)
        }
        Action::Get { id, source: true } => {
            api.get_stream(&["inbox", "messages", &format!("{id}.eml")], &[], stdout().lock())
        }
        Action::Get { id, source: false } => {
            let mails = api.get(&["inbox", "messages"], &[])?.body;
            let is_it = |mail: &&Value| table::text(mail, "/id") == *id;
            let found = mails.as_array().and_then(|mails| mails.iter().find(is_it));
            let missing = || ClientError::Usage(format!("the inbox has no mail {id}"));
            output.object(found.ok_or_else(missing)?, &ONE)
        }
        Action::Delete { id: Some(id), .. } => {
            api.post_form(&["inbox", "messages", id, "delete"])?;
            output.done(id, "deleted")
        }
        Action::Delete { id: None, .. } => {
            api.post_form(&["inbox", "delete"])?;
            output.done("all", "deleted")
        }
    }
}
