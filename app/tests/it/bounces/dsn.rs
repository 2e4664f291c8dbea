//! Bounce mails: which of them are about a mail of ours, and what they mean.

use adapters::return_path::ReturnPath;
use adapters::seal::SealKeys;
use domain::DeliveryId;
use serde_json::json;

use super::{DSN_SECRET, World, read};
use crate::harness::{Stack, text};

on_both_stacks!(
    the_returned_mail_says_which_one_it_is,
    with_a_return_path_only_what_proves_itself_counts,
    other_mails_change_nothing,
);

pub const SEAL: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub fn bounce(mark: &str, to: &str, action: &str, status: &str) -> String {
    read("dsn.eml")
        .replace("$ID", mark)
        .replace("$TO", to)
        .replace("$ACTION", action)
        .replace("$STATUS", status)
        .replace('\n', "\r\n")
}

async fn the_returned_mail_says_which_one_it_is(stack: Stack) {
    let world = World::start(stack).await;
    let to = "invitations@example.org";
    for (number, action, code, status, reason) in [
        (0, "failed", "5.1.1", "bounced", Some("hard_bounce")),
        (1, "failed", "5.2.2", "bounced", Some("soft_bounce")),
        (2, "failed", "4.4.7", "bounced", Some("soft_bounce")),
        (3, "delivered", "2.0.0", "delivered", None),
        (4, "delayed", "4.4.1", "sent", None),
        (5, "relayed", "2.0.0", "sent", None),
    ] {
        let email = format!("n{number}@example.com");
        let (invitation, mark) = world.sent(&email).await;
        let answer = world.post_dsn(DSN_SECRET, &bounce(&mark, to, action, code)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mail = world.app.get(&invitation).await["delivery"].clone();
        assert_eq!((&mail["status"], &mail["reason"]), (&json!(status), &json!(reason)), "{code}");
        if status == "bounced" {
            let detail = text(&mail["detail"]);
            assert!(detail.contains("Recipient address rejected"), "unfolded: {detail}");
        }
        let on_list = world.suppressed().await.iter().any(|(entry, _)| *entry == email);
        assert_eq!(on_list, reason == Some("hard_bounce"), "{code}");
    }
    // The whole mail may come back instead of its headers.
    let (invitation, mark) = world.sent("whole@example.com").await;
    let whole =
        bounce(&mark, to, "failed", "5.1.1").replace("text/rfc822-headers", "message/rfc822");
    world.post_dsn(DSN_SECRET, &whole).await;
    assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "bounced");
}

async fn with_a_return_path_only_what_proves_itself_counts(stack: Stack) {
    let env = [("WELCOMAT_MAIL_RETURN_PATH", "bounces@example.org"), ("WELCOMAT_SEAL_KEYS", SEAL)];
    let mut world = World::start_with(stack, &env).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let senders = world.app.sink().senders();
    let sender = senders.last().unwrap();
    let id: DeliveryId = mark.split('.').next().unwrap().parse().unwrap();
    let path = ReturnPath::parse("bounces@example.org").unwrap();
    assert_eq!(*sender, path.of(&SealKeys::parse(SEAL).unwrap(), id), "the envelope sender");

    let (start, proof) = sender.split_once('@').unwrap().0.rsplit_once('.').unwrap();
    let flipped = if proof.starts_with('0') { "1" } else { "0" };
    for forged in [
        "bounces@example.org".to_owned(),
        format!("{start}.{flipped}{}@example.org", &proof[1..]),
        format!("{start}.@example.org"),
        sender.replace("example.org", "example.net"),
    ] {
        let answer = world.post_dsn(DSN_SECRET, &bounce(&mark, &forged, "failed", "5.1.1")).await;
        assert_eq!((answer.status, &answer.json()["changed"]), (200, &json!(0)), "{forged}");
    }
    assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "sent");

    // The address counts, not what the mail says of itself.
    let answer = world.post_dsn(DSN_SECRET, &bounce("x", sender, "failed", "5.1.1")).await;
    assert_eq!(answer.json()["changed"], 1);
    assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "bounced");
}

async fn other_mails_change_nothing(stack: Stack) {
    let world = World::start(stack).await;
    let (_, mark) = world.sent("ann@example.com").await;
    let good = bounce(&mark, "x@example.org", "failed", "5.1.1");
    for mail in [
        String::new(),
        "Subject: out of office\r\n\r\nI am away.\r\n".to_owned(),
        good.replace("message/delivery-status", "text/plain"),
        good.replace("multipart/report", "text/plain"),
        good.replace("Action:", "Acting:"),
        good.replace(&mark, "14c5d75ce93.dfd.64b469"),
        good.replace("\r\n\r\n", "\r\n"),
    ] {
        let answer = world.post_dsn(DSN_SECRET, &mail).await;
        assert_eq!((answer.status, &answer.json()["changed"]), (200, &json!(0)), "{mail}");
    }
    assert_eq!(world.post_dsn(DSN_SECRET, &good).await.json()["changed"], 1);
}
