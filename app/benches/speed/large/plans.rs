//! The plans of the statements that the product itself makes, on two million settled invitations.
//!
//! The database explains them while they run: nothing here repeats a statement, so nothing goes stale.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::block_in_place;

use super::statements::WATCHED;
use super::{CLIENTS, LISTS, RESCUE, look_at_list, look_at_overview};
use crate::Result;
use crate::load::{self, Until};
use crate::product::World;
use crate::servers::{create_database, execute};

const PATIENCE: Duration = Duration::from_mins(2);
const RESCUED: Duration = Duration::from_secs(3);

const EXPLAIN: &[(&str, &str)] = &[
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_buffers", "on"),
];

const LARGE: &str = "\
Plans of the product's own statements on 2,000,000 settled invitations, half of them of the organization
that is asked about, as the database explained them while they ran (auto_explain with ANALYZE and BUFFERS).
Of all runs of a statement, the one that touched most pages. Lists of parameters and of ids are cut.

";
const EMPTY: &str = "\
The same on a database that was empty seconds before, while people invite at 64 connections: what the
planner decides before it has ever counted anything.

";

/// Lets the product work for a moment on the large database and gives its plans, as text.
pub async fn on_large(world: &mut World, name: &str, url: &str) -> Result<String> {
    let before = log(world)?.len();
    explain(name, url).await?;
    let product = world.product_over(name, url, &[RESCUE], true).await?;
    world.sink.reset()?;
    let warm = product.warm_up().await?;
    world.sink.until(warm, PATIENCE).await?;
    for query in LISTS {
        look_at_list(&product, query).await?;
    }
    look_at_overview(&product).await?;
    tokio::time::sleep(RESCUED).await;
    world.end(product).await?;
    Ok(sorted(LARGE, log(world)?.get(before..).unwrap_or_default()))
}

/// The same on an empty one, while many people invite.
pub async fn on_empty(world: &mut World, postgres: &str) -> Result<String> {
    let name = "bench_plans";
    let url = create_database(postgres, name).await?;
    let before = log(world)?.len();
    explain(name, &url).await?;
    let product = world.product_over(name, &url, &[RESCUE], true).await?;
    world.sink.reset()?;
    let until = Until { time: RESCUED, count: usize::MAX };
    let closed = load::closed(product.address, &product.invite(), CLIENTS, until).await?;
    world.sink.until(closed.granted, PATIENCE).await?;
    world.end(product).await?;
    Ok(sorted(EMPTY, log(world)?.get(before..).unwrap_or_default()))
}

async fn explain(name: &str, url: &str) -> Result<()> {
    for (setting, value) in EXPLAIN {
        execute(url, &format!("ALTER DATABASE {name} SET {setting} = '{value}'")).await?;
    }
    Ok(())
}

fn log(world: &World) -> Result<String> {
    let server = world.servers.as_ref().ok_or("there are no servers")?;
    block_in_place(|| server.postgres.run("log"))
}

/// A statement with its plan.
struct Plan {
    text: String,
    tree: String,
    buffers: u64,
}

fn sorted(head: &str, log: &str) -> String {
    let mut worst: BTreeMap<String, Plan> = BTreeMap::new();
    for plan in read(log) {
        if worst.get(&plan.text).is_none_or(|known| known.buffers < plan.buffers) {
            worst.insert(plan.text.clone(), plan);
        }
    }
    let mut out = head.to_owned();
    for watched in WATCHED {
        out.push_str("## ");
        out.push_str(watched.name);
        out.push_str("\n\n");
        let before = out.len();
        for plan in worst.values().filter(|plan| watched.is(&plan.text)) {
            out += &plan.shown();
        }
        if out.len() == before {
            out += "not seen\n\n";
        }
    }
    out += "## every other statement that read a whole table\n\n";
    let watched = |plan: &Plan| WATCHED.iter().any(|watched| watched.is(&plan.text));
    for plan in worst.values().filter(|plan| plan.tree.contains("Seq Scan") && !watched(plan)) {
        out += &plan.shown();
    }
    out
}

impl Plan {
    fn shown(&self) -> String {
        format!("{}\n\n{}\n\n", self.text, self.tree)
    }
}

/// Entries begin with `duration: … plan:` and go on in lines that begin with a tab.
fn read(log: &str) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((_, took)) = line.split_once("duration: ") else { continue };
        let Some(took) = took.strip_suffix("plan:") else { continue };
        let (mut text, mut tree) = (String::new(), format!("took {}", took.trim()));
        let mut buffers = None;
        while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
            let line = &line[1..];
            // The first line about buffers is that of the whole plan.
            if buffers.is_none() && line.trim_start().starts_with("Buffers:") {
                buffers = Some(pages(line));
            }
            if let Some(query) = line.strip_prefix("Query Text: ") {
                text = without_lists(query, "($", ')', "(…)");
            } else {
                tree.push('\n');
                tree.push_str(&without_lists(line, "'{", '}', "'{…}"));
            }
        }
        plans.push(Plan { text, tree, buffers: buffers.unwrap_or_default() });
    }
    plans
}

/// Pages that a plan touched, in memory or not.
fn pages(line: &str) -> u64 {
    let counts = line.split([' ', ',']).filter_map(|word| {
        let (name, count) = word.split_once('=')?;
        matches!(name, "hit" | "read").then(|| count.parse::<u64>().ok())?
    });
    counts.sum()
}

/// Lists of parameters make a statement of each length; a long one says no more than a short one.
fn without_lists(text: &str, open: &str, close: char, instead: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let Some(length) = rest[at..].find(close) else { break };
        let list = &rest[at..at + length + close.len_utf8()];
        out += &rest[..at];
        out += if list.contains(',') { instead } else { list };
        rest = &rest[at + list.len()..];
    }
    out + rest
}
