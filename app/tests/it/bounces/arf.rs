//! Complaints that come as mails: feedback reports of mailbox providers, by the way that bounce mails come.

use serde_json::json;

use super::{DSN_SECRET, World, dsn, read};
use crate::harness::{Stack, text};

on_both_stacks!(
    a_feedback_report_is_a_complaint,
    with_a_return_path_only_a_report_that_knows_it_counts,
);

/// A report about the mail of that mark, which had that envelope sender.
fn report(mark: &str, sender: &str, kind: &str) -> String {
    read("arf.eml")
        .replace("$TO", "fbl@example.org")
        .replace("$TYPE", kind)
        .replace("$SENDER", sender)
        .replace("$ID", mark)
        .replace('\n', "\r\n")
}

async fn told(world: &World, mail: &str) -> u64 {
    let answer = world.post_dsn(DSN_SECRET, mail).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["changed"].as_u64().unwrap()
}

async fn a_feedback_report_is_a_complaint(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let good = report(&mark, "invitations@example.org", "abuse");
    for other in [
        report(&mark, "invitations@example.org", "not-spam"),
        report(&mark, "invitations@example.org", "auth-failure"),
        report("14c5d75ce93.dfd.64b469", "invitations@example.org", "abuse"),
        good.replace("message/feedback-report", "text/plain"),
        good.replace("Feedback-Type:", "Feedback-Kind:"),
        good.replace("multipart/report", "text/plain"),
    ] {
        assert_eq!(told(&world, &other).await, 0, "{other}");
    }
    assert_eq!(told(&world, &good).await, 1);
    assert_eq!(told(&world, &good).await, 0, "it is known by now");
    let mail = world.app.get(&invitation).await["delivery"].clone();
    assert_eq!((&mail["status"], &mail["reason"]), (&json!("complained"), &json!("complaint")));
    assert_eq!(text(&mail["detail"]), "abuse: SomeGenerator/1.0");
    let listed = world.suppressed().await;
    assert_eq!(listed, [("ann@example.com".to_owned(), "complaint".to_owned())]);
    // What is left of the mail is enough.
    let (invitation, mark) = world.sent("bob@example.com").await;
    let headers = report(&mark, "invitations@example.org", "Fraud")
        .replace("message/rfc822", "text/rfc822-headers");
    assert_eq!(told(&world, &headers).await, 1);
    assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "complained");
    let (_, mark) = world.sent("eve@example.com").await;
    told(&world, &dsn::bounce(&mark, "x@example.org", "failed", "5.1.1")).await;
    let counted = world.app.client.get("/metrics").await.unwrap().text();
    for (source, kind, count) in [("arf", "complaint", 3), ("dsn", "hard_bounce", 1)] {
        let line =
            format!("welcomat_feedback_heard_total{{source=\"{source}\",kind=\"{kind}\"}} {count}");
        assert!(counted.contains(&line), "{line}: {counted}");
    }
}

async fn with_a_return_path_only_a_report_that_knows_it_counts(stack: Stack) {
    let env =
        [("WELCOMAT_MAIL_RETURN_PATH", "bounces@example.org"), ("WELCOMAT_SEAL_KEYS", dsn::SEAL)];
    let mut world = World::start_with(stack, &env).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let sender = world.app.sink().senders().pop().unwrap();
    let (start, proof) = sender.split_once('@').unwrap().0.rsplit_once('.').unwrap();
    let flipped = if proof.starts_with('0') { "1" } else { "0" };
    let forged = format!("{start}.{flipped}{}@example.org", &proof[1..]);
    for stranger in ["bounces@example.org", &forged] {
        assert_eq!(told(&world, &report(&mark, stranger, "abuse")).await, 0, "{stranger}");
    }
    // What the mail says of itself does not count, only its sender: named, or given back.
    let named = report("x", &sender, "abuse").replace("Return-Path:", "X-Sender:");
    assert_eq!(told(&world, &named).await, 1);
    assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "complained");
    world.sent("bob@example.com").await;
    let sender = world.app.sink().senders().pop().unwrap();
    let back = report("x", &sender, "abuse").replace("Original-Mail-From:", "X-Sender:");
    assert_eq!(told(&world, &back).await, 1);
}
