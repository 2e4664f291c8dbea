//! Limits, and what is done about rows that they refuse: trying again, waiting, stopping.

use std::time::Duration;

use serde_json::json;

use super::{CSV, finished, row, rows, send, taken, until};
use crate::harness::{Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(
    only_what_was_refused_is_tried_again,
    a_limit_of_a_minute_lets_a_batch_rest,
    a_cancelled_batch_invites_nobody_more,
    an_organization_has_few_unfinished_batches,
);

const FIVE: &str = "email\na@x.example\nb@x.example\nc@y.example\nd@x.example\ne@x.example\n";

async fn only_what_was_refused_is_tried_again(stack: Stack) {
    let env = [("WELCOMAT_LIMITS_RECIPIENT_DOMAIN_PER_HOUR", "2")];
    let app = TestApp::start_with_settings(stack, &env).await;
    let path = taken(&app, CSV, FIVE).await;
    finished(&app, &path).await;
    let outcome = |number, who: &str, is_refused| {
        let refused = ("refused", "domain_rate_limited");
        let (status, code) = if is_refused { refused } else { ("created", "") };
        row(number, number + 1, who, status, code)
    };
    let people = ["a@x.example", "b@x.example", "c@y.example", "d@x.example", "e@x.example"];
    let expected = |refused: &[u64]| -> Vec<_> {
        (1..).zip(people).map(|(n, who)| outcome(n, who, refused.contains(&n))).collect()
    };
    assert_eq!(rows(&app, &path).await, expected(&[4, 5]));
    until(&app, &path, "deliveries", "sent", 3).await;
    app.clock.advance(Duration::from_hours(1));
    let (status, retried) = app.act(&format!("{path}/retry"), &json!({})).await;
    assert_eq!((status, &retried["status"]), (200, &json!("working")), "{retried}");
    assert_eq!(retried["rows"]["waiting"], 2);
    finished(&app, &path).await;
    assert_eq!(rows(&app, &path).await, expected(&[]));
    until(&app, &path, "deliveries", "sent", 5).await;
    assert_eq!(app.mails().await.len(), 5, "nobody gets a second mail");
}

/// A batch that can go on by itself in a minute refuses nobody.
async fn a_limit_of_a_minute_lets_a_batch_rest(stack: Stack) {
    let env = [("WELCOMAT_LIMITS_KEY_PER_MINUTE", "2"), ("WELCOMAT_BATCHES_POLL", "50ms")];
    let app = TestApp::start_with_settings(stack, &env).await;
    let path = taken(&app, CSV, FIVE).await;
    for created in [2, 4, 5] {
        let batch = eventually("as many as the limit allows are invited", async || {
            let found = app.get(&path).await;
            // A minute may have begun meanwhile.
            (found["rows"]["created"].as_u64() >= Some(created)).then_some(found)
        })
        .await;
        assert_eq!(batch["rows"]["refused"], 0, "{batch}");
        app.clock.advance(Duration::from_mins(1));
    }
    let batch = finished(&app, &path).await;
    assert_eq!((&batch["status"], &batch["rows"]["created"]), (&json!("done"), &json!(5)));
}

async fn a_cancelled_batch_invites_nobody_more(stack: Stack) {
    let env = [("WELCOMAT_LIMITS_KEY_PER_MINUTE", "2"), ("WELCOMAT_BATCHES_POLL", "50ms")];
    let app = TestApp::start_with_settings(stack, &env).await;
    let body = format!(
        "{FIVE}{}",
        (0..20).map(|n| format!("n{n}@z.example\n")).collect::<Vec<_>>().concat()
    );
    let path = taken(&app, CSV, &body).await;
    let resting = eventually("the batch rests", async || {
        let found = app.get(&path).await;
        found["not_before"].is_string().then_some(found)
    })
    .await;
    assert_eq!(resting["status"], "working");
    let (status, cancelled) = app.act(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")), "{cancelled}");
    assert_eq!(
        (&cancelled["rows"]["waiting"], &cancelled["not_before"]),
        (&json!(0), &json!(null))
    );
    let created = cancelled["rows"]["created"].as_u64().unwrap();
    assert_eq!(cancelled["rows"]["cancelled"].as_u64().unwrap() + created, 25);
    app.clock.advance(Duration::from_mins(2));
    // Whatever would come of it would have come before this one.
    let later = taken(&app, CSV, "email\nlast@example.com\n").await;
    finished(&app, &later).await;
    for act in ["cancel", "retry"] {
        let (status, shown) = app.act(&format!("{path}/{act}"), &json!({})).await;
        assert_eq!((status, &shown["rows"]), (200, &cancelled["rows"]), "{act}");
        assert_eq!(shown["status"], "cancelled");
    }
}

async fn an_organization_has_few_unfinished_batches(stack: Stack) {
    let env = [("WELCOMAT_LIMITS_KEY_PER_MINUTE", "1"), ("WELCOMAT_BATCHES_PER_ORGANIZATION", "2")];
    let app = TestApp::start_with_settings(stack, &env).await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        paths.push(taken(&app, CSV, FIVE).await);
    }
    let one_too_many = send(&app, CSV, "", FIVE.as_bytes()).await;
    assert_eq!(
        (one_too_many.status, &one_too_many.json()["code"]),
        (429, &json!("too_many_batches"))
    );
    assert!(one_too_many.header("retry-after").is_some());
    assert_eq!(app.act(&format!("{}/cancel", paths[0]), &json!({})).await.0, 200);
    taken(&app, CSV, FIVE).await;
}
