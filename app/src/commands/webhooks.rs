//! `welcomat webhooks`: endpoints that are told of events.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::output::write_line;
use crate::client::pages::Extent;
use crate::client::table::{self, Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat webhooks list
  welcomat webhooks create --to https://hooks.example.com/welcomat
  welcomat webhooks test 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat webhooks log 01890a5d-ac96-774b-bcce-b302099a8057 --status failed
  welcomat webhooks replay 01890a5d-ac96-774b-bcce-b302099a8057 --since 2026-11-25T00:00:00Z";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat webhooks list
  welcomat webhooks list --output json | jq '.data[] | select(.status == \"disabled\")'";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat webhooks get 01890a5d-ac96-774b-bcce-b302099a8057 --output yaml";
const CREATE_EXAMPLES: &str = "\
Examples:
  welcomat webhooks create --to https://hooks.example.com/welcomat --description CRM
  welcomat webhooks create --to https://hooks.example.com/welcomat --quiet > secret.txt
  welcomat webhooks create --to https://hooks.example.com/welcomat \\
    --events invitation.accepted,invitation.delivery_failed";
const UPDATE_EXAMPLES: &str = "\
Examples:
  welcomat webhooks update 01890a5d-ac96-774b-bcce-b302099a8057 --enabled
  welcomat webhooks update 01890a5d-ac96-774b-bcce-b302099a8057 --enabled false
  welcomat webhooks update 01890a5d-ac96-774b-bcce-b302099a8057 --all-events";
const DELETE_EXAMPLES: &str = "\
Examples:
  welcomat webhooks delete 01890a5d-ac96-774b-bcce-b302099a8057";
const ROTATE_EXAMPLES: &str = "\
Examples:
  welcomat webhooks rotate-secret 01890a5d-ac96-774b-bcce-b302099a8057 --quiet > secret.txt
  welcomat webhooks rotate-secret 01890a5d-ac96-774b-bcce-b302099a8057 --overlap-seconds 0";
const TEST_EXAMPLES: &str = "\
Examples:
  welcomat webhooks test 01890a5d-ac96-774b-bcce-b302099a8057";
const LOG_EXAMPLES: &str = "\
Examples:
  welcomat webhooks log 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat webhooks log 01890a5d-ac96-774b-bcce-b302099a8057 --status failed --all --quiet";
const REPLAY_EXAMPLES: &str = "\
Examples:
  welcomat webhooks replay 01890a5d-ac96-774b-bcce-b302099a8057 --since 2026-11-25T00:00:00Z
  welcomat webhooks replay 01890a5d-ac96-774b-bcce-b302099a8057 \\
    --delivery 01890a5d-b0c4-7f0a-b7d2-95c1e3a86b04";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("URL", "/url"),
        Column::text("DESCRIPTION", "/description"),
        Column::text("EVENTS", "/event_types"),
        Column::state("STATUS", "/status"),
        Column::time("FAILING SINCE", "/failing_since"),
    ],
};
const ONE: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("URL", "/url"),
        Column::text("DESCRIPTION", "/description"),
        Column::text("EVENTS", "/event_types"),
        Column::state("STATUS", "/status"),
        Column::text("WHY", "/disabled_reason"),
        Column::time("DISABLED", "/disabled_at"),
        Column::time("FAILING SINCE", "/failing_since"),
        Column::time("OLD SECRET UNTIL", "/previous_secret_until"),
        Column::time("CREATED", "/created_at"),
        Column::time("UPDATED", "/updated_at"),
    ],
};
const WITH_SECRET: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("URL", "/url"),
        Column::time("OLD SECRET UNTIL", "/previous_secret_until"),
        Column::whole("SECRET", "/secret"),
    ],
};
const LOG: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("EVENT", "/type"),
        Column::state("STATUS", "/status"),
        Column::text("ATTEMPTS", "/attempts"),
        Column::text("WHY", "/reason"),
        Column::time("HAPPENED", "/created_at"),
        Column::time("NEXT ATTEMPT", "/next_attempt_at"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Webhooks {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the webhooks.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Show one webhook.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The webhook's id.
        id: String,
    },
    /// Make a webhook. Its secret is shown this once; with --quiet, nothing but the secret is.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// Where the requests go.
        #[arg(long, value_name = "URL")]
        to: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a webhook; what is not given stays as it is.
    #[command(after_help = UPDATE_EXAMPLES)]
    Update {
        /// The webhook's id.
        id: String,
        /// Where the requests go.
        #[arg(long, value_name = "URL")]
        to: Option<String>,
        #[command(flatten)]
        fields: Fields,
        /// Tell it of everything.
        #[arg(long, conflicts_with = "events")]
        all_events: bool,
        /// Whether it is told of events at all.
        #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        enabled: Option<bool>,
    },
    /// Delete a webhook and the log of what it was told.
    #[command(after_help = DELETE_EXAMPLES)]
    Delete {
        /// The webhook's id.
        id: String,
    },
    /// Replace the secret. The new one is shown this once; with --quiet, nothing but the secret is.
    #[command(after_help = ROTATE_EXAMPLES)]
    RotateSecret {
        /// The webhook's id.
        id: String,
        /// For so many seconds the old secret signs as well; 0 if others know it.
        #[arg(long, value_name = "SECONDS")]
        overlap_seconds: Option<u32>,
    },
    /// Send a test event.
    #[command(after_help = TEST_EXAMPLES)]
    Test {
        /// The webhook's id.
        id: String,
    },
    /// Show what a webhook was told, newest first.
    #[command(after_help = LOG_EXAMPLES)]
    Log {
        /// The webhook's id.
        id: String,
        /// Only deliveries that stand there: queued, sending, retrying, delivered or failed.
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        extent: Extent,
    },
    /// Tell a webhook once more: of one delivery, or of all that failed since a moment.
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay {
        /// The webhook's id.
        id: String,
        /// The delivery's id.
        #[arg(long, required_unless_present = "since")]
        delivery: Option<String>,
        /// All that failed of what has happened since then, such as 2026-11-25T00:00:00Z.
        #[arg(long, value_name = "TIME", conflicts_with = "delivery")]
        since: Option<String>,
    },
}

