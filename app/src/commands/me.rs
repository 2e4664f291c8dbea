//! `welcomat me`: whose key or token this is, and what that person is invited to.

use clap::{Args, Subcommand};

use crate::client::pages::Extent;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat me
  welcomat me --quiet                      The organization's id alone
  welcomat me invitations --profile ann    With a token in place of a key";
const INVITATIONS_EXAMPLES: &str = "\
Examples:
  welcomat me invitations --profile ann
  welcomat me invitations --output json | jq '.data[].organization.name'";

const ME: Shape = Shape {
    id: "/organization/id",
    columns: &[
        Column::whole("ORGANIZATION", "/organization/id"),
        Column::text("NAME", "/organization/name"),
        Column::text("ROLE", "/role"),
        Column::text("USER", "/user/email"),
    ],
};
const INVITATIONS: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("ORGANIZATION", "/organization/name"),
        Column::text("INVITED BY", "/inviter"),
        Column::text("ROLE", "/role"),
        Column::time("CREATED", "/created_at"),
        Column::time("EXPIRES", "/expires_at"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Me {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show what the person is invited to that a token speaks for, by whichever organization.
    ///
    /// An API key belongs to an organization and is refused.
    #[command(after_help = INVITATIONS_EXAMPLES)]
    Invitations {
        #[command(flatten)]
        extent: Extent,
    },
}

/// Runs one of the family.
pub fn run(command: &Me) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    match &command.action {
        None => session.output.object(&session.api.get(&["v1", "me"], &[])?.body, &ME),
        Some(Action::Invitations { extent }) => {
            extent.show(&session, &["v1", "me", "invitations"], &[], &INVITATIONS)
        }
    }
}
