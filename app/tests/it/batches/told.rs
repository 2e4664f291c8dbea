//! Webhooks are told that a batch is finished.

use serde_json::json;

use super::{CSV, finished, send, taken};
use crate::harness::Stack;
use crate::webhooks::World;

on_both_stacks!(a_finished_batch_is_told);

async fn a_finished_batch_is_told(stack: Stack) {
    let world = World::start(stack, Some(&["batch.finished"]), &[]).await;
    let path = taken(&world.app, CSV, "email\nann@example.com\nnobody\n").await;
    let batch = finished(&world.app, &path).await;
    let told = world.receiver.until("batch.finished", 1).await;
    let event = told[0].event();
    assert_eq!(event["data"]["id"], batch["id"], "{event}");
    assert_eq!(event["data"]["rows"], batch["rows"]);
    let answer = send(&world.app, CSV, "?mode=atomic", b"email\nbob@example.com\n").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let told = world.receiver.until("batch.finished", 2).await;
    assert_eq!(told[1].event()["data"]["mode"], json!("atomic"));
}
