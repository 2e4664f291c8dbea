//! `welcomat organizations`: who the members belong to.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use crate::client::pages::Extent;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat organizations list
  welcomat organizations get 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat organizations create --name 'Example Ltd'
  welcomat organizations update 01890a5d-ac96-774b-bcce-b302099a8057 --default-role viewer";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat organizations list
  welcomat organizations list --all --quiet";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat organizations get 01890a5d-ac96-774b-bcce-b302099a8057 --output yaml";
const CREATE_EXAMPLES: &str = "\
Examples:
  welcomat organizations create --name 'Example Ltd'
  welcomat organizations create --name 'Example Ltd' --slug example --default-role viewer \\
    --roles viewer,editor,owner";
const UPDATE_EXAMPLES: &str = "\
Examples:
  welcomat organizations update 01890a5d-ac96-774b-bcce-b302099a8057 --name 'Example Inc'
  welcomat organizations update 01890a5d-ac96-774b-bcce-b302099a8057 --any-role
  welcomat organizations update 01890a5d-ac96-774b-bcce-b302099a8057 --trusted";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("NUMBER", "/number"),
        Column::text("NAME", "/name"),
        Column::text("SLUG", "/slug"),
        Column::text("DEFAULT ROLE", "/default_role"),
        Column::text("ROLES", "/roles"),
        Column::time("CREATED", "/created_at"),
    ],
};
const ONE: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("NUMBER", "/number"),
        Column::text("NAME", "/name"),
        Column::text("SLUG", "/slug"),
        Column::text("DEFAULT ROLE", "/default_role"),
        Column::text("ROLES", "/roles"),
        Column::text("TRUSTED", "/trusted"),
        Column::time("PAUSED", "/sending_paused_at"),
        Column::time("CREATED", "/created_at"),
        Column::time("UPDATED", "/updated_at"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Organizations {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the organizations that the key may see.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Show one organization.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The organization's id.
        id: String,
    },
    /// Make an organization; needs a key for the whole instance.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What stands for it in addresses, for good; made from the name if there is none.
        #[arg(long)]
        slug: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change an organization; what is not given stays as it is.
    #[command(after_help = UPDATE_EXAMPLES)]
    Update {
        /// The organization's id.
        id: String,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Clone, Args)]
struct Settings {
    /// The role of those who are invited without one.
    #[arg(long, value_name = "ROLE")]
    default_role: Option<String>,
    /// The roles there are, parted by commas.
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// Let every word be a role.
    #[arg(long, conflicts_with = "roles")]
    any_role: bool,
    /// Vouch for the organization, so that it is neither new nor paused; needs a key for the whole
    /// instance.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    trusted: Option<bool>,
}

impl Settings {
    fn body(&self, name: Option<&str>) -> Map<String, Value> {
        let fields = [
            ("name", name.map(Value::from)),
            ("default_role", self.default_role.as_deref().map(Value::from)),
            ("roles", self.roles.clone().map(Value::from)),
            ("roles", self.any_role.then_some(Value::Null)),
            ("trusted", self.trusted.map(Value::from)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Runs one of the family.
pub fn run(command: &Organizations) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let api = &session.api;
    let all = ["v1", "organizations"];
    let one = |id| [&all[..], &[id]].concat();
    let shown = match &command.action {
        Action::List { extent } => return extent.show(&session, &all, &[], &LIST),
        Action::Get { id } => api.get(&one(id), &[])?,
        Action::Create { name, slug, settings } => {
            let mut body = settings.body(Some(name));
            if let Some(slug) = slug {
                body.insert("slug".to_owned(), slug.as_str().into());
            }
            api.post(&all, &Value::Object(body))?
        }
        Action::Update { id, name, settings } => {
            let body = settings.body(name.as_deref());
            if body.is_empty() {
                let flags = "--name, --default-role, --roles, --any-role or --trusted";
                return Err(ClientError::Usage(format!("nothing to change; give {flags}")));
            }
            api.patch(&one(id), &Value::Object(body))?
        }
    };
    session.output.object(&shown.body, &ONE)
}
