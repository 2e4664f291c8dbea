//! `welcomat invitations`: what became of those who were invited.

mod answer;
mod new;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::api::idempotency_key;
use crate::client::pages::Extent;
use crate::client::table::{Column, Shape};
use crate::client::wait::Wait;
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat invitations create ann@example.com --send-at 2026-12-24T08:00:00Z
  welcomat invitations list --status pending
  welcomat invitations get 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat invitations resend 01890a5d-ac96-774b-bcce-b302099a8057 --wait
  welcomat invitations reschedule 01890a5d-ac96-774b-bcce-b302099a8057 2026-12-31T08:00:00Z
  welcomat invitations change-address 01890a5d-ac96-774b-bcce-b302099a8057 ann@example.com
  welcomat invitations extend 01890a5d-ac96-774b-bcce-b302099a8057 2027-01-01T00:00:00Z
  welcomat invitations revoke 01890a5d-ac96-774b-bcce-b302099a8057";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat invitations list --status pending --limit 20
  welcomat invitations list --email ann@example.com --output yaml
  welcomat invitations list --status expired --all --quiet | xargs -n1 welcomat invitations get";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat invitations get 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat invitations get 01890a5d-ac96-774b-bcce-b302099a8057 --output json | jq .events";
const CREATE_EXAMPLES: &str = "\
Examples:
  welcomat invitations create ann@example.com --role editor --wait
  welcomat invitations create ann@example.com --send-at 2026-12-24T08:00:00Z --expires-in 604800
  welcomat invitations create ann@example.com --on-existing resend --metadata '{\"team\": \"design\"}'";
const ACCEPT_EXAMPLES: &str = "\
Examples:
  welcomat invitations accept < token-and-password.txt
  printf '%s\\n%s\\n' \"$TOKEN\" \"$PASSWORD\" | welcomat invitations accept";
const DECLINE_EXAMPLES: &str = "\
Examples:
  welcomat invitations decline < link.txt";
const RESCHEDULE_EXAMPLES: &str = "\
Examples:
  welcomat invitations reschedule 01890a5d-ac96-774b-bcce-b302099a8057 2026-12-31T08:00:00Z
  welcomat invitations resend 01890a5d-ac96-774b-bcce-b302099a8057      Now instead";
const RESEND_EXAMPLES: &str = "\
Examples:
  welcomat invitations resend 01890a5d-ac96-774b-bcce-b302099a8057
  welcomat invitations resend 01890a5d-ac96-774b-bcce-b302099a8057 --wait=2m";
const ADDRESS_EXAMPLES: &str = "\
Examples:
  welcomat invitations change-address 01890a5d-ac96-774b-bcce-b302099a8057 ann@example.com --wait";
const EXTEND_EXAMPLES: &str = "\
Examples:
  welcomat invitations extend 01890a5d-ac96-774b-bcce-b302099a8057 2027-01-01T00:00:00Z";
