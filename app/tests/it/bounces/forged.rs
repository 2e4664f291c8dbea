//! Who tries to tell what is not theirs to tell.

use std::time::Duration;

use app::http::Answer;
use serde_json::{Value, json};

use super::amazon::{CONFIRM, TOPIC};
use super::{DSN_SECRET, LOGIN, World, read, sign_mailgun};
use crate::harness::{Stack, TestApp};

on_both_stacks!(
    a_shut_way_says_what_opens_it,
    forged_notifications_of_amazon_do_not_count,
    subscriptions_are_confirmed_at_amazon_only,
    forged_events_of_the_others_do_not_count,
    a_token_of_mailgun_is_good_for_one_event,
    what_was_signed_long_ago_does_not_count,
    a_body_has_a_limit,
);

fn refused(answer: &Answer, what: &str) {
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["code"]),
        (403, &json!("feedback_forged")),
        "{what}: {problem}"
    );
}

async fn a_shut_way_says_what_opens_it(stack: Stack) {
    let app = TestApp::start(stack).await;
    for (way, setting) in [
        ("ses", "feedback.ses_topics"),
        ("sendgrid", "feedback.sendgrid_key"),
        ("postmark", "feedback.postmark_login"),
        ("mailgun", "feedback.mailgun_key"),
        ("dsn", "feedback.dsn_secret"),
    ] {
        let answer = app.client.post(&format!("/v1/events/{way}"), &json!({})).await.unwrap();
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (404, &json!("feedback_off")), "{way}");
        assert!(problem["detail"].as_str().unwrap().contains(setting), "{problem}");
    }
}

async fn forged_notifications_of_amazon_do_not_count(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let before = world.app.get(&invitation).await;
    let content = read("ses_bounce").replace("$ID", &mark);
    let good = world.amazon.notification(&content);
    let with = |field: &str, value: Value| {
        let mut message = good.clone();
        message[field] = value;
        message
    };
    let another = "arn:aws:sns:eu-central-1:123456789012:evil";
    for (what, message) in [
        ("another content", with("Message", json!(content.replace("5.1.1", "5.1.2")))),
        ("another time", with("Timestamp", json!("2026-11-25T09:32:40.123Z"))),
        ("a signature of nothing", with("Signature", json!("AAAA"))),
        ("a signature that is no base64", with("Signature", json!("!"))),
        ("an unknown version", with("SignatureVersion", json!("3"))),
        ("an older version's name", with("SignatureVersion", json!("1"))),
        (
            "somebody else's certificate",
            with("SigningCertURL", json!("https://evil.example/a.pem")),
        ),
        (
            "a certificate that only looks like Amazon's",
            with(
                "SigningCertURL",
                json!("https://sns.eu-central-1.amazonaws.com.evil.example/a.pem"),
            ),
        ),
        (
            "a certificate on the way",
            with("SigningCertURL", json!("http://sns.eu-central-1.amazonaws.com/a.pem")),
        ),
        // Amazon signs everybody's topics.
        ("a topic of somebody else", world.amazon.signed(with("TopicArn", json!(another)))),
    ] {
        refused(&world.post_ses(&message).await, what);
    }
    let unsigned = json!({"Type": "Notification", "TopicArn": TOPIC, "Message": content});
    assert_eq!(world.post_ses(&unsigned).await.status, 422);
    assert_eq!(world.app.get(&invitation).await, before);
    assert_eq!(world.post_ses(&good).await.json()["changed"], 1, "and the real one counts");
}

