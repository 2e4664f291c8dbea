//! `welcomat invite-user`: invites one person, as `dci invite-user` does.

mod fields;

use clap::Args;
use serde_json::Value;

use crate::client::api::{Answer, idempotency_key};
use crate::client::output::Output;
use crate::client::table::{Column, Shape};
use crate::client::wait::Wait;
use crate::client::{ClientError, ClientOptions, Session, stdin};
use fields::Fields;

const PATH: [&str; 4] = ["iam", "v1", "users", "invite"];
const INVITATION_ID: &str = "X-Invitation-Id";
const EMAIL_STATUS: &str = "X-Email-Status";

const EXAMPLES: &str = "\
Examples:
  welcomat invite-user email: ann@example.com, firstName: Ann, jobTitle: Sales / Marketing
  welcomat invite-user --email ann@example.com --first-name Ann --wait
  welcomat invite-user < body.json
  welcomat invite-user lastName: Example < body.json      Standard input, changed by shorthand
  welcomat invite-user email: ann@example.com --dry-run   Print the body, send nothing

Shorthand is that of restish: key: value, parted by commas; a.b: 1 and a{b: 1} nest, [1, 2] is a
list, and what is in double quotes is text (your shell wants single ones around them). With --quiet the invitation's id is printed, which
`welcomat invitations` takes.

Exit codes: 0 done, 1 trouble on this machine or no answer, 2 the input is wrong, 4 and 5 the server
refused (4xx) or failed (5xx), 6 with --wait when the mail is not sent, 130 Ctrl-C.";

/// What the answer tells, with what its headers add.
const SHAPE: Shape = Shape {
    id: "/invitation",
    columns: &[
        Column::text("USER", "/user/id"),
        Column::text("EMAIL", "/user/email"),
        Column::text("NAME", "/user/displayName"),
        Column::text("JOB", "/user/jobTitle"),
        Column::text("ROLE", "/user/roleId"),
        Column::text("ORGANIZATION", "/user/organizationId"),
        Column::state("STATUS", "/user/status"),
        Column::text("INVITATION", "/invitation"),
        Column::state("MAIL", "/mail"),
    ],
};

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct InviteUser {
    /// The fields as restish shorthand; they are joined by spaces.
    #[arg(value_name = "SHORTHAND")]
    shorthand: Vec<String>,
    #[command(flatten)]
    wait: Wait,
    /// Print the body that would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not read standard input; for loops, and for scripts that leave it open.
    #[arg(long)]
    no_stdin: bool,
    /// Repeat an earlier call under its key instead of a new one.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    options: ClientOptions,
}

/// Sends the invitation; with `--wait`, watches its mail.
pub fn run(command: &InviteUser) -> Result<(), ClientError> {
    let input = if command.no_stdin { Value::Null } else { stdin::read_object()? };
    let body = fields::body(input, &command.shorthand, &command.fields)
        .map_err(|error| command.explain(error))?;
    if command.dry_run {
        return Output::new(&command.options).value(&body);
    }
    let session = Session::open(&command.options)?;
    let key = command.idempotency_key.clone().unwrap_or_else(idempotency_key);
    let answer = session.api.post_with_key(&PATH, &body, &key)?;
    show(&session.output, &answer)?;
    if command.wait.wait.is_none() {
        return Ok(());
    }
    let organization = answer.body.pointer("/user/organizationId").and_then(Value::as_str);
    match (organization, answer.header(INVITATION_ID), answer.header(EMAIL_STATUS)) {
        (_, _, Some("skipped")) => {
            Err(ClientError::NotSent("the server sends no mail for this invitation".to_owned()))
        }
        (Some(organization), Some(invitation), _) => {
            command.wait.for_mail(&session, organization, invitation)
        }
        _ => Err(ClientError::NotSent("the answer does not name the invitation".to_owned())),
    }
}

/// The body is shown as it came; what the headers say goes into the table or beside the data.
fn show(output: &Output, answer: &Answer) -> Result<(), ClientError> {
    let invitation = answer.header(INVITATION_ID).unwrap_or_default();
    let mail = answer.header(EMAIL_STATUS).unwrap_or_default();
    if !output.is_table() && !output.quiet {
        output.value(&answer.body)?;
        output.remark(&format!("invitation {invitation}, its mail is {mail}"));
        return Ok(());
    }
    let mut row = answer.body.clone();
    row["invitation"] = Value::from(invitation);
    row["mail"] = Value::from(mail);
    output.object(&row, &SHAPE)?;
    if let Some(message) = answer.body.get("message").and_then(Value::as_str) {
        output.remark(message);
    }
    Ok(())
}

impl InviteUser {
    /// `--wait 30s` looks like shorthand.
    fn explain(&self, error: ClientError) -> ClientError {
        let first = self.shorthand.first().map(String::as_str).unwrap_or_default();
        if self.wait.wait.is_some() && adapters::settings::duration::parse(first).is_some() {
            return ClientError::Usage(format!("write --wait={first}, with an equals sign"));
        }
        error
    }
}
