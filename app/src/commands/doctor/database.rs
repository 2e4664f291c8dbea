//! The database: is it there, is it the right one, is its time ours?

use std::path::Path;
use std::time::Duration;

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::{DatabaseReport, Store, Tables};

use super::finding::Finding;

const WHAT: &str = "database";
const CLOCK: &str = "clock";
/// Tokens and TLS certificates stand this much.
const APART: Duration = Duration::from_mins(1);

/// Looks at it.
pub async fn examine(settings: &Settings) -> Vec<Finding> {
    let url = &settings.database.url;
    if let Some(file) = url.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches('/'))
        && !is_there(url, file)
    {
        return vec![Finding::good(WHAT, "SQLite; the first start makes the file")];
    }
    // Apart from the store's, which soon follows the database's.
    let machine = Clock::new();
    let unreachable = |error: String| {
        let todo = "see that it runs, that database.url is right, and that its user may connect";
        vec![Finding::bad(WHAT, error, todo)]
    };
    let store = match Store::connect(settings, Clock::new()).await {
        Ok(store) => store,
        Err(error) => return unreachable(error.to_string()),
    };
    let report = store.examine(machine.now()).await;
    store.close().await;
    match report {
        Ok(report) => told(report),
        Err(error) => unreachable(error.to_string()),
    }
}

fn is_there(url: &str, file: &str) -> bool {
    let file = file.split('?').next().unwrap_or_default();
    let absolute = url.starts_with("sqlite:///");
    let path = if absolute { format!("/{file}") } else { file.to_owned() };
    Path::new(&path).exists()
}

fn told(report: DatabaseReport) -> Vec<Finding> {
    let DatabaseReport { version, tables, clocks_apart, read_only } = report;
    let mut findings = vec![match (tables, read_only) {
        (_, true) => {
            let todo = "point database.url at the one that takes changes: this is a replica, or \
                        may not be written";
            Finding::bad(WHAT, format!("{version}, and it is read-only"), todo)
        }
        (Tables::Beyond(steps), _) => {
            let detail = format!("{version}; a newer version has changed it: {}", steps.join(", "));
            Finding::bad(
                WHAT,
                detail,
                "run the newer version; docs/upgrading.md says how to go back",
            )
        }
        (Tables::Ahead(steps), _) => {
            let added = steps.join(", ");
            let detail = format!("{version}; a newer version has added to it: {added}");
            let todo = "none while versions are changed; then no process of this one is left";
            Finding::doubtful(WHAT, detail, todo)
        }
        (Tables::Behind(steps), _) => {
            let detail = format!("{version}; {steps} steps of its tables are still to be taken");
            let todo = "start a process that may, or run `welcomat migrate` as the tables' owner";
            Finding::doubtful(WHAT, detail, todo)
        }
        (Tables::Current, false) => Finding::good(WHAT, format!("{version}, tables up to date")),
    }];
    if let Some(apart) = clocks_apart {
        let detail = format!("{} ms from the database's", apart.as_millis());
        findings.push(if apart < APART {
            Finding::good(CLOCK, detail)
        } else {
            let todo = "set both by NTP: what is due follows the database, but tokens and \
                        certificates are checked by this machine's time";
            Finding::bad(CLOCK, format!("{} s from the database's", apart.as_secs()), todo)
        });
    }
    findings
}
