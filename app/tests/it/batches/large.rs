//! A large file: its rows are never all in memory, and who invites one person meanwhile does not wait.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{CSV, finished_at, send_as};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::processes::fleet::Fleet;

/// What the memory of the process may grow by: a few chunks of rows, and what an allocator keeps.
const MOST_KIB: usize = 64 * 1024;

#[test]
fn twenty_thousand_rows_take_little_memory() {
    block_on(takes_little_memory(20_000));
}

#[cfg(feature = "long-faults")]
#[test]
fn a_hundred_thousand_rows_take_little_memory() {
    block_on(takes_little_memory(100_000));
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs it with --nocapture")]
async fn takes_little_memory(count: usize) {
    let _turn = TURN.acquire().await;
    let mut fleet = Fleet::on_shared_broker(&[("WELCOMAT_BATCHES_MAILS_AHEAD", "1000000")]).await;
    fleet.add_api().await;
    let api = &fleet.apis[0];
    let organization = text(&api.client.get("/v1/me").await.unwrap().json()["organization"]["id"]);
    // What the first request of its kind needs is no growth.
    for number in 0..20 {
        fleet.invite(number..number + 1).await;
    }
    let before = api.process.footprint().kib;
    let padding = "x".repeat(40);
    let rows = (0..count).map(|n| format!("{padding}{n}@example.com,Ann,Lee,member\n"));
    let body: String =
        ["email,first_name,last_name,role\n".to_owned()].into_iter().chain(rows).collect();
    let start = Instant::now();
    let headers = [("Content-Type", CSV)];
    let sent = send_as(&api.client, &organization, &headers, "", body.as_bytes()).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let received = start.elapsed();
    let mut peak = api.process.footprint().kib;
    let path = sent.header("location").unwrap();
    let mut slowest = Duration::ZERO;
    let invitations = format!("/v1/organizations/{organization}/invitations");
    for number in 0.. {
        let single = Instant::now();
        let body = json!({ "email": format!("single{number}@example.com") });
        assert_eq!(api.client.post(&invitations, &body).await.unwrap().status, 201);
        slowest = slowest.max(single.elapsed());
        peak = peak.max(api.process.footprint().kib);
        let batch = api.client.get(path).await.unwrap().json();
        if batch["status"] == "done" {
            break;
        }
    }
    let worked = start.elapsed().saturating_sub(received);
    let batch = finished_at(&api.client, path).await;
    assert_eq!(batch["rows"]["created"], count, "{batch}");
    let csv = api.client.get(&format!("{path}/rows.csv")).await.unwrap();
    assert_eq!(csv.text().lines().count(), count + 1);
    peak = peak.max(api.process.footprint().kib);
    println!(
        "{count} rows, {} KiB: received in {received:?}, invited in {worked:?}; slowest single \
         invitation meanwhile {slowest:?}; memory {before} KiB before, {peak} KiB at most",
        body.len() / 1024
    );
    assert!(peak < before + MOST_KIB, "{before} KiB grew to {peak} KiB");
    fleet.end().await;
}
