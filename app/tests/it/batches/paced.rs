//! A batch goes on as its mails leave, and so do the many of one request: whoever invites one person meanwhile
//! does not wait for all of them.

use std::path::Path;

use app::http::Client;
use serde_json::json;

use super::{CSV, finished_at, send_as};
#[cfg(feature = "failpoints")]
use crate::faults::proxy::{Mode, Proxy};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::LOG_FILE;
use crate::servers::eventually;

const ROWS: usize = 600;
const AHEAD: usize = 40;
/// Mails that a worker has in hand, which wait for nobody.
#[cfg(feature = "failpoints")]
const IN_HAND: usize = 64;

#[test]
fn only_so_many_mails_of_a_batch_wait_ahead_of_others() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, client) = fleet().await;
        let path = send(&client).await;
        let batch = held(&client, &fleet.file("log"), &path).await;
        assert_eq!(batch["rows"]["created"], AHEAD, "no worker takes a mail: {batch}");
        fleet.invite(0..1).await;
        fleet.add_worker();
        let batch = finished_at(&client, &path).await;
        assert_eq!(batch["rows"]["created"], ROWS, "{batch}");
        fleet.until_mails(ROWS + 1).await;
        fleet.until_all_sent(ROWS + 1).await;
        fleet.end().await;
    });
}

/// Or all of it would want to leave at once when the mail server is back.
#[cfg(feature = "failpoints")]
#[test]
fn a_batch_waits_for_a_mail_server_that_is_away() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, client) = fleet().await;
        let (proxy, url) = Proxy::before(&fleet.sink.url(), 25).await;
        proxy.set(Mode::Refuse);
        fleet.add_worker_with(&[("WELCOMAT_MAIL_URL", &url)]);
        let path = send(&client).await;
        eventually("its first mails are put off", async || {
            let put_off = fleet.list("limit=100&delivery_status=retrying").await;
            (put_off["data"].as_array().unwrap().len() >= AHEAD).then_some(())
        })
        .await;
        let log = fleet.file("log");
        let looks = looks_in_vain(&log);
        eventually("the batch was looked at again and again", async || {
            (looks_in_vain(&log) >= looks + 20).then_some(())
        })
        .await;
        let batch = client.get(&path).await.unwrap().json();
        let created = usize::try_from(batch["rows"]["created"].as_u64().unwrap()).unwrap();
        assert!((AHEAD..=AHEAD + IN_HAND).contains(&created), "the others wait: {batch}");
        proxy.set(Mode::Pass);
        let batch = finished_at(&client, &path).await;
        assert_eq!(batch["rows"]["created"], ROWS, "{batch}");
        fleet.until_mails(ROWS).await;
        fleet.until_all_sent(ROWS).await;
        fleet.end().await;
    });
}

/// The many are taken at once, and their jobs wait where they can be overtaken.
#[test]
fn many_of_one_request_let_whoever_is_invited_alone_go_first() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, client) = fleet().await;
        let many = (0..ROWS).map(|number| json!({"email": format!("many{number}@example.com")}));
        let body = json!({ "emailAddresses": many.collect::<Vec<_>>() });
        let taken = client.post("/organization/users/invite", &body).await.unwrap();
        assert_eq!(taken.status, 200, "{}", taken.text());
        let rest = format!("welcomat_outbox_waiting {}", ROWS - AHEAD);
        eventually("as many are published as may wait ahead of others", async || {
            let metrics = client.get("/metrics").await.unwrap().text();
            metrics.lines().any(|line| line == rest).then_some(())
        })
        .await;
        fleet.invite(0..1).await;
        fleet.add_worker();
        fleet.until_mails(ROWS + 1).await;
        let order = fleet.sink.mails();
        let place = order.iter().position(|mail| mail.to == "n0@example.com").unwrap();
        // Those that a worker has in hand at once come in any order.
        assert!(place <= 2 * AHEAD, "it was the {place}th");
        fleet.until_all_sent(ROWS + 1).await;
        fleet.end().await;
    });
}

/// An API that says when batches wait, which they do soon.
async fn fleet() -> (Fleet, Client) {
    let ahead = AHEAD.to_string();
    let ahead = ("WELCOMAT_BATCHES_MAILS_AHEAD", ahead.as_str());
    let mut fleet = Fleet::on_shared_broker(&[ahead]).await;
    let log = fleet.file("log");
    let told = [(LOG_FILE, log.to_str().unwrap()), ("WELCOMAT_LOG_FILTER", "api=debug")];
    fleet.add_api_with(&told).await;
    let client = fleet.apis[0].client.clone();
    (fleet, client)
}

/// Sends a batch; gives its path.
async fn send(client: &Client) -> String {
    let me = client.get("/v1/me").await.unwrap().json();
    let organization = text(&me["organization"]["id"]);
    let rows = (0..ROWS).map(|number| format!("many{number}@example.com\n"));
    let body: String = ["email\n".to_owned()].into_iter().chain(rows).collect();
    let headers = [("Content-Type", CSV)];
    let sent = send_as(client, &organization, &headers, "", body.as_bytes()).await;
    sent.header("location").unwrap().to_owned()
}

/// The batch, once the API's log says that batches wait.
async fn held(client: &Client, log: &Path, path: &str) -> serde_json::Value {
    eventually("the batch waits", async || (looks_in_vain(log) > 0).then_some(())).await;
    client.get(path).await.unwrap().json()
}

/// How often the API has found that batches must wait.
fn looks_in_vain(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap().matches("batches wait for mails to leave").count()
}