#[derive(Debug, Clone, Args)]
struct Fields {
    /// What you call it.
    #[arg(long)]
    description: Option<String>,
    /// Only these events, parted by commas.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    events: Option<Vec<String>>,
}

impl Fields {
    fn body(&self, to: Option<&str>) -> Map<String, Value> {
        let fields = [
            ("url", to.map(Value::from)),
            ("description", self.description.as_deref().map(Value::from)),
            ("event_types", self.events.clone().map(Value::from)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Runs one of the family.
pub fn run(command: &Webhooks) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let Session { api, output } = &session;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let all = ["v1", "organizations", &organization, "webhooks"];
    let below = |rest: &[&'static str], id| {
        let mut path = all.to_vec();
        path.push(id);
        path.extend(rest);
        path
    };
    match &command.action {
        Action::List { extent } => extent.show_whole(&session, &all, &[], &LIST),
        Action::Get { id } => output.object(&api.get(&below(&[], id), &[])?.body, &ONE),
        Action::Create { to, fields } => {
            let body = Value::Object(fields.body(Some(to)));
            show_secret(&session, &api.post(&all, &body)?.body)
        }
        Action::Update { id, to, fields, all_events, enabled } => {
            let mut body = fields.body(to.as_deref());
            if *all_events {
                body.insert("event_types".to_owned(), Value::Null);
            }
            body.extend(enabled.map(|enabled| ("enabled".to_owned(), enabled.into())));
            if body.is_empty() {
                let flags = "--to, --description, --events, --all-events or --enabled";
                return Err(ClientError::Usage(format!("nothing to change; give {flags}")));
            }
            output.object(&api.patch(&below(&[], id), &Value::Object(body))?.body, &ONE)
        }
        Action::Delete { id } => {
            api.delete(&below(&[], id))?;
            output.done(id, "deleted")
        }
        Action::RotateSecret { id, overlap_seconds } => {
            let body = overlap_seconds.map_or(json!({}), |s| json!({ "overlap_seconds": s }));
            show_secret(&session, &api.post(&below(&["rotate-secret"], id), &body)?.body)
        }
        Action::Test { id } => {
            output.object(&api.post(&below(&["test"], id), &json!({}))?.body, &LOG)?;
            output.remark(&format!("`welcomat webhooks log {id}` says what became of it"));
            Ok(())
        }
        Action::Log { id, status, extent } => {
            let filters = [("status", status.as_deref())];
            extent.show(&session, &below(&["deliveries"], id), &filters, &LOG)
        }
        Action::Replay { id, delivery: Some(delivery), .. } => {
            let path = [&below(&["deliveries"], id)[..], &[delivery, "replay"]].concat();
            output.object(&api.post(&path, &json!({}))?.body, &LOG)
        }
        Action::Replay { id, since, .. } => {
            let said = api.post(&below(&["replay"], id), &json!({ "since": since }))?.body;
            if !output.is_table() {
                return output.value(&said);
            }
            let more = if said["more"] == true { "; there are more, ask again" } else { "" };
            output.remark(&format!("{} on their way again{more}", said["replayed"]));
            Ok(())
        }
    }
}

fn show_secret(session: &Session, shown: &Value) -> Result<(), ClientError> {
    let output = &session.output;
    if output.quiet {
        // An id alone would lose the secret for ever.
        return write_line(&table::text(shown, "/secret"));
    }
    output.object(shown, &WITH_SECRET)?;
    output.remark("keep the secret: it is not shown again");
    Ok(())
}