const REVOKE_EXAMPLES: &str = "\
Examples:
  welcomat invitations revoke 01890a5d-ac96-774b-bcce-b302099a8057";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("EMAIL", "/email"),
        Column::text("ROLE", "/role"),
        Column::state("STATUS", "/status"),
        Column::state("MAIL", "/delivery/status"),
        Column::time("CREATED", "/created_at"),
    ],
};
const ONE: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("EMAIL", "/email"),
        Column::text("WARNINGS", "/warnings"),
        Column::text("FIRST NAME", "/first_name"),
        Column::text("LAST NAME", "/last_name"),
        Column::text("ROLE", "/role"),
        Column::state("STATUS", "/status"),
        Column::state("MAIL", "/delivery/status"),
        Column::text("ATTEMPTS", "/delivery/attempts"),
        Column::time("SCHEDULED", "/send_at"),
        Column::time("NEXT ATTEMPT", "/delivery/next_attempt_at"),
        Column::text("DETAIL", "/delivery/detail"),
        Column::time("MAIL SENT", "/email_sent_at"),
        Column::time("CREATED", "/created_at"),
        Column::time("EXPIRES", "/expires_at"),
        Column::time("CLOSED", "/closed_at"),
        Column::text("METADATA", "/metadata"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Invitations {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show invitations, the newest first.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only those that stand so: pending, accepted, declined, revoked or expired.
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only those whose mail stands so, such as sent or failed.
        #[arg(long, value_name = "STATUS")]
        delivery_status: Option<String>,
        /// Only those to this address.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[command(flatten)]
        extent: Extent,
    },
    /// Show one invitation.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The invitation's id.
        id: String,
    },
    /// Invite one person, now or later.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(new::New),
    /// Send another mail with a new link; the earlier one stays good for a while. A scheduled mail goes out now.
    #[command(after_help = RESEND_EXAMPLES)]
    Resend {
        /// The invitation's id.
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Let a scheduled mail that still waits go out at another time.
    #[command(after_help = RESCHEDULE_EXAMPLES)]
    Reschedule {
        /// The invitation's id.
        id: String,
        /// When it goes out (RFC 3339).
        #[arg(value_name = "TIME")]
        at: String,
    },
    /// Let a pending invitation be for another address, and mail it there; the earlier link is void at once.
    #[command(after_help = ADDRESS_EXAMPLES)]
    ChangeAddress {
        /// The invitation's id.
        id: String,
        /// Whom to invite.
        #[arg(value_name = "ADDRESS")]
        email: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Let a pending invitation end at another time; no mail is sent.
    #[command(after_help = EXTEND_EXAMPLES)]
    Extend {
        /// The invitation's id.
        id: String,
        /// Until when it can be accepted (RFC 3339).
        #[arg(value_name = "TIME")]
        until: String,
    },
    /// Take a pending invitation back.
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke {
        /// The invitation's id.
        id: String,
    },
    /// Join as the invitee, with secrets from standard input.
    ///
    /// Its first line has the token of the link, or the link, and the next one the password to be used from
    /// now on. It takes no API key.
    #[command(after_help = ACCEPT_EXAMPLES)]
    Accept,
    /// Decline as the invitee, with the token of the link, or the link, from standard input.
    ///
    /// It takes no API key.
    #[command(after_help = DECLINE_EXAMPLES)]
    Decline,
}

/// Runs one of the family.
pub fn run(command: &Invitations) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    match &command.action {
        Action::Accept => return answer::accept(&session),
        Action::Decline => return answer::decline(&session),
        _ => {}
    }
    let organization = session.organization(command.scope.organization.as_deref())?;
    let all = ["v1", "organizations", &organization, "invitations"];
    match &command.action {
        Action::List { status, delivery_status, email, extent } => {
            let filters = [
                ("status", status.as_deref()),
                ("delivery_status", delivery_status.as_deref()),
                ("email", email.as_deref()),
            ];
            extent.show(&session, &all, &filters, &LIST)?;
        }
        Action::Get { id } => {
            let path = [&all[..], &[id]].concat();
            session.output.object(&session.api.get(&path, &[])?.body, &ONE)?;
        }
        Action::Create(new) => {
            let answer = session.api.post_with_key(&all, &new.body(), &idempotency_key())?;
            session.output.object(&answer.body, &ONE)?;
            let id = answer.body["id"].as_str().unwrap_or_default();
            new.wait.for_mail(&session, &organization, id)?;
        }
        Action::Reschedule { id, at } => {
            let path = [&all[..], &[id, "schedule"]].concat();
            let answer = session.api.post(&path, &json!({ "send_at": at }))?;
            session.output.object(&answer.body, &ONE)?;
        }
        Action::Resend { id, wait } => {
            let path = [&all[..], &[id, "resend"]].concat();
            let answer = session.api.post(&path, &json!({}))?;
            session.output.object(&answer.body, &ONE)?;
            wait.for_mail(&session, &organization, id)?;
        }
        Action::ChangeAddress { id, email, wait } => {
            let path = [&all[..], &[id, "address"]].concat();
            let answer = session.api.post(&path, &json!({ "email": email }))?;
            session.output.object(&answer.body, &ONE)?;
            wait.for_mail(&session, &organization, id)?;
        }
        Action::Extend { id, until } => {
            let path = [&all[..], &[id, "extend"]].concat();
            let answer = session.api.post(&path, &json!({ "expires_at": until }))?;
            session.output.object(&answer.body, &ONE)?;
        }
        Action::Revoke { id } => {
            let path = [&all[..], &[id]].concat();
            session.output.object(&session.api.delete(&path)?.body, &ONE)?;
        }
        // Answered above: an invitee needs no organization.
        Action::Accept | Action::Decline => {}
    }
    Ok(())
}
