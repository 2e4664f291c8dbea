//! `welcomat keys`: the organization's API keys.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::client::output::write_line;
use crate::client::pages::Extent;
use crate::client::table::{self, Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat keys list
  welcomat keys create --name ci --role member
  welcomat keys revoke 01890a5d-ac96-774b-bcce-b302099a8057";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat keys list
  welcomat keys list --output json | jq '.data[] | select(.revoked_at == null)'";
const CREATE_EXAMPLES: &str = "\
Examples:
  welcomat keys create --name dashboard --role member
  welcomat keys create --name ci --quiet > key.txt
  welcomat keys create --name operator --instance --config /etc/welcomat.toml";
const REVOKE_EXAMPLES: &str = "\
Examples:
  welcomat keys revoke 01890a5d-ac96-774b-bcce-b302099a8057";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("NAME", "/name"),
        Column::text("ROLE", "/role"),
        Column::text("HINT", "/hint"),
        Column::time("CREATED", "/created_at"),
        Column::time("LAST USED", "/last_used_at"),
        Column::time("REVOKED", "/revoked_at"),
    ],
};
const CREATED: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("NAME", "/name"),
        Column::text("ROLE", "/role"),
        Column::whole("KEY", "/key"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the keys, without the keys themselves.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
        #[command(flatten)]
        scope: Scope,
    },
    /// Make a key. It is shown this once; with --quiet, nothing but the key is.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// An admin may do everything, a member may read.
        #[arg(long, value_enum, default_value = "admin")]
        role: Role,
        /// Make it good for every organization. This works on the database of the settings, not
        /// through a server.
        #[arg(long, conflicts_with_all = ["organization", "role"])]
        instance: bool,
        #[command(flatten)]
        scope: Scope,
    },
    /// Make a key void, at once.
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke {
        /// The key's id, not the key.
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Admin,
    Member,
}

impl Keys {
    /// The name of the key for the whole instance, if one is to be made.
    pub fn for_instance(&self) -> Option<String> {
        match &self.action {
            Action::Create { name, instance: true, .. } => Some(name.clone()),
            _ => None,
        }
    }
}

/// Runs one of the family.
pub fn run(command: &Keys) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let Session { api, output } = &session;
    let all = ["v1", "api-keys"];
    match &command.action {
        Action::List { extent, scope } => {
            let named = [("organization_id", scope.organization.as_deref())];
            extent.show_whole(&session, &all, &named, &LIST)?;
        }
        Action::Create { name, role, scope, .. } => {
            let role = match role {
                Role::Admin => "admin",
                Role::Member => "member",
            };
            let mut wanted = json!({ "name": name, "role": role });
            if let Some(named) = &scope.organization {
                wanted["organization_id"] = named.clone().into();
            }
            let created = api.post(&all, &wanted)?.body;
            if output.quiet {
                // An id alone would lose the key for ever.
                return write_line(&table::text(&created, "/key"));
            }
            output.object(&created, &CREATED)?;
            output.remark("keep the key: it is not shown again");
        }
        Action::Revoke { id } => {
            api.delete(&[&all[..], &[id]].concat())?;
            output.done(id, "revoked")?;
        }
    }
    Ok(())
}
