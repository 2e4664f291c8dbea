//! `welcomat branding`: how an organization looks on the pages behind its links.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use domain::branding::Logo;
use serde_json::{Value, json};

use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat branding get
  welcomat branding set --accent '#7a1fa2' --logo acme.png
  welcomat branding clear";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat branding get --output json";
const SET_EXAMPLES: &str = "\
Examples:
  welcomat branding set --name Acme --accent '#7a1fa2' --logo acme.png
  welcomat branding set --support https://acme.example/help
  welcomat branding set --accent= --no-logo            Our colours and no logo any more";
const CLEAR_EXAMPLES: &str = "\
Examples:
  welcomat branding clear";

const ONE: Shape = Shape {
    id: "/name",
    columns: &[
        Column::text("NAME", "/name"),
        Column::text("ACCENT", "/accent"),
        Column::text("BY DAY", "/legible_accent/light"),
        Column::text("BY NIGHT", "/legible_accent/dark"),
        Column::text("SUPPORT", "/support_url"),
        Column::text("LOGO", "/logo/url"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Branding {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show how the organization looks.
    #[command(after_help = GET_EXAMPLES, visible_alias = "show")]
    Get,
    /// Change how it looks; what is not given stays as it is, what is empty becomes ours.
    #[command(after_help = SET_EXAMPLES)]
    Set(Change),
    /// Let it look as everybody does.
    #[command(after_help = CLEAR_EXAMPLES)]
    Clear,
}

#[derive(Debug, Clone, Args)]
struct Change {
    /// What it is called on pages; empty: its name.
    #[arg(long)]
    name: Option<String>,
    /// The colour of buttons and links, as #rrggbb; made legible where it is not.
    #[arg(long, value_name = "COLOUR")]
    accent: Option<String>,
    /// Where people with a question get an answer: https://… or mailto:….
    #[arg(long, value_name = "LINK")]
    support: Option<String>,
    /// A PNG, JPEG, WebP or GIF image of at most 32 KiB.
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// Remove the logo.
    #[arg(long, conflicts_with = "logo")]
    no_logo: bool,
}

/// Runs one of the family.
pub fn run(command: &Branding) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let path = ["v1", "organizations", &organization, "branding"];
    let branding = match &command.action {
        Action::Get => session.api.get(&path, &[])?.body,
        Action::Set(change) => change.make(&session, &path)?,
        Action::Clear => {
            session.api.delete(&path)?;
            return session.output.done(&organization, "cleared");
        }
    };
    session.output.object(&branding, &ONE)
}

impl Change {
    fn make(&self, session: &Session, path: &[&str]) -> Result<Value, ClientError> {
        // A file that is no logo changes nothing.
        let logo = self.logo.as_deref().map(read).transpose()?;
        let api = &session.api;
        let mut branding = api.get(path, &[])?.body;
        let given =
            [("name", &self.name), ("accent", &self.accent), ("support_url", &self.support)];
        if given.iter().any(|(_, value)| value.is_some()) {
            let mut look = json!({});
            for (field, value) in given {
                let value =
                    value.as_deref().map(|text| json!(Some(text).filter(|text| !text.is_empty())));
                look[field] = value.unwrap_or_else(|| branding[field].clone());
            }
            branding = api.put(path, &look)?.body;
        }
        let logo_path = [path, &["logo"]].concat();
        if let Some((kind, bytes)) = logo {
            branding = api.put_file(&logo_path, kind, &bytes)?.body;
        }
        if self.no_logo {
            api.delete(&logo_path)?;
            branding["logo"] = Value::Null;
        }
        Ok(branding)
    }
}

/// A logo and its media type.
fn read(path: &Path) -> Result<(&'static str, Vec<u8>), ClientError> {
    let wrong = |why: String| ClientError::Usage(format!("{} {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let logo = Logo::read(&bytes).map_err(|error| wrong(error.to_string()))?;
    Ok((logo.kind.media_type(), bytes))
}
