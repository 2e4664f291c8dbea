//! Deliveries: what is said, and what becomes of one that is not taken.

use std::time::Duration;

use serde_json::{Value, json};

use super::receiver::{Receiver, Reply};
use super::{World, register, verdicts};
use crate::abuse::CHOSEN;
use crate::harness::{Stack, text};
use crate::servers::eventually;

on_both_stacks!(
    an_endpoint_is_told_of_a_life_as_the_api_shows_it,
    an_endpoint_is_told_of_every_other_end,
    a_link_that_is_opened_is_told_once,
    what_is_not_taken_is_told_again_with_the_same_id,
    an_endpoint_can_say_when_it_wants_to_hear_again,
    gone_is_gone_until_somebody_says_otherwise,
    an_endpoint_that_takes_nothing_for_days_is_switched_off,
    what_was_given_up_can_be_replayed,
    a_redirect_leads_nowhere,
    an_answer_without_an_end_is_cut_off,
    only_what_was_asked_for_is_told,
    others_are_told_of_their_own_only,
    a_slow_endpoint_holds_up_no_other,
);

async fn an_endpoint_is_told_of_a_life_as_the_api_shows_it(stack: Stack) {
    let world = World::start(stack, None, &[]).await;
    let (path, mail) = world.app.invite_and_receive("ann@example.com").await;
    let sent = world.receiver.until("invitation.sent", 1).await.remove(0);
    let created = world.receiver.until("invitation.created", 1).await.remove(0);
    assert_eq!(created.event()["data"]["delivery"]["status"], "queued", "as it was then");
    assert_eq!(created.event()["data"]["email_sent"], false);
    assert_eq!(created.path, "/hooks?team=7");
    assert_eq!(created.header("content-type"), "application/json");
    let shown = |mut invitation: Value| {
        for timeline in ["deliveries", "events"] {
            invitation.as_object_mut().unwrap().remove(timeline);
        }
        invitation
    };
    assert_eq!(sent.event()["data"], shown(world.app.get(&path).await));
    let accept = json!({"token": mail.token(), "password": CHOSEN});
    assert_eq!(world.app.act("/v1/invitations/accept", &accept).await.0, 200);
    let accepted = world.receiver.until("invitation.accepted", 1).await.remove(0);
    assert_eq!(accepted.event()["data"], shown(world.app.get(&path).await));
    let fields: Vec<_> = accepted.event().as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["type", "timestamp", "data"]);
    let all = world.receiver.requests();
    assert_eq!(all.len(), 3, "each event once");
    let asked: Vec<_> = all.iter().map(|request| (world.secret.as_str(), request)).collect();
    assert!(verdicts(&asked).iter().all(|said| said.starts_with("valid invitation.")));
    for request in &all {
        for secret in [mail.token(), mail.password(), CHOSEN.to_owned()] {
            assert!(!request.body.contains(&secret), "{}", request.body);
        }
    }
    let mut forged = accepted.clone();
    forged.body = forged.body.replace("ann@", "eve@");
    let mut late = accepted.clone();
    let time = |(name, value): &mut (String, String)| {
        if name == "webhook-timestamp" {
            *value = (value.parse::<i64>().unwrap() + 1).to_string();
        }
    };
    late.headers.iter_mut().for_each(time);
    let said = verdicts(&[(&world.secret, &forged), (&world.secret, &late)]);
    assert!(said.iter().all(|said| said.starts_with("invalid")), "{said:?}");
}

async fn an_endpoint_is_told_of_every_other_end(stack: Stack) {
    let mut world = World::start(stack, None, &[]).await;
    world.app.sink().refuse("nobody@example.com", "550 5.1.1 no such user");
    world.app.invite("nobody@example.com").await;
    let failed = world.receiver.until("invitation.delivery_failed", 1).await.remove(0);
    assert_eq!(failed.event()["data"]["delivery"]["reason"], "no_such_recipient");
    let (revoked, _) = world.app.invite_and_receive("bob@example.com").await;
    assert_eq!(world.app.act(&format!("{revoked}/resend"), &json!({})).await.0, 200);
    world.receiver.until("invitation.resent", 1).await;
    let extend = json!({"expires_at": world.app.clock.now() + Duration::from_hours(9 * 24)});
    assert_eq!(world.app.act(&format!("{revoked}/extend"), &extend).await.0, 200);
    world.receiver.until("invitation.extended", 1).await;
    assert_eq!(world.app.act(&format!("{revoked}/revoke"), &json!({})).await.0, 200);
    let told = world.receiver.until("invitation.revoked", 1).await.remove(0);
    assert_eq!(told.event()["data"]["status"], "revoked");
    let (_, mail) = world.app.invite_and_receive("cleo@example.com").await;
    let decline = json!({ "token": mail.token() });
    assert_eq!(world.app.act("/v1/invitations/decline", &decline).await.0, 200);
    world.receiver.until("invitation.declined", 1).await;
    world.app.invite("dan@example.com").await;
    world.app.clock.advance(Duration::from_hours(8 * 24));
    let told = world.receiver.until("invitation.expired", 1).await;
    assert!(told.iter().all(|told| told.event()["data"]["status"] == "expired"));
}

