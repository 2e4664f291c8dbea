//! A batch goes on as its mails leave: whoever invites one person meanwhile does not wait for all of it.

use super::{CSV, finished_at, send_as};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::LOG_FILE;
use crate::servers::eventually;

const ROWS: usize = 600;

#[test]
fn only_so_many_mails_of_a_batch_wait_ahead_of_others() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let ahead = ("WELCOMAT_BATCHES_MAILS_AHEAD", "40");
        let mut fleet = Fleet::on_shared_broker(&[ahead]).await;
        let log = fleet.file("log");
        let told = [(LOG_FILE, log.to_str().unwrap()), ("WELCOMAT_LOG_FILTER", "api=debug")];
        fleet.add_api_with(&told).await;
        let client = fleet.apis[0].client.clone();
        let me = client.get("/v1/me").await.unwrap().json();
        let organization = text(&me["organization"]["id"]);
        let rows = (0..ROWS).map(|number| format!("many{number}@example.com\n"));
        let body: String = ["email\n".to_owned()].into_iter().chain(rows).collect();
        let headers = [("Content-Type", CSV)];
        let sent = send_as(&client, &organization, &headers, "", body.as_bytes()).await;
        let path = sent.header("location").unwrap();
        eventually("the batch waits", async || {
            let log = std::fs::read_to_string(&log).unwrap();
            log.contains("batches wait for mails to leave").then_some(())
        })
        .await;
        let batch = client.get(path).await.unwrap().json();
        assert_eq!(batch["rows"]["created"], 40, "no worker takes a mail: {batch}");
        fleet.invite(0..1).await;
        fleet.add_worker();
        let batch = finished_at(&client, path).await;
        assert_eq!(batch["rows"]["created"], ROWS, "{batch}");
        fleet.until_mails(ROWS + 1).await;
        fleet.until_all_sent(ROWS + 1).await;
        fleet.end().await;
    });
}