async fn subscriptions_are_confirmed_at_amazon_only(stack: Stack) {
    let world = World::start(stack).await;
    let evil = "https://evil.example/?Action=ConfirmSubscription";
    refused(&world.post_ses(&world.amazon.subscription(TOPIC, evil)).await, "another host");
    let another = "arn:aws:sns:eu-central-1:123456789012:evil";
    refused(&world.post_ses(&world.amazon.subscription(another, CONFIRM)).await, "another topic");
    let mut forged = world.amazon.subscription(TOPIC, CONFIRM);
    forged["Token"] = json!("another");
    refused(&world.post_ses(&forged).await, "another token");
    let asked =
        |world: &World| world.amazon.asked().iter().filter(|p| p.contains("Confirm")).count();
    assert_eq!(asked(&world), 0);
    let answer = world.post_ses(&world.amazon.subscription(TOPIC, CONFIRM)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(asked(&world), 1);
}

async fn forged_events_of_the_others_do_not_count(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let before = world.app.get(&invitation).await;
    let read = |name: &str| read(name).replace("$ID", &mark);

    let body = read("sendgrid_bounce");
    let [time, later] = [0, 1].map(|later| (world.app.clock.now().timestamp() + later).to_string());
    let signature = world.sign_sendgrid(&time, &body);
    refused(&world.post_sendgrid(&later, &signature, &body).await, "another time");
    refused(&world.post_sendgrid(&time, &signature, &format!("{body} ")).await, "another body");
    refused(&world.post_sendgrid(&time, "AAAA", &body).await, "no signature at all");
    refused(&world.send("sendgrid", "application/json", &[], &body).await, "no header");

    let body = read("postmark_bounce");
    for login in ["", "postmark:", "postmark", &LOGIN.to_uppercase(), &format!("{LOGIN} ")] {
        refused(&world.post_postmark(login, &body).await, login);
    }
    refused(&world.send("postmark", "application/json", &[], &body).await, "no login");

    let body = read("mailgun_bounce");
    let now = world.app.clock.now().timestamp();
    let mailgun = async |body: &str| world.send("mailgun", "application/json", &[], body).await;
    refused(&mailgun(&body).await, "placeholders");
    for (what, at) in [("long ago", now - 13 * 3600), ("from the future", now + 3600)] {
        refused(&mailgun(&sign_mailgun(at, &body)).await, what);
    }
    let mut other: Value = serde_json::from_str(&sign_mailgun(now, &body)).unwrap();
    other["signature"]["timestamp"] = json!((now + 1).to_string());
    refused(&mailgun(&other.to_string()).await, "another time");

    for secret in ["", "wrong", &DSN_SECRET.to_uppercase()] {
        refused(&world.post_dsn(secret, &read("dsn.eml")).await, secret);
    }
    assert_eq!(world.app.get(&invitation).await, before);

    // What was signed a while ago is retried for hours, and counts.
    world.app.clock.advance(Duration::from_hours(8));
    assert_eq!(mailgun(&sign_mailgun(now, &body)).await.json()["changed"], 1);
}

/// Mailgun's signature says nothing of the event: whoever has seen one must not sign another with it.
async fn a_token_of_mailgun_is_good_for_one_event(stack: Stack) {
    let world = World::start(stack).await;
    let (ann, mark_of_ann) = world.sent("ann@example.com").await;
    let (bob, mark_of_bob) = world.sent("bob@example.com").await;
    let post = async |body: &Value| {
        world.send("mailgun", "application/json", &[], &body.to_string()).await
    };
    let now = world.app.clock.now().timestamp();
    let signed = |payload: &str, mark: &str| -> Value {
        serde_json::from_str(&sign_mailgun(now, &read(payload).replace("$ID", mark))).unwrap()
    };
    let delivered = signed("mailgun_delivered", &mark_of_ann);
    assert_eq!(post(&delivered).await.json()["changed"], 1);
    let before = [world.app.get(&ann).await, world.app.get(&bob).await];
    for (what, payload, mark) in [
        ("another event of the same mail", "mailgun_bounce", &mark_of_ann),
        ("another mail", "mailgun_delivered", &mark_of_bob),
        ("something that changes nothing", "mailgun_deferred", &mark_of_bob),
    ] {
        let mut forged = signed(payload, mark);
        forged["signature"] = delivered["signature"].clone();
        let answer = post(&forged).await;
        refused(&answer, what);
        assert!(answer.text().contains("used for another event"), "{}", answer.text());
    }
    assert_eq!([world.app.get(&ann).await, world.app.get(&bob).await], before);
    // The very same comes again for hours, and is heard as what it is.
    world.app.clock.advance(Duration::from_hours(8));
    let again = post(&delivered).await;
    assert_eq!((again.status, &again.json()["changed"]), (200, &json!(0)), "{}", again.text());
    // What is about nothing of ours uses its token up as well.
    let deferred = signed("mailgun_deferred", &mark_of_bob);
    assert_eq!(post(&deferred).await.status, 200);
    let mut forged = signed("mailgun_bounce", &mark_of_bob);
    forged["signature"] = deferred["signature"].clone();
    refused(&post(&forged).await, "the token of an event that changed nothing");
    assert_eq!(world.app.get(&bob).await, before[1]);
}

async fn what_was_signed_long_ago_does_not_count(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    let body = read("sendgrid_bounce").replace("$ID", &mark);
    let time = world.app.clock.now().timestamp();
    let signed =
        [time, time + 3600].map(|at| (at.to_string(), world.sign_sendgrid(&at.to_string(), &body)));
    let [early, future] = &signed;
    let notice = world.amazon.notification(&read("ses_bounce").replace("$ID", &mark));
    let confirm = world.amazon.subscription(TOPIC, CONFIRM);
    let words = |answer: Answer, what: &str, why: &str| {
        refused(&answer, what);
        assert!(answer.text().contains(why), "{what}: {}", answer.text());
    };
    let answer = world.post_sendgrid(&future.0, &future.1, &body).await;
    words(answer, "of SendGrid's future", "in the future");
    let before = world.app.get(&invitation).await;
    world.app.clock.advance(Duration::from_hours(25));
    for message in [&notice, &confirm] {
        words(world.post_ses(message).await, "yesterday's of Amazon", "too long ago");
    }
    world.app.clock.advance(Duration::from_hours(12));
    let answer = world.post_sendgrid(&early.0, &early.1, &body).await;
    words(answer, "of the day before yesterday", "too long ago");
    assert_eq!(world.app.get(&invitation).await, before);
}

async fn a_body_has_a_limit(stack: Stack) {
    let world = World::start_with(stack, &[("WELCOMAT_FEEDBACK_BODY_LIMIT_BYTES", "2048")]).await;
    let long = format!("\"{}\"", "a".repeat(2048));
    let answer = world.post_postmark(LOGIN, &long).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("body_too_large")));
    let answer = world.post_postmark(LOGIN, "{").await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("malformed_json")));
}