async fn a_link_that_is_opened_is_told_once(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.opened_page"]), &[]).await;
    let (path, mail) = world.app.invite_and_receive("ann@example.com").await;
    let before = world.app.get(&path).await;
    let link = mail.path();
    let head = world.app.client.send("HEAD", &link, &[], b"").await.unwrap();
    assert_eq!(head.status, 200);
    let prefetch = [("Sec-Purpose", "prefetch")];
    world.app.client.send("GET", &link, &prefetch, b"").await.unwrap();
    let looks = (0..8).map(async |_| world.app.client.get(&link).await.unwrap().status);
    let seen = futures_util::future::join_all(looks).await;
    assert!(seen.iter().all(|status| *status == 200));
    let told = world.receiver.until("invitation.opened_page", 1).await.remove(0);
    let mut after = world.app.get(&path).await;
    let events = after["events"].as_array_mut().unwrap();
    let opened: Vec<_> =
        events.iter().filter(|event| event["kind"] == "invitation.opened_page").collect();
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert_eq!(opened[0]["data"], json!({"generation": 1}));
    events.pop();
    assert_eq!(after, before, "nothing but the log has changed");
    assert_eq!(told.event()["data"]["status"], "pending");
    // Another link is another thing to open.
    assert_eq!(world.app.act(&format!("{path}/resend"), &json!({})).await.0, 200);
    world.app.until(&path, "sent").await;
    let newest = world.app.mails_to("ann@example.com").await.pop().unwrap();
    world.app.client.get(&newest.path()).await.unwrap();
    world.receiver.until("invitation.opened_page", 2).await;
}

async fn what_is_not_taken_is_told_again_with_the_same_id(stack: Stack) {
    let env = [("WELCOMAT_WEBHOOKS_PAUSES", "30s")];
    let world = World::start(stack, Some(&["invitation.created"]), &env).await;
    world.receiver.will([Reply::Status(500), Reply::Silence, Reply::Drip, Reply::Status(404)]);
    world.app.invite("ann@example.com").await;
    for count in 1..=5 {
        world.receiver.until("invitation.created", count).await;
        let status = if count == 5 { "delivered" } else { "retrying" };
        world.until("invitation.created", status).await;
        // The next attempt is not due before its time.
        world.app.clock.advance(Duration::from_secs(40));
    }
    let told = world.receiver.requests();
    assert_eq!(told.len(), 5);
    let asked: Vec<_> = told.iter().map(|request| (world.secret.as_str(), request)).collect();
    assert!(verdicts(&asked).iter().all(|said| said == "valid invitation.created"));
    for (one, next) in told.iter().zip(&told[1..]) {
        assert_eq!((one.id(), &one.body), (next.id(), &next.body), "the same event");
        let time =
            |of: &super::receiver::Request| of.header("webhook-timestamp").parse::<i64>().unwrap();
        assert!(time(next) >= time(one) + 30, "another attempt");
        assert_ne!(one.header("webhook-signature"), next.header("webhook-signature"));
    }
    let delivery = world.log().await.remove(0);
    assert_eq!(delivery["id"], told[0].id());
    assert_eq!(delivery["attempts"], 5);
    let log = delivery["attempts_log"].as_array().unwrap();
    let said: Vec<_> =
        log.iter().map(|one| (one["number"].clone(), one["status"].clone())).collect();
    let expected =
        [(1, json!(500)), (2, json!(null)), (3, json!(null)), (4, json!(404)), (5, json!(204))];
    assert_eq!(said, expected.map(|(number, status)| (json!(number), status)));
    assert_eq!(log[1]["detail"], "did not answer in time");
    assert_eq!(world.shown().await["failing_since"], Value::Null, "it has taken something since");
}

