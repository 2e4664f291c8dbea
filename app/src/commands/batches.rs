//! `welcomat batches`: many invitations at once, from a file.

use std::fs::File;
use std::io::{Read, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::client::api::idempotency_key;
use crate::client::options::parse_duration;
use crate::client::pages::Extent;
use crate::client::progress::Progress;
use crate::client::table::{self, Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat batches create people.csv --wait
  welcomat batches list
  welcomat batches rows 01890a5d-ac96-774b-bcce-b302099a8057 --status refused
  welcomat batches retry 01890a5d-ac96-774b-bcce-b302099a8057 --wait";
const CREATE_EXAMPLES: &str = "\
Examples:
  welcomat batches create people.csv --wait
  welcomat batches create people.csv --mode atomic
  jq -c '.people[] | {email}' crm.json | welcomat batches create - --format ndjson --name crm";
const LIST_EXAMPLES: &str = "\
Examples:
  welcomat batches list
  welcomat batches list --output json | jq '.data[] | select(.status == \"working\")'";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat batches get 01890a5d-ac96-774b-bcce-b302099a8057 --output yaml";
const ROWS_EXAMPLES: &str = "\
Examples:
  welcomat batches rows 01890a5d-ac96-774b-bcce-b302099a8057 --status invalid
  welcomat batches rows 01890a5d-ac96-774b-bcce-b302099a8057 --csv > rows.csv";
const RETRY_EXAMPLES: &str = "\
Examples:
  welcomat batches retry 01890a5d-ac96-774b-bcce-b302099a8057 --wait";
const CANCEL_EXAMPLES: &str = "\
Examples:
  welcomat batches cancel 01890a5d-ac96-774b-bcce-b302099a8057";

const LIST: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("NAME", "/name"),
        Column::state("STATUS", "/status"),
        Column::text("ROWS", "/total"),
        Column::text("WAITING", "/rows/waiting"),
        Column::text("CREATED", "/rows/created"),
        Column::text("INVALID", "/rows/invalid"),
        Column::text("REFUSED", "/rows/refused"),
        Column::time("TAKEN IN", "/created_at"),
    ],
};
const ONE: Shape = Shape {
    id: "/id",
    columns: &[
        Column::whole("ID", "/id"),
        Column::text("NAME", "/name"),
        Column::text("MODE", "/mode"),
        Column::state("STATUS", "/status"),
        Column::text("ROWS", "/total"),
        Column::text("WAITING", "/rows/waiting"),
        Column::text("CREATED", "/rows/created"),
        Column::text("PENDING BEFORE", "/rows/pending"),
        Column::text("MEMBERS", "/rows/member"),
        Column::text("REFUSED", "/rows/refused"),
        Column::text("INVALID", "/rows/invalid"),
        Column::text("FAILED", "/rows/failed"),
        Column::text("CANCELLED", "/rows/cancelled"),
        Column::text("INVITATIONS", "/invitations"),
        Column::text("MAILS", "/deliveries"),
        Column::time("RESTS UNTIL", "/not_before"),
        Column::time("TAKEN IN", "/created_at"),
        Column::time("FINISHED", "/finished_at"),
    ],
};
const ROWS: Shape = Shape {
    id: "/number",
    columns: &[
        Column::text("ROW", "/number"),
        Column::text("LINE", "/line"),
        Column::text("EMAIL", "/email"),
        Column::state("STATUS", "/status"),
        Column::text("CODE", "/code"),
        Column::text("DETAIL", "/detail"),
    ],
};

