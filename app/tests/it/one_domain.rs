//! Many mails for one recipient domain: they leave at its pace, and hold up nobody else's.

use crate::harness::{Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(only_so_many_leave_in_a_minute);

async fn only_so_many_leave_in_a_minute(stack: Stack) {
    let limit = [("WELCOMAT_WORKER_DOMAIN_PER_MINUTE", "2")];
    let app = TestApp::start_with_settings(stack, &limit).await;
    let mut many = Vec::new();
    for number in 0..5 {
        many.push(app.invite(&format!("p{number}@example.com")).await);
    }
    let other = app.invite("one@example.org").await;
    app.until(&other, "sent").await;
    let mut waiting = 0;
    for path in &many {
        let found = eventually("its mail has left or is put off", async || {
            let delivery = app.get(path).await["delivery"].clone();
            let ended = ["sent", "retrying"].iter().any(|status| delivery["status"] == *status);
            ended.then_some(delivery)
        })
        .await;
        if found["status"] == "sent" {
            continue;
        }
        waiting += 1;
        let why = found["detail"].as_str().unwrap();
        assert!(why.contains("worker.domain_per_minute"), "{found}");
        assert_eq!(found["reason"], "crowded", "{found}");
        assert_eq!(found["attempts"], 0, "no attempt is used up: {found}");
        assert!(found["next_attempt_at"].is_string(), "{found}");
    }
    assert_eq!((waiting, app.mails().await.len()), (3, 3));
}
