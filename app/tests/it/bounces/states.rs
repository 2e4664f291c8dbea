//! Where a delivery goes when something is heard of it, and what follows.

use std::time::Duration;

use serde_json::json;

use super::World;
use crate::harness::{Stack, text};
use crate::webhooks::receiver::Receiver;
use crate::webhooks::{NEAR, register};

on_both_stacks!(
    late_events_do_not_take_back_what_is_known,
    feedback_settles_what_was_uncertain,
    feedback_settles_what_was_put_off,
    a_mail_that_never_left_is_not_heard_of,
    a_bounced_address_gets_no_more_mail,
    endpoints_are_told_and_the_timeline_remembers,
    many_events_come_at_once,
);

async fn late_events_do_not_take_back_what_is_known(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let expected = [
        ("ses_delivery", 1, "delivered"),
        ("ses_soft_bounce", 1, "bounced"),
        ("ses_delivery", 0, "bounced"),
        ("ses_bounce", 1, "bounced"),
        ("ses_soft_bounce", 0, "bounced"),
        ("ses_complaint", 1, "complained"),
        ("ses_bounce", 0, "complained"),
        ("ses_delivery", 0, "complained"),
    ];
    let sent_at = world.app.get(&invitation).await["delivery"]["sent_at"].clone();
    for (payload, changed, status) in expected {
        assert_eq!(world.tell(payload, &mark).await, changed, "{payload}");
        let mail = world.app.get(&invitation).await["delivery"].clone();
        assert_eq!((&mail["status"], &mail["sent_at"]), (&json!(status), &sent_at), "{payload}");
    }
    // What put it on the list first stays the reason.
    let entry = ("ann@example.com".to_owned(), "hard_bounce".to_owned());
    assert_eq!(world.suppressed().await, [entry]);
    let filter = |status: &str| format!("{}?delivery_status={status}", world.app.invitations());
    assert_eq!(world.app.get(&filter("complained")).await["data"].as_array().unwrap().len(), 1);
    assert_eq!(world.app.get(&filter("sent")).await["data"], json!([]));
}

