//! `welcomat templates test`: a real mail of a template, and what became of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use domain::TestMailStatus;
use serde_json::{Value, json};

use super::read;
use crate::client::progress::Progress;
use crate::client::table::{self, Column, Shape};
use crate::client::wait::Wait;
use crate::client::{ClientError, Session};

/// A test mail is tried once, so that most have ended within the first looks.
const PAUSE: Duration = Duration::from_millis(250);

const TEST_MAIL: Shape = Shape {
    id: "/id",
    columns: &[
        Column::text("ID", "/id"),
        Column::text("TO", "/to"),
        Column::text("STATUS", "/status"),
        Column::text("SUBJECT", "/subject"),
        Column::text("DETAIL", "/detail"),
        Column::time("ASKED", "/created_at"),
    ],
};

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct TestMail {
    /// The language of the template.
    locale: String,
    /// Where subject.txt.hbs, mail.html.hbs and mail.txt.hbs are [default: what is saved].
    folder: Option<PathBuf>,
    /// Who gets the mail.
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// An earlier version.
    #[arg(long, conflicts_with = "folder")]
    version: Option<u32>,
    /// The language of the reader [default: that of the template].
    #[arg(long)]
    language: Option<String>,
    #[command(flatten)]
    wait: Wait,
}

/// Asks for the mail; with `--wait`, looks on until it is sent or given up.
pub fn run(session: &Session, organization: &str, wanted: &TestMail) -> Result<(), ClientError> {
    let mut body = wanted.folder.as_deref().map_or_else(|| Ok(json!({})), read)?;
    body["to"] = wanted.to.as_str().into();
    if let Some(version) = wanted.version {
        body["version"] = version.into();
    }
    if let Some(language) = &wanted.language {
        body["language"] = language.as_str().into();
    }
    let path = ["v1", "organizations", organization, "templates", &wanted.locale, "test-send"];
    let mail = session.api.post(&path, &body)?.body;
    let Some(patience) = wanted.wait.wait else {
        return session.output.object(&mail, &TEST_MAIL);
    };
    let mail = ended(session, organization, mail, patience)?;
    session.output.object(&mail, &TEST_MAIL)?;
    if status(&mail) == Some(TestMailStatus::Sent) {
        return Ok(());
    }
    let (status, detail) = (table::text(&mail, "/status"), table::text(&mail, "/detail"));
    Err(ClientError::TestNotSent(format!("the test mail is {status}: {detail}")))
}

/// Shows what became of a mail that was asked for before.
pub fn show(session: &Session, organization: &str, id: &str) -> Result<(), ClientError> {
    let path = ["v1", "organizations", organization, "test-mails", id];
    session.output.object(&session.api.get(&path, &[])?.body, &TEST_MAIL)
}

fn ended(
    session: &Session,
    organization: &str,
    mut mail: Value,
    patience: Duration,
) -> Result<Value, ClientError> {
    let id = table::text(&mail, "/id");
    let path = ["v1", "organizations", organization, "test-mails", &id];
    let mut progress = Progress::new(session.output.quiet);
    let looked = loop {
        let left = patience.saturating_sub(progress.elapsed());
        if status(&mail).is_some_and(TestMailStatus::has_ended) || left.is_zero() {
            break Ok(mail);
        }
        progress.rest("the test mail is on its way", PAUSE.min(left));
        match session.api.get(&path, &[]) {
            Ok(answer) => mail = answer.body,
            Err(error) => break Err(error),
        }
    };
    progress.end();
    looked
}

fn status(mail: &Value) -> Option<TestMailStatus> {
    TestMailStatus::parse(mail.pointer("/status")?.as_str()?)
}
