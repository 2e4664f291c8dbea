//! What is sent, how often, and what is told of it at the same time.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Stack, TestApp};
use crate::servers::eventually_within;

on_both_stacks!(
    every_answer_is_of_one_moment,
    a_relay_that_looks_all_the_time_sends_what_it_is_handed,
    a_revoked_invitation_is_not_sent_again
);

async fn a_revoked_invitation_is_not_sent_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, _) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(app.act(&format!("{invitation}/revoke"), &json!({})).await.0, 200);
    let (status, problem) = app.act(&format!("{invitation}/resend"), &json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("invitation_not_pending")));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}

async fn every_answer_is_of_one_moment(stack: Stack) {
    const COUNT: usize = 100;
    let app = TestApp::start(stack).await;
    let inviting = async {
        for number in 0..COUNT {
            app.invite(&format!("n{number}@example.com")).await;
        }
    };
    // They look without a pause while mails are reported: a row read a moment earlier than its
    // neighbour shows as a contradiction.
    tokio::join!(inviting, watch(&app, COUNT), watch(&app, COUNT), watch(&app, COUNT));
}

async fn watch(app: &TestApp, count: usize) {
    let mut sent = 0;
    while sent < count {
        let list = app.get(&format!("{}?limit=100", app.invitations())).await;
        let all = list["data"].as_array().unwrap();
        for found in all {
            assert_eq!(found["email_sent"], found["delivery"]["status"] == "sent", "{found}");
        }
        sent = all.iter().filter(|found| found["email_sent"] == true).count();
    }
}

/// Rows that a relay was handed are locked for it: nobody else publishes them for a minute.
async fn a_relay_that_looks_all_the_time_sends_what_it_is_handed(stack: Stack) {
    let env = [
        ("WELCOMAT_RELAY_IDLE_POLL", "1ms"),
        ("WELCOMAT_RELAY_BUSY_POLL", "1ms"),
        // What it forgets comes by no look in time.
        ("WELCOMAT_RELAY_LOCK", "1m"),
    ];
    let app = TestApp::start_with_settings(stack, &env).await;
    // What comes between two looks would be taken anyway; of so many, some meet one.
    for number in 0..50 {
        let path = app.invite(&format!("n{number}@example.com")).await;
        eventually_within(Duration::from_secs(20), "it is sent", async || {
            (app.get(&path).await["email_sent"] == true).then_some(())
        })
        .await;
    }
}
