//! `welcomat deliveries`: whether mails went out, and what the mail server said.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::pages::Extent;
use crate::client::table::{self, Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat deliveries list --status failed
  welcomat deliveries get 01890a5d-ac96-774b-bcce-b302099a8057";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat deliveries list --status failed
  welcomat deliveries list --status bounced
  welcomat deliveries list --email ann@example.com
  welcomat deliveries list --status retrying --all --output json | jq '.data[].delivery.reason'";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat deliveries get 01890a5d-ac96-774b-bcce-b302099a8057";

/// Rows are invitations with their latest delivery.
const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("INVITATION", "/id"),
        Column::text("TO", "/email"),
        Column::state("STATUS", "/delivery/status"),
        Column::text("ATTEMPTS", "/delivery/attempts"),
        Column::time("NEXT ATTEMPT", "/delivery/next_attempt_at"),
        Column::text("REASON", "/delivery/reason"),
        Column::text("DETAIL", "/delivery/detail"),
    ],
};
const TIMELINE: Shape = Shape {
    id: "/id",
    columns: &[
        Column::time("TIME", "/time"),
        Column::text("MAIL", "/mail"),
        Column::state("WHAT", "/what"),
        Column::text("DETAIL", "/detail"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Deliveries {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show the latest delivery of each invitation, the newest first.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only those that stand so, such as sent, retrying or failed.
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only those to this address.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[command(flatten)]
        extent: Extent,
    },
    /// Show all deliveries of an invitation as a timeline, with every attempt that failed.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The invitation's id.
        invitation: String,
    },
}

/// Runs one of the family.
pub fn run(command: &Deliveries) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let all = ["v1", "organizations", &organization, "invitations"];
    match &command.action {
        Action::List { status, email, extent } => {
            let filters = [("delivery_status", status.as_deref()), ("email", email.as_deref())];
            extent.show(&session, &all, &filters, &LIST)?;
        }
        Action::Get { invitation } => {
            let path = [&all[..], &[invitation]].concat();
            let invitation = session.api.get(&path, &[])?.body;
            let deliveries = &invitation["deliveries"];
            if session.output.is_table() {
                session.output.list(&json!({ "data": timeline(deliveries) }), &TIMELINE)?;
            } else {
                let list = json!({ "data": deliveries, "next_cursor": null });
                session.output.list(&list, &TIMELINE)?;
            }
        }
    }
    Ok(())
}

/// What happened to the deliveries, in order: each was queued, was tried, and stands somewhere.
fn timeline(deliveries: &Value) -> Vec<Value> {
    let mut lines = Vec::new();
    // The server gives the newest first.
    for delivery in deliveries.as_array().into_iter().flatten().rev() {
        let mail = &delivery["generation"];
        let mut line = |time: &Value, what: &str, detail: String| {
            lines.push(json!({ "time": time, "mail": mail, "what": what, "detail": detail }));
        };
        line(&delivery["created_at"], "queued", String::new());
        for attempt in delivery["attempts_log"].as_array().into_iter().flatten() {
            let number = &attempt["number"];
            let parts = ["/phase", "/reply_code", "/enhanced", "/detail"];
            let parts = parts.map(|part| table::text(attempt, part));
            let detail = parts.iter().filter(|part| !part.is_empty()).map(String::as_str);
            let what = format!("attempt {number} {}", table::text(attempt, "/outcome"));
            line(&attempt["finished_at"], &what, detail.collect::<Vec<_>>().join(" "));
        }
        let status = table::text(delivery, "/status");
        match status.as_str() {
            "queued" => {}
            "sent" => line(&delivery["sent_at"], "sent", table::text(delivery, "/message_id")),
            "delivered" | "bounced" | "complained" => {
                line(&delivery["sent_at"], "sent", table::text(delivery, "/message_id"));
                let parts = ["/reason", "/detail"].map(|part| table::text(delivery, part));
                let parts: Vec<&str> =
                    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
                line(&delivery["feedback_at"], &status, parts.join(": "));
            }
            "scheduled" | "retrying" | "uncertain" => {
                let next = table::text(delivery, "/next_attempt_at");
                line(&delivery["updated_at"], &status, format!("next attempt at {next}"));
            }
            _ => line(&delivery["updated_at"], &status, table::text(delivery, "/detail")),
        }
    }
    lines
}
