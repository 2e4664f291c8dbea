//! Processes die while they work on a batch, or share one: no row is lost, and nobody is invited twice.

use std::collections::HashSet;

use app::http::Client;
use serde_json::json;

use super::{CSV, finished_at, send_as};
use crate::faults::HASTE;
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;

const ROWS: usize = 700;

fn body(rows: usize) -> String {
    let rows = (0..rows).map(|number| format!("n{number}@example.com\n"));
    ["email\n".to_owned()].into_iter().chain(rows).collect()
}

async fn organization(client: &Client) -> String {
    text(&client.get("/v1/me").await.unwrap().json()["organization"]["id"])
}

/// Lets an API die there, twice the same batch is sent if no answer came, and another API goes on.
async fn dies_at(fail_point: &str, is_answered: bool) {
    let _turn = TURN.acquire().await;
    let mut fleet = Fleet::on_shared_broker(&HASTE).await;
    fleet.add_worker();
    fleet.add_api_with(&[("FAULT_POINT", fail_point)]).await;
    let client = fleet.apis[0].client.clone();
    let organization = organization(&client).await;
    let path = format!("/v1/organizations/{organization}/batches");
    let headers = [("Content-Type", CSV), ("Idempotency-Key", "import")];
    let sent = client.send("POST", &path, &headers, body(ROWS).as_bytes()).await;
    assert_eq!(sent.is_ok_and(|answer| answer.status == 202), is_answered);
    let died = eventually("the API dies", async || fleet.apis[0].process.ended()).await;
    assert!(!died.success(), "{died}");
    fleet.apis.clear();
    fleet.add_api().await;
    let client = fleet.apis[0].client.clone();
    // Whoever got no answer asks again, and whoever got one may.
    let again = send_as(&client, &organization, &headers, "", body(ROWS).as_bytes()).await;
    assert_eq!(again.status, 202, "{}", again.text());
    let batch = finished_at(&client, again.header("location").unwrap()).await;
    assert_eq!(batch["rows"]["created"], ROWS, "{batch}");
    let list = client.get(&path).await.unwrap().json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "there is one batch: {list}");
    invited_once(&fleet, ROWS).await;
    fleet.end().await;
}

async fn invited_once(fleet: &Fleet, count: usize) {
    let all = fleet.all().await;
    let emails: HashSet<String> = all.iter().map(|one| text(&one["email"])).collect();
    assert_eq!((all.len(), emails.len()), (count, count));
    fleet.until_mails(count).await;
    fleet.until_all_sent(count).await;
    let mails = fleet.mails();
    assert_eq!(mails.len(), count);
    assert!(mails.values().all(|mails| mails.len() == 1), "nobody gets two mails");
}

#[test]
fn an_api_that_dies_before_rows_are_committed_leaves_them_waiting() {
    block_on(dies_at("batch.before_commit=abort@2", true));
}

#[test]
fn an_api_that_dies_after_rows_are_committed_invites_nobody_again() {
    block_on(dies_at("batch.after_commit=abort@2", true));
}

#[test]
fn an_api_that_dies_before_a_batch_is_taken_has_promised_nothing() {
    block_on(dies_at("batch.before_start=abort", false));
}

#[test]
fn an_api_that_dies_before_the_answer_takes_the_batch_once() {
    block_on(dies_at("batch.after_start=abort", false));
}

#[test]
fn two_apis_share_one_batch() {
    const MANY: usize = 4000;
    block_on(async {
        let _turn = TURN.acquire().await;
        // There is no worker whom anybody could wait for.
        let env = [("WELCOMAT_BATCHES_POLL", "10ms"), ("WELCOMAT_BATCHES_MAILS_AHEAD", "100000")];
        let mut fleet = Fleet::on_shared_broker(&env).await;
        fleet.add_api().await;
        fleet.add_api().await;
        let client = fleet.apis[0].client.clone();
        let organization = organization(&client).await;
        let headers = [("Content-Type", CSV)];
        let sent = send_as(&client, &organization, &headers, "", body(MANY).as_bytes()).await;
        assert_eq!(sent.status, 202, "{}", sent.text());
        let batch = finished_at(&client, sent.header("location").unwrap()).await;
        assert_eq!(batch["rows"]["created"], json!(MANY), "{batch}");
        let mut shares = Vec::new();
        for api in &fleet.apis {
            let metrics = api.client.get("/metrics").await.unwrap().text();
            let line = metrics
                .lines()
                .find_map(|line| line.strip_prefix("welcomat_invitations_created_total "));
            shares.push(line.unwrap_or_else(|| panic!("{metrics}")).parse::<usize>().unwrap());
        }
        assert_eq!(shares.iter().sum::<usize>(), MANY, "{shares:?}");
        assert!(shares.iter().all(|share| *share > 0), "both have worked: {shares:?}");
        let all = fleet.all().await;
        let emails: HashSet<String> = all.iter().map(|one| text(&one["email"])).collect();
        assert_eq!((all.len(), emails.len()), (MANY, MANY));
        fleet.end().await;
    });
}
