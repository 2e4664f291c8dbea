//! `welcomat suppressions`: addresses that get no mail.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::pages::Extent;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat suppressions list
  welcomat suppressions add ann@example.com
  welcomat suppressions lift ann@example.com";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat suppressions list
  welcomat suppressions list --all --output json | jq '.data[] | select(.reason == \"complaint\")'";
const ADD_EXAMPLES: &str = "\
Examples:
  welcomat suppressions add ann@example.com";
const LIFT_EXAMPLES: &str = "\
Examples:
  welcomat suppressions lift ann@example.com
  welcomat suppressions list --all --output json | jq -r '.data[].email' | xargs -n1 welcomat suppressions lift";

const LIST: Shape = Shape {
    id: "/email",
    columns: &[
        Column::whole("ADDRESS", "/email"),
        Column::state("WHY", "/reason"),
        Column::time("SINCE", "/created_at"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Suppressions {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the addresses, newest first; with --quiet, one a line.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Send no mail to an address any more.
    #[command(after_help = ADD_EXAMPLES)]
    Add {
        /// The address.
        email: String,
    },
    /// Send mail to an address again, from the next one that is asked for.
    #[command(after_help = LIFT_EXAMPLES)]
    Lift {
        /// The address.
        email: String,
    },
}

/// Runs one of the family.
pub fn run(command: &Suppressions) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let Session { api, output } = &session;
    let all = ["v1", "organizations", &organization, "suppressions"];
    match &command.action {
        Action::List { extent } => extent.show(&session, &all, &[], &LIST),
        Action::Add { email } => {
            let added = api.post(&all, &json!({ "email": email }))?.body;
            output.object(&added, &LIST)
        }
        Action::Lift { email } => {
            api.post(&[&all[..], &["lift"]].concat(), &json!({ "email": email }))?;
            output.done(email, "lifted")
        }
    }
}
