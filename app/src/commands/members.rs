//! `welcomat members`: who belongs to an organization.

use clap::{Args, Subcommand};

use crate::client::pages::Extent;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat members list
  welcomat members remove 01890a5d-ac96-774b-bcce-b302099a8057";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat members list
  welcomat members list --organization 01890a5d-ac96-774b-bcce-b302099a8057 --all";
const REMOVE_EXAMPLES: &str = "\
Examples:
  welcomat members remove 01890a5d-ac96-774b-bcce-b302099a8057";

const LIST: Shape = Shape {
    id: "/user_id",
    columns: &[
        Column::whole("USER", "/user_id"),
        Column::text("EMAIL", "/email"),
        Column::text("NUMBER", "/user_number"),
        Column::text("USER NAME", "/username"),
        Column::text("ROLE", "/role"),
        Column::state("STATUS", "/status"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Members {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the members.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// End a membership; the person can be invited again.
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove {
        /// The user's id.
        user: String,
    },
}

/// Runs one of the family.
pub fn run(command: &Members) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let all = ["v1", "organizations", &organization, "members"];
    match &command.action {
        Action::List { extent } => extent.show(&session, &all, &[], &LIST),
        Action::Remove { user } => {
            session.api.delete(&[&all[..], &[user]].concat())?;
            session.output.done(user, "removed")
        }
    }
}
