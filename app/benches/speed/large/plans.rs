//! The plans of the statements that the product itself makes, on two million settled invitations.
//!
//! The database explains them while they run: nothing here repeats a statement, so nothing goes stale.

use std::time::Duration;

use app::http::Client;
use tokio::task::block_in_place;

use super::statements::WATCHED;
use crate::Result;
use crate::product::{KEY, World};
use crate::servers::execute;

const PATIENCE: Duration = Duration::from_secs(30);
/// A rescue comes around once in this time.
const RESCUE: (&str, &str) = ("WELCOMAT_WORKER_RESCUE_INTERVAL", "1s");
const RESCUED: Duration = Duration::from_secs(3);

const EXPLAIN: &[(&str, &str)] = &[
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_buffers", "on"),
];

/// Lists that people ask for.
const LISTS: &[&str] = &[
    "limit=50",
    "limit=50&status=pending",
    "limit=50&status=accepted",
    "limit=50&delivery_status=sent",
    "limit=50&delivery_status=failed",
    "limit=50&email=o1000@example.com",
];

/// Lets the product work for a moment and gives its plans, as text.
pub async fn collect(world: &mut World, name: &str, url: &str) -> Result<String> {
    for (setting, value) in EXPLAIN {
        execute(url, &format!("ALTER DATABASE {name} SET {setting} = '{value}'")).await?;
    }
    let product = world.product_over(name, url, &[RESCUE], true).await?;
    world.sink.reset()?;
    let warm = product.warm_up().await?;
    world.sink.until(warm, PATIENCE).await?;
    let client = Client::new(product.address, Some(KEY.to_owned()));
    for query in LISTS {
        let path = format!("/v1/organizations/{}/invitations?{query}", product.organization);
        let answer = client.get(&path).await?;
        if answer.status != 200 {
            return Err(format!("{query} was answered with {}", answer.status).into());
        }
    }
    tokio::time::sleep(RESCUED).await;
    world.end(product).await?;
    let server = world.servers.as_ref().ok_or("there are no servers")?;
    let log = block_in_place(|| server.postgres.run("log"))?;
    for (setting, _) in EXPLAIN {
        execute(url, &format!("ALTER DATABASE {name} RESET {setting}")).await?;
    }
    Ok(sorted(&log))
}

/// A statement with its plan.
struct Plan {
    text: String,
    plan: String,
}

fn sorted(log: &str) -> String {
    let plans = read(log);
    let mut out = String::new();
    for (statement, words) in WATCHED {
        let mut found: Vec<&Plan> = Vec::new();
        for plan in plans.iter().filter(|plan| words.iter().all(|word| plan.text.contains(word))) {
            // The last one of each text: by then every cache is warm.
            found.retain(|other| other.text != plan.text);
            found.push(plan);
        }
        if found.is_empty() {
            out += &format!("## {statement}\n\nnot seen\n\n");
        }
        for plan in found {
            out += &format!("## {statement}\n\n{}\n\n{}\n\n", plan.text, plan.plan);
        }
    }
    out += "## every statement that reads a whole table\n\n";
    let mut scans: Vec<&str> = Vec::new();
    for plan in plans.iter().filter(|plan| plan.plan.contains("Seq Scan")) {
        if !scans.contains(&plan.text.as_str()) {
            scans.push(&plan.text);
            out += &format!("{}\n\n{}\n\n", plan.text, plan.plan);
        }
    }
    out
}

/// Entries begin with `duration: … plan:` and go on in lines that begin with a tab.
fn read(log: &str) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((_, took)) = line.split_once("duration: ") else { continue };
        let Some(took) = took.strip_suffix("plan:") else { continue };
        let (mut text, mut plan) = (String::new(), format!("took {}", took.trim()));
        let mut in_plan = false;
        while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
            let line = &line[1..];
            in_plan |= line.contains("(cost=");
            if let Some(query) = line.strip_prefix("Query Text: ") {
                query.clone_into(&mut text);
            } else if in_plan {
                plan += &format!("\n{line}");
            } else {
                text += &format!("\n{line}");
            }
        }
        plans.push(Plan { text, plan });
    }
    plans
}
