//! `welcomat people`: what is held about one person, and forgetting them.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat people export ann@example.com > ann.json
  welcomat people erase ann@example.com";
const EXPORT_EXAMPLES: &str = "\
Examples:
  welcomat people export ann@example.com > ann.json
  welcomat people export ann@example.com --everywhere --output yaml";
const ERASE_EXAMPLES: &str = "\
Examples:
  welcomat people erase ann@example.com
  welcomat people erase ann@example.com --everywhere --output json";

const ERASED: Shape = Shape {
    id: "/invitations",
    columns: &[
        Column::whole("INVITATIONS", "/invitations"),
        Column::whole("REVOKED", "/revoked"),
        Column::whole("MEMBERSHIPS", "/memberships"),
        Column::whole("USER", "/user"),
        Column::whole("SUPPRESSIONS", "/suppressions"),
        Column::whole("BATCH ROWS", "/batch_rows"),
        Column::whole("ANNOUNCEMENTS", "/announcements"),
        Column::whole("ANSWERS", "/answers"),
        Column::whole("CAPTURED MAILS", "/captured_mails"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct People {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Print everything that is held about an address, as JSON.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Person),
    /// Forget whoever has an address: revoke open invitations, and keep nothing that tells of them.
    ///
    /// It cannot be undone. Invitations stay as those of nobody, so that what was counted still is. Whoever
    /// got no mail because they were suppressed goes on getting none.
    #[command(after_help = ERASE_EXAMPLES)]
    Erase(Person),
}

#[derive(Debug, Clone, Args)]
struct Person {
    /// The address.
    email: String,
    /// In all organizations; it takes a key for the whole instance.
    #[arg(long, conflicts_with = "organization")]
    everywhere: bool,
}

/// Runs one of the family.
pub fn run(command: &People) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let (person, word) = match &command.action {
        Action::Export(person) => (person, "export"),
        Action::Erase(person) => (person, "erase"),
    };
    let organization;
    let path = if person.everywhere {
        vec!["v1", "people", word]
    } else {
        organization = session.organization(command.scope.organization.as_deref())?;
        vec!["v1", "organizations", &organization, "people", word]
    };
    let answer = session.api.post(&path, &json!({ "email": person.email }))?.body;
    match &command.action {
        Action::Export(_) => session.output.value(&answer),
        Action::Erase(_) => session.output.object(&answer, &ERASED),
    }
}