async fn feedback_settles_what_was_uncertain(stack: Stack) {
    let env =
        [("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "500ms"), ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "1h")];
    let mut world = World::start_with(stack, &env).await;
    world.app.sink().hold(true);
    let invitation = world.app.invite("ann@example.com").await;
    let before = world.app.until(&invitation, "uncertain").await;
    assert_eq!(before["email_sent"], false);
    let mark = world.mark(&invitation).await;
    assert_eq!(world.tell("ses_delivery", &mark).await, 1);
    let after = world.app.get(&invitation).await;
    assert_eq!(
        (&after["delivery"]["status"], &after["email_sent"]),
        (&json!("delivered"), &json!(true))
    );
    assert!(after["email_sent_at"].is_string() && after["delivery"]["next_attempt_at"].is_null());
    // Not repeated, though its time has come; the password counts from now.
    world.app.sink().hold(false);
    world.app.clock.advance(Duration::from_hours(2));
    let other = world.app.invite("bob@example.com").await;
    world.app.until(&other, "sent").await;
    let mails = world.app.mails_to("ann@example.com").await;
    assert_eq!(mails.len(), 1);
    let body = json!({
        "email": "ann@example.com", "temporary_password": mails[0].password(),
        "password": "correct horse battery staple",
    });
    let (status, accepted) = world.app.act("/v1/invitations/accept", &body).await;
    assert_eq!(status, 200, "{accepted}");
}

async fn feedback_settles_what_was_put_off(stack: Stack) {
    let mut world = World::start_with(stack, &[("WELCOMAT_RETRY_PAUSES", "1h")]).await;
    world.app.sink().refuse("ann@example.com", "450 4.2.1 mailbox is busy");
    let invitation = world.app.invite("ann@example.com").await;
    world.app.until(&invitation, "retrying").await;
    let mark = world.mark(&invitation).await;
    assert_eq!(world.tell("ses_bounce", &mark).await, 1);
    let after = world.app.get(&invitation).await;
    assert_eq!(
        (&after["delivery"]["status"], &after["email_sent"]),
        (&json!("bounced"), &json!(true))
    );
}

async fn a_mail_that_never_left_is_not_heard_of(stack: Stack) {
    let mut world = World::start(stack).await;
    world.app.sink().refuse("ann@example.com", "550 5.1.1 no such user");
    let invitation = world.app.invite("ann@example.com").await;
    let before = world.app.until(&invitation, "failed").await;
    let mark = world.mark(&invitation).await;
    for payload in ["ses_delivery", "ses_bounce", "ses_complaint"] {
        assert_eq!(world.tell(payload, &mark).await, 0, "{payload}");
    }
    assert_eq!(world.app.get(&invitation).await, before);
}

async fn a_bounced_address_gets_no_more_mail(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("Ann@example.com").await;
    world.tell("postmark_bounce", &mark).await;
    let (status, again) = world.app.act(&format!("{invitation}/resend"), &json!({})).await;
    assert_eq!(status, 200, "{again}");
    let mail = &again["delivery"];
    assert_eq!((&mail["status"], &mail["reason"]), (&json!("suppressed"), &json!("hard_bounce")));
    assert!(text(&mail["detail"]).contains("came back"), "{mail}");
    // Another organization has not written to it yet.
    let (organization, other) = world.app.other_organization().await;
    let path = format!("/v1/organizations/{organization}/invitations");
    let made = other.post(&path, &json!({"email": "ann@example.com"})).await.unwrap().json();
    assert_eq!(made["delivery"]["status"], "queued", "{made}");
}

async fn endpoints_are_told_and_the_timeline_remembers(stack: Stack) {
    let world = World::start_with(stack, &NEAR).await;
    let receiver = Receiver::start().await;
    let types = ["invitation.delivered", "invitation.bounced", "invitation.complained"];
    register(&world.app, &receiver.url(), Some(&types)).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    for payload in ["ses_delivery", "ses_bounce", "ses_bounce", "ses_complaint"] {
        world.tell(payload, &mark).await;
    }
    for (kind, status) in types.iter().zip(["delivered", "bounced", "complained"]) {
        let told = receiver.until(kind, 1).await.remove(0).event();
        assert_eq!(told["data"]["delivery"]["status"], status, "{told}");
    }
    let shown = world.app.get(&invitation).await;
    let events = shown["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| text(&event["kind"])).collect();
    let heard = ["delivery.delivered", "delivery.bounced", "delivery.complained"];
    assert_eq!(kinds[kinds.len() - 3..], heard, "each once: {kinds:?}");
    assert_eq!(events[events.len() - 2]["data"]["reason"], "hard_bounce");
}

async fn many_events_come_at_once(stack: Stack) {
    let world = World::start(stack).await;
    let mut marks = Vec::new();
    for number in 0..5 {
        marks.push(world.sent(&format!("n{number}@example.com")).await);
    }
    let mut events = Vec::new();
    for (_, mark) in &marks {
        for kind in ["delivered", "spamreport", "delivered"] {
            events.push(json!({"event": kind, "smtp-id": format!("<{mark}@example.org>")}));
        }
    }
    let body = json!(events).to_string();
    let time = world.app.clock.now().timestamp().to_string();
    let signature = world.sign_sendgrid(&time, &body);
    let answer = world.post_sendgrid(&time, &signature, &body).await;
    assert_eq!(answer.json()["changed"], 10, "{}", answer.text());
    for (invitation, _) in &marks {
        let shown = world.app.get(invitation).await;
        assert_eq!(shown["delivery"]["status"], "complained");
        let kinds = shown["events"].as_array().unwrap().iter().map(|event| text(&event["kind"]));
        let heard = kinds.filter(|kind| kind == "delivery.delivered").count();
        assert_eq!(heard, 1, "in the order in which they came");
    }
    assert_eq!(world.suppressed().await.len(), 5);
}
