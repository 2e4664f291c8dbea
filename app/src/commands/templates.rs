//! `welcomat templates`: the mail in the organization's own words, as files.

mod test_mail;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::output::write_out;
use crate::client::pages::Extent;
use crate::client::table::{self, Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat templates get de --original --to mail
  welcomat templates preview de mail
  welcomat templates test de mail --to ada@example.com
  welcomat templates save de mail
  welcomat templates rollback de 1";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat templates list";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat templates get de
  welcomat templates get de --original --to mail
  welcomat templates get default --version 3 --to mail";
const SAVE_EXAMPLES: &str = "\
Examples:
  welcomat templates save de mail
  welcomat templates save default mail --quiet";
const PREVIEW_EXAMPLES: &str = "\
Examples:
  welcomat templates preview de mail
  welcomat templates preview default mail --language ar --html > mail.html";
const TEST_EXAMPLES: &str = "\
Examples:
  welcomat templates test de mail --to ada@example.com
  welcomat templates test de --version 2 --to ada@example.com
  welcomat templates test default --language ar --to ada@example.com --wait";
const TEST_STATUS_EXAMPLES: &str = "\
Examples:
  welcomat templates test-status 01890a5d-ac96-774b-bcce-b302099a8057";
const VERSIONS_EXAMPLES: &str = "\
Examples:
  welcomat templates versions de";
const ROLLBACK_EXAMPLES: &str = "\
Examples:
  welcomat templates rollback de 1";
const DELETE_EXAMPLES: &str = "\
Examples:
  welcomat templates delete de";
const RETRY_EXAMPLES: &str = "\
Examples:
  welcomat templates retry";

/// The parts of a mail, and the files that they are in.
const PARTS: [(&str, &str); 3] =
    [("subject", "subject.txt.hbs"), ("html", "mail.html.hbs"), ("text", "mail.txt.hbs")];

const LIST: Shape = Shape {
    id: "/version",
    columns: &[
        Column::text("LOCALE", "/locale"),
        Column::text("VERSION", "/version"),
        Column::text("CURRENT", "/current"),
        Column::time("SAVED", "/created_at"),
        Column::text("BY", "/actor"),
    ],
};
const ONE: Shape = Shape {
    id: "/version",
    columns: &[
        Column::text("LOCALE", "/locale"),
        Column::text("VERSION", "/version"),
        Column::text("CURRENT", "/current"),
        Column::time("SAVED", "/created_at"),
        Column::text("BY", "/actor"),
        Column::text("SUBJECT", "/subject"),
        Column::text("HTML", "/html"),
        Column::text("TEXT", "/text"),
    ],
};
const RETRIED: Shape = Shape { id: "/retried", columns: &[Column::text("RETRIED", "/retried")] };

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Templates {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show which languages have a template of their own.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Show the template of a language, or write it into files.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The language, such as de; default is for all that have none of their own.
        locale: String,
        /// An earlier version.
        #[arg(long)]
        version: Option<u32>,
        /// The mail that everybody has, to begin with.
        #[arg(long, conflicts_with = "version")]
        original: bool,
        /// Write subject.txt.hbs, mail.html.hbs and mail.txt.hbs into this folder.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// Save the files in a folder as the newest version; mails are made from it at once.
    #[command(after_help = SAVE_EXAMPLES)]
    Save {
        /// The language; default is for all that have none of their own.
        locale: String,
        /// Where subject.txt.hbs, mail.html.hbs and mail.txt.hbs are.
        folder: PathBuf,
    },
    /// Show what a mail looks like, of the files in a folder or as it is; nothing is sent.
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview {
        /// The language of the template.
        locale: String,
        /// Where subject.txt.hbs, mail.html.hbs and mail.txt.hbs are [default: what is saved].
        folder: Option<PathBuf>,
        /// The language of the reader [default: that of the template].
        #[arg(long)]
        language: Option<String>,
        /// Print the HTML part alone.
        #[arg(long)]
        html: bool,
    },
    /// Send a real mail, of the files in a folder or as it is, to whoever wants to see it.
    #[command(after_help = TEST_EXAMPLES)]
    Test(test_mail::TestMail),
    /// Show what became of a test mail.
    #[command(after_help = TEST_STATUS_EXAMPLES)]
    TestStatus {
        /// The test mail's id.
        id: String,
    },
    /// Show the versions of a language's template, newest first.
    #[command(after_help = VERSIONS_EXAMPLES)]
    Versions {
        /// The language.
        locale: String,
        #[command(flatten)]
        extent: Extent,
    },
    /// Make mails from an earlier version again.
    #[command(after_help = ROLLBACK_EXAMPLES)]
    Rollback {
        /// The language.
        locale: String,
        /// The number of the version.
        version: u32,
    },
    /// Make no mail from a language's template any more; its versions are kept.
    #[command(after_help = DELETE_EXAMPLES)]
    Delete {
        /// The language.
        locale: String,
    },
    /// Try the mails again that a template could not make.
    #[command(after_help = RETRY_EXAMPLES)]
    Retry,
}

/// Runs one of the family.
pub fn run(command: &Templates) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let Session { api, output } = &session;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let all = ["v1", "organizations", &organization, "templates"];
    match &command.action {
        Action::List { extent } => extent.show_whole(&session, &all, &[], &LIST),
        Action::Get { locale, version, original, to } => {
            let number = version.map(|version| version.to_string());
            let path = match (&number, original) {
                (Some(number), _) => {
                    [&all[..], &[locale.as_str(), "versions", number.as_str()]].concat()
                }
                (None, true) => [&all[..], &[locale.as_str(), "original"]].concat(),
                (None, false) => [&all[..], &[locale.as_str()]].concat(),
            };
            let found = api.get(&path, &[])?.body;
            match to {
                Some(folder) => write(folder, &found),
                None => output.object(&found, &ONE),
            }
        }
        Action::Save { locale, folder } => output
            .object(&api.put(&[&all[..], &[locale.as_str()]].concat(), &read(folder)?)?.body, &ONE),
        Action::Preview { locale, folder, language, html } => {
            let mut wanted = folder.as_deref().map_or_else(|| Ok(json!({})), read)?;
            if let Some(language) = language {
                wanted["language"] = language.as_str().into();
            }
            let made = api.post(&[&all[..], &[locale.as_str(), "preview"]].concat(), &wanted)?.body;
            if *html { write_out(&table::text(&made, "/html")) } else { output.value(&made) }
        }
        Action::Test(wanted) => test_mail::run(&session, &organization, wanted),
        Action::TestStatus { id } => test_mail::show(&session, &organization, id),
        Action::Versions { locale, extent } => extent.show_whole(
            &session,
            &[&all[..], &[locale.as_str(), "versions"]].concat(),
            &[],
            &LIST,
        ),
        Action::Rollback { locale, version } => {
            let wanted = json!({ "version": version });
            let chosen =
                api.post(&[&all[..], &[locale.as_str(), "rollback"]].concat(), &wanted)?.body;
            output.object(&chosen, &ONE)
        }
        Action::Delete { locale } => {
            api.delete(&[&all[..], &[locale.as_str()]].concat())?;
            output.done(locale, "deleted")
        }
        Action::Retry => {
            let path = ["v1", "organizations", &organization, "parked-mails", "retry"];
            output.object(&api.post(&path, &json!({}))?.body, &RETRIED)
        }
    }
}

fn read(folder: &Path) -> Result<Value, ClientError> {
    let mut parts = Map::new();
    for (part, file) in PARTS {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| {
            ClientError::Usage(format!("{} cannot be read: {error}", path.display()))
        })?;
        parts.insert(part.to_owned(), text.into());
    }
    Ok(Value::Object(parts))
}

fn write(folder: &Path, found: &Value) -> Result<(), ClientError> {
    let failed = |path: &Path, error| {
        ClientError::Local(format!("{} cannot be written: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (part, file) in PARTS {
        let path = folder.join(file);
        fs::write(&path, table::text(found, &format!("/{part}")))
            .map_err(|error| failed(&path, error))?;
    }
    Ok(())
}