async fn an_endpoint_can_say_when_it_wants_to_hear_again(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    world.receiver.will([Reply::With(503, "Retry-After: 3600\r\n".to_owned())]);
    world.app.invite("ann@example.com").await;
    let delivery = world.until("invitation.created", "retrying").await;
    let next = text(&delivery["next_attempt_at"]).parse::<domain::Timestamp>().unwrap();
    let wait = next - world.app.clock.now();
    assert!(wait > chrono::TimeDelta::minutes(58), "{wait}");
    world.app.clock.advance(Duration::from_hours(1));
    world.until("invitation.created", "delivered").await;
}

async fn gone_is_gone_until_somebody_says_otherwise(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    world.receiver.will([Reply::Status(410)]);
    let since = world.app.clock.now();
    world.app.invite("ann@example.com").await;
    let failed = world.until("invitation.created", "failed").await;
    assert_eq!((&failed["reason"], &failed["attempts"]), (&json!("gone"), &json!(1)));
    let off = world.shown().await;
    assert_eq!((&off["status"], &off["disabled_reason"]), (&json!("disabled"), &json!("gone")));
    // Nobody is told who does not want to know.
    world.app.invite_and_receive("bob@example.com").await;
    assert_eq!(world.log().await.len(), 1);
    assert_eq!(world.patch(&json!({"enabled": true})).await["status"], "enabled");
    let (status, replayed) = world.post("replay", &json!({ "since": since })).await;
    assert_eq!((status, replayed), (202, json!({"replayed": 1, "more": false})));
    let told = world.receiver.until("invitation.created", 2).await;
    assert_eq!(told[0].id(), told[1].id());
    world.until("invitation.created", "delivered").await;
}

async fn an_endpoint_that_takes_nothing_for_days_is_switched_off(stack: Stack) {
    let env = [("WELCOMAT_WEBHOOKS_PAUSES", "1h"), ("WELCOMAT_WEBHOOKS_GIVE_UP_AFTER", "10d")];
    let world = World::start(stack, Some(&["invitation.created"]), &env).await;
    world.receiver.always(Some(Reply::Status(500)));
    world.app.invite("ann@example.com").await;
    world.until("invitation.created", "retrying").await;
    assert!(world.shown().await["failing_since"].is_string());
    world.app.clock.advance(Duration::from_hours(4 * 24));
    world.receiver.until("invitation.created", 2).await;
    eventually("the second attempt is noted", async || {
        (world.log().await[0]["attempts"] == 2).then_some(())
    })
    .await;
    assert_eq!(world.shown().await["status"], "enabled", "four days are no five");
    world.app.clock.advance(Duration::from_hours(26));
    let off = eventually("it is switched off", async || {
        let shown = world.shown().await;
        (shown["status"] == "disabled").then_some(shown)
    })
    .await;
    assert_eq!(off["disabled_reason"], "failing");
    // What still waits ends when its turn comes, and can be replayed.
    world.app.clock.advance(Duration::from_hours(2));
    let ended = world.until("invitation.created", "failed").await;
    assert_eq!(ended["reason"], "endpoint_disabled");
    assert_eq!(world.receiver.requests().len(), 3);
}

