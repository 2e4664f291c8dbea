//! What each provider's events mean.

use serde_json::json;

use super::World;
use crate::harness::Stack;

on_both_stacks!(
    every_provider_is_understood,
    events_about_others_mails_change_nothing,
    what_is_still_being_tried_changes_nothing,
    a_mail_bears_what_its_provider_gives_back,
);

/// A payload, and where it leaves a delivery: status, reason, whether the address gets no more mail.
const CASES: [(&str, &str, Option<&str>, bool); 17] = [
    ("ses_delivery", "delivered", None, false),
    ("ses_bounce", "bounced", Some("hard_bounce"), true),
    ("ses_soft_bounce", "bounced", Some("soft_bounce"), false),
    ("ses_complaint", "complained", Some("complaint"), true),
    ("sendgrid_delivered", "delivered", None, false),
    ("sendgrid_bounce", "bounced", Some("hard_bounce"), true),
    ("sendgrid_blocked", "bounced", Some("soft_bounce"), false),
    ("sendgrid_spamreport", "complained", Some("complaint"), true),
    ("postmark_delivery", "delivered", None, false),
    ("postmark_bounce", "bounced", Some("hard_bounce"), true),
    ("postmark_soft_bounce", "bounced", Some("soft_bounce"), false),
    ("postmark_complaint", "complained", Some("complaint"), true),
    ("mailgun_delivered", "delivered", None, false),
    ("mailgun_bounce", "bounced", Some("hard_bounce"), true),
    ("mailgun_old", "bounced", Some("soft_bounce"), false),
    ("mailgun_complained", "complained", Some("complaint"), true),
    // The same with another signature and another time changes nothing more.
    ("mailgun_delivered", "delivered", None, false),
];

async fn every_provider_is_understood(stack: Stack) {
    let world = World::start(stack).await;
    for (number, (payload, status, reason, suppressed)) in CASES.into_iter().enumerate() {
        let email = format!("n{number}@example.com");
        let (invitation, mark) = world.sent(&email).await;
        assert_eq!(world.tell(payload, &mark).await, 1, "{payload}");
        let shown = world.app.get(&invitation).await;
        let mail = &shown["delivery"];
        assert_eq!(
            (&mail["status"], &mail["reason"]),
            (&json!(status), &json!(reason)),
            "{payload}"
        );
        assert_eq!(shown["email_sent"], true, "{payload}: it was sent, whatever came then");
        assert!(mail["sent_at"].is_string() && mail["feedback_at"].is_string(), "{mail}");
        let detail = mail["detail"].as_str().unwrap_or_default();
        assert!(!detail.contains('@'), "{payload}: no address in {detail}");
        assert_eq!(
            reason.is_some() && status == "bounced",
            !detail.is_empty() && status == "bounced"
        );
        let on_list = world.suppressed().await.iter().any(|(entry, _)| *entry == email);
        assert_eq!(on_list, suppressed, "{payload}");
        assert_eq!(world.tell(payload, &mark).await, 0, "{payload}: a repeat changes nothing");
        assert_eq!(world.app.get(&invitation).await, shown, "{payload}: a repeat");
    }
    // Its certificate was fetched once.
    let asked = world.amazon.asked();
    assert_eq!(asked, ["/SimpleNotificationService-1.pem"]);
}

async fn events_about_others_mails_change_nothing(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, _) = world.sent("ann@example.com").await;
    let before = world.app.get(&invitation).await;
    let stranger = "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90.1";
    for (payload, ..) in CASES {
        for mark in [stranger, "14c5d75ce93.dfd.64b469", ""] {
            assert_eq!(world.tell(payload, mark).await, 0, "{payload} about {mark}");
        }
    }
    assert_eq!(world.app.get(&invitation).await, before);
    assert!(world.suppressed().await.is_empty());
    let hello = world.amazon.notification("Successfully validated SNS topic for Amazon SES.");
    assert_eq!(world.post_ses(&hello).await.status, 200, "words that are no event");
}

async fn a_mail_bears_what_its_provider_gives_back(stack: Stack) {
    for (provider, header, payload) in [
        ("postmark", "X-PM-Metadata-welcomat: $ID\r\n", "postmark_delivery"),
        ("sendgrid", "X-SMTPAPI: {\"unique_args\":{\"welcomat\":\"$ID\"}}\r\n", "sendgrid_bounce"),
        ("", "", "ses_delivery"),
    ] {
        let world = World::start_with(stack, &[("WELCOMAT_MAIL_PROVIDER", provider)]).await;
        let (_, mark) = world.sent("ann@example.com").await;
        let source = world.app.mails_to("ann@example.com").await.remove(0).source;
        let unfolded = source.replace("\r\n ", " ");
        assert!(unfolded.contains(&header.replace("$ID", &mark)), "{provider}: {source}");
        let marks = unfolded.matches("X-PM-").count() + unfolded.matches("X-SMTPAPI").count();
        assert_eq!(marks, usize::from(!provider.is_empty()), "{source}");
        assert_eq!(world.tell(payload, &mark).await, 1, "{provider}");
    }
}

async fn what_is_still_being_tried_changes_nothing(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    assert_eq!(world.tell("mailgun_deferred", &mark).await, 0);
    let still = super::read("ses_complaint").replace("\"abuse\"", "\"not-spam\"");
    let message = world.amazon.notification(&still.replace("$ID", &mark));
    assert_eq!(world.post_ses(&message).await.json()["changed"], 0, "that is no complaint");
    assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "sent");
}