/// Between two looks at a batch, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Rows that have an end which is no invitation.
const NOT_INVITED: [&str; 4] = ["refused", "invalid", "failed", "cancelled"];

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Batches {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Invite everybody in a file: CSV with a header, NDJSON, or JSON.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// The file; - is standard input.
        file: PathBuf,
        /// partial invites whom it can, atomic all or nobody.
        #[arg(long, value_enum, default_value_t)]
        mode: Mode,
        /// How the rows are written [default: by the name of the file, else csv].
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// What you call the batch [default: the name of the file].
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Show the batches, newest first.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Show one batch, with how its rows, invitations and mails stand.
    #[command(after_help = GET_EXAMPLES)]
    Get {
        /// The batch's id.
        id: String,
    },
    /// Show the rows of a batch, and what became of each.
    #[command(after_help = ROWS_EXAMPLES)]
    Rows {
        /// The batch's id.
        id: String,
        /// Only rows that stand there: waiting, created, pending, member, refused, invalid, failed or
        /// cancelled.
        #[arg(long)]
        status: Option<String>,
        /// Print all of them as CSV.
        #[arg(long, conflicts_with_all = ["limit", "all"])]
        csv: bool,
        #[command(flatten)]
        extent: Extent,
    },
    /// Try the refused and failed rows again, and only them.
    #[command(after_help = RETRY_EXAMPLES)]
    Retry {
        /// The batch's id.
        id: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Stop a batch: whoever waits for their turn is not invited.
    #[command(after_help = CANCEL_EXAMPLES)]
    Cancel {
        /// The batch's id.
        id: String,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Mode {
    #[default]
    Partial,
    Atomic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Ndjson,
    Json,
}

#[derive(Debug, Clone, Args)]
struct Wait {
    /// Wait until no row waits; exit code 6 if not everybody is invited [default: 1h].
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1h",
        value_parser = parse_duration
    )]
    wait: Option<Duration>,
}

/// Runs one of the family.
pub fn run(command: &Batches) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let Session { api, output } = &session;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let all = ["v1", "organizations", &organization, "batches"];
    let one = |id| [&all[..], &[id]].concat();
    let below = |id, what| [&all[..], &[id, what]].concat();
    match &command.action {
        Action::Create { file, mode, format, name, wait } => {
            let format = format.unwrap_or_else(|| Format::of(file));
            let of_file = || file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let name = name.clone().or_else(|| of_file().filter(|name| name != "-"));
            let mode = if *mode == Mode::Atomic { "atomic" } else { "partial" };
            let mut query = vec![("mode", mode)];
            query.extend(name.as_deref().map(|name| ("name", name)));
            let (kind, key) = (format.media_type(), idempotency_key());
            let taken = api.post_stream(&all, &query, kind, open(file)?, &key)?.body;
            let id = table::text(&taken, "/id");
            wait.show(&session, &one(&id), &taken)
        }
        Action::List { extent } => extent.show(&session, &all, &[], &LIST),
        Action::Get { id } => output.object(&api.get(&one(id), &[])?.body, &ONE),
        Action::Rows { id, status, csv: true, .. } => {
            let query: Vec<_> = status.iter().map(|status| ("status", status.as_str())).collect();
            api.get_stream(&below(id, "rows.csv"), &query, stdout().lock())
        }
        Action::Rows { id, status, extent, .. } => {
            extent.show(&session, &below(id, "rows"), &[("status", status.as_deref())], &ROWS)
        }
        Action::Retry { id, wait } => {
            let retried = api.post(&below(id, "retry"), &json!({}))?.body;
            wait.show(&session, &one(id), &retried)
        }
        Action::Cancel { id } => {
            output.object(&api.post(&below(id, "cancel"), &json!({}))?.body, &ONE)
        }
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, ClientError> {
    if file == Path::new("-") {
        return Ok(Box::new(stdin()));
    }
    match File::open(file) {
        Ok(opened) => Ok(Box::new(opened)),
        Err(error) => {
            let words = format!("{} cannot be read: {error}", file.display());
            Err(ClientError::Usage(words))
        }
    }
}

impl Format {
    fn of(file: &Path) -> Self {
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Self::Json,
            Some("ndjson" | "jsonl") => Self::Ndjson,
            _ => Self::Csv,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
        }
    }
}

impl Wait {
    /// Shows the batch, once it is finished if that was asked for.
    fn show(&self, session: &Session, path: &[&str], batch: &Value) -> Result<(), ClientError> {
        let Some(patience) = self.wait else { return session.output.object(batch, &ONE) };
        let mut progress = Progress::new(session.output.quiet);
        let watched = watch(session, path, batch.clone(), patience, &mut progress);
        progress.end();
        let batch = watched?;
        session.output.object(&batch, &ONE)?;
        let count = |status: &str| batch["rows"][status].as_u64().unwrap_or_default();
        let (total, waiting) = (batch["total"].as_u64().unwrap_or_default(), count("waiting"));
        if waiting > 0 {
            return Err(ClientError::NotAll(format!("{waiting} of {total} rows still wait")));
        }
        let missed: u64 = NOT_INVITED.iter().map(|status| count(status)).sum();
        if missed > 0 {
            return Err(ClientError::NotAll(format!("{missed} of {total} rows are not invited")));
        }
        let seconds = progress.elapsed().as_secs_f32();
        session.output.remark(&format!("{total} rows are done, after {seconds:.1} s"));
        Ok(())
    }
}

/// The batch, once no row of it waits or the patience is over.
fn watch(
    session: &Session,
    path: &[&str],
    mut batch: Value,
    patience: Duration,
    progress: &mut Progress,
) -> Result<Value, ClientError> {
    let (mut pause, longest) = PAUSES;
    loop {
        let total = batch["total"].as_u64().unwrap_or_default();
        let waiting = batch["rows"]["waiting"].as_u64().unwrap_or_default();
        let left = patience.saturating_sub(progress.elapsed());
        if batch["status"] != "working" || left.is_zero() {
            return Ok(batch);
        }
        let done = total.saturating_sub(waiting);
        progress.part(done, total, "rows are done", pause.min(left));
        pause = (pause * 2).min(longest);
        match session.api.get(path, &[]) {
            Ok(answer) => batch = answer.body,
            Err(error) if error.exit_code() == 4 => return Err(error),
            // A server that restarts comes back.
            Err(_) => {}
        }
    }
}