async fn what_was_given_up_can_be_replayed(stack: Stack) {
    let env = [("WELCOMAT_WEBHOOKS_GIVE_UP_AFTER", "300ms")];
    let world = World::start(stack, Some(&["invitation.created"]), &env).await;
    world.receiver.always(Some(Reply::Status(500)));
    for name in ["ann", "bob"] {
        world.app.invite(&format!("{name}@example.com")).await;
        world.app.clock.advance(Duration::from_secs(1));
    }
    eventually("both are given up", async || {
        let log = world.log().await;
        log.iter().all(|found| found["reason"] == "exhausted").then_some(())
    })
    .await;
    world.receiver.always(None);
    let log = world.log().await;
    let [bob, ann] = [0, 1].map(|at: usize| text(&log[at]["id"]));
    // One by its id, whatever became of it.
    let replay = format!("deliveries/{ann}/replay");
    let (status, again) = world.post(&replay, &json!({})).await;
    assert_eq!((status, &again["generation"]), (202, &json!(2)), "{again}");
    eventually("it is delivered", async || {
        let log = world.log().await;
        (log[1]["status"] == "delivered" && log[1]["attempts"] == 1).then_some(())
    })
    .await;
    let told = world.receiver.requests();
    assert_eq!(told.last().unwrap().id(), ann);
    // The others by what has failed since.
    let since = log[0]["created_at"].clone();
    let (status, replayed) = world.post("replay", &json!({ "since": since })).await;
    assert_eq!((status, &replayed["replayed"]), (202, &json!(1)), "only what failed");
    eventually("it is delivered", async || {
        (world.log().await[0]["status"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(world.receiver.requests().last().unwrap().id(), bob);
    // What was delivered can be told again, too.
    assert_eq!(world.post(&replay, &json!({})).await.0, 202);
    world.receiver.until("invitation.created", told.len() + 2).await;
    let none = format!("deliveries/{}/replay", world.app.organization);
    assert_eq!(world.post(&none, &json!({})).await.0, 404);
}

async fn a_redirect_leads_nowhere(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    let elsewhere = Receiver::start().await;
    let location = format!("Location: {}\r\n", elsewhere.url());
    world
        .receiver
        .will([301, 302, 303, 307, 308].map(|status| Reply::With(status, location.clone())));
    world.app.invite("ann@example.com").await;
    let delivery = world.until("invitation.created", "delivered").await;
    assert_eq!(delivery["attempts"], 6);
    assert_eq!(delivery["attempts_log"][0]["status"], 301);
    assert_eq!(elsewhere.requests().len(), 0);
}

async fn an_answer_without_an_end_is_cut_off(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    world.receiver.will([Reply::Flood]);
    world.app.invite("ann@example.com").await;
    let delivery = world.until("invitation.created", "delivered").await;
    assert_eq!(delivery["attempts"], 1, "what was said first counts");
    // Little more than the buffers of both systems hold.
    let flooded = world.receiver.flooded();
    assert!(flooded < 16 * 1024 * 1024, "{flooded} bytes");
}

async fn only_what_was_asked_for_is_told(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.revoked"]), &[]).await;
    let all = Receiver::start().await;
    register(&world.app, &all.url(), None).await;
    let (path, _) = world.app.invite_and_receive("ann@example.com").await;
    assert_eq!(world.app.act(&format!("{path}/revoke"), &json!({})).await.0, 200);
    world.receiver.until("invitation.revoked", 1).await;
    all.until("invitation.revoked", 1).await;
    assert_eq!(world.receiver.requests().len(), 1);
    assert_eq!(all.requests().len(), 3);
    let id = |receiver: &Receiver| receiver.of("invitation.revoked")[0].id().to_owned();
    assert_ne!(id(&world.receiver), id(&all), "each endpoint has ids of its own");
}

async fn others_are_told_of_their_own_only(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    let (other, client) = world.app.other_organization().await;
    let path = format!("/v1/organizations/{other}/invitations");
    // At the same moment, so that they share transactions.
    let invite = async |number: usize| {
        let own = json!({"email": format!("own{number}@example.com")});
        let foreign = json!({"email": format!("foreign{number}@example.com")});
        let (own, foreign) = tokio::join!(world.app.post(&own), client.post(&path, &foreign));
        assert_eq!((own.status, foreign.unwrap().status), (201, 201));
    };
    futures_util::future::join_all((0..12).map(invite)).await;
    world.app.invite("last@example.com").await;
    world.receiver.until("invitation.created", 13).await;
    let organization =
        |told: &super::receiver::Request| text(&told.event()["data"]["organization_id"]);
    let told = world.receiver.requests();
    assert!(told.iter().all(|told| organization(told) == world.app.organization));
    assert_eq!(told.len(), 13);
}

async fn a_slow_endpoint_holds_up_no_other(stack: Stack) {
    let env = [("WELCOMAT_WEBHOOKS_CONCURRENCY", "2"), ("WELCOMAT_WEBHOOKS_TIMEOUT", "8s")];
    let world = World::start(stack, Some(&["invitation.created"]), &env).await;
    world.receiver.always(Some(Reply::Silence));
    let quick = Receiver::start().await;
    register(&world.app, &quick.url(), Some(&["invitation.created"])).await;
    for number in 0..4 {
        world.app.invite(&format!("n{number}@example.com")).await;
    }
    quick.until("invitation.created", 4).await;
    assert_eq!(world.receiver.requests().len(), 1, "one hand of two");
}
