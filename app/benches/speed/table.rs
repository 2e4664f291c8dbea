//! The report for people.
#![expect(clippy::print_stdout, reason = "this is what the benchmark is for")]

use crate::figures::{Better, STEPS, Standing};
use crate::report::{Line, Report, machine};
use crate::samples::Samples;
use crate::scenes::scale::{self, WORKERS};

/// Prints figures, latencies, CPU and noise, as Markdown.
pub fn print(report: &Report<'_>) {
    let machine = machine();
    println!("\n## {}", report.title);
    println!(
        "\n{} cores ({}), shared with the load generator, the mail server, PostgreSQL and RabbitMQ; \
         medians of {} rounds",
        machine["cores"],
        machine["model"].as_str().unwrap_or_default(),
        report.rounds.len()
    );
    println!("\n| Figure | Value | Limit | Ratio | At least | Goal | |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    report.lines.iter().for_each(figure);
    for (kind, title) in
        [("closed", "closed loop, 64 connections"), ("open", "open loop, 200 requests a second")]
    {
        let of = |percent| report.median(&format!("{kind}_p{percent}_ms"));
        if let (Some(p50), Some(p90), Some(p99)) = (of(50), of(90), of(99)) {
            println!("\nAccepting, {title}: p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms");
        }
    }
    cpu(report);
    others(report);
    noise(report);
}

fn figure(line: &Line<'_>) {
    let figure = line.figure;
    let sign = if figure.better == Better::Higher { "≥" } else { "≤" };
    let (limit, ratio) = match line.limit {
        Some(limit) => (amount(limit, figure.unit), format!("{:.2}", line.ratio)),
        None => (String::new(), String::new()),
    };
    let standing = match line.standing() {
        Standing::Goal => "goal",
        Standing::AtLeast => "at least",
        Standing::Short => "short",
    };
    let against = if figure.against.is_empty() { "" } else { " / " };
    println!(
        "| {}{against}{} | {} | {limit} | {ratio} | {sign} {} | {sign} {} | {standing} |",
        figure.title,
        figure.against,
        amount(line.value, figure.unit),
        figure.at_least,
        figure.goal,
    );
}

fn cpu(report: &Report<'_>) {
    let names = report.rounds.iter().flat_map(Samples::names);
    let mut processes: Vec<&str> =
        names.filter_map(|name| name.strip_prefix("cpu_s_per_1000.")).collect();
    processes.sort_unstable();
    processes.dedup();
    if processes.is_empty() {
        return;
    }
    let parts: Vec<String> = processes
        .iter()
        .filter_map(|name| {
            let seconds = report.median(&format!("cpu_s_per_1000.{name}"))?;
            Some(format!("{name} {seconds:.2}"))
        })
        .collect();
    println!("\nCPU seconds per 1,000 invitations, end to end: {}", parts.join(", "));
    let steps: Vec<String> = STEPS
        .iter()
        .filter_map(|(step, rate)| Some(format!("{step} {:.0}", 1e6 / report.median(rate)?)))
        .collect();
    println!("\nThe roofline's steps, µs of the whole machine: {}", steps.join(", "));
}

fn others(report: &Report<'_>) {
    let shown = [
        ("accepted_api_alone_per_s", "accepted while no worker runs", "/s"),
        ("drain_tls_per_s", "mails from a full queue over TLS, sink 0 ms", "/s"),
        ("slow_tls_mails_per_s", "mails from a full queue over TLS, sink 20 ms", "/s"),
        ("limit.pg_bare_per_s", "pgbench, two bare rows in one statement, 64 connections", "/s"),
        ("limit.smtp_pipelined_per_s", "raw pipelined SMTP, 16 connections", "/s"),
        ("limit.lettre_per_s", "raw lettre with TCP_NODELAY, 16 connections, the same mail", "/s"),
        ("limit.publish_per_s", "raw publish and confirm, windows of 1,000", "/s"),
        ("wal_bytes_per_invitation", "WAL per invitation, from the request to sent", "bytes"),
        ("idle_accept_ms", "idle: accepting alone", "ms"),
        ("bulk_p50_ms", "a bulk request of 1,000, two at a time", "ms"),
        ("fair_alone_p50_ms", "one person, from the request to sent, alone: p50", "ms"),
        ("fair_alone_p99_ms", "one person, alone: p99", "ms"),
        ("fair_beside_p50_ms", "one person beside a batch of 100,000: p50", "ms"),
        ("fair_beside_p99_ms", "one person beside a batch of 100,000: p99", "ms"),
    ];
    println!();
    for (name, title, unit) in shown {
        if let Some(value) = report.median(name) {
            println!("- {title}: {}", amount(value, unit));
        }
    }
    for workers in WORKERS {
        if let Some(value) = report.median(&scale::figure(workers)) {
            println!("- mails from a full queue, {workers} workers: {}", amount(value, "/s"));
        }
    }
}

fn noise(report: &Report<'_>) {
    let of = |name| report.median(name).unwrap_or_default();
    println!(
        "\nNoise: the fixed loop took {:.0} ms ± {:.0} % between rounds; {:.0} fdatasync/s ± {:.0} %; \
         others kept {:.2} cores busy ({:.2} while we did nothing); {:.1} % of the time was stolen; \
         load {:.1} at the start of a round.",
        of("noise.loop_ms"),
        report.spread("noise.loop_ms") * 100.0,
        of("noise.fdatasync_per_s"),
        report.spread("noise.fdatasync_per_s") * 100.0,
        of("noise.other_cores"),
        of("noise.busy_while_idle"),
        of("noise.steal") * 100.0,
        of("noise.load"),
    );
}

/// Three digits that matter, with separators.
pub fn amount(value: f64, unit: &str) -> String {
    let space = if unit.starts_with('/') { "" } else { " " };
    let text = match value {
        value if value >= 100.0 => separated(&format!("{value:.0}")),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    };
    format!("{text}{space}{unit}")
}

fn separated(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
