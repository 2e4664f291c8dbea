//! What other services hear on the topic exchange.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::batches::{CSV, finished, taken};
use crate::bounces;
use crate::harness::{Stack, TestApp, block_on, text};
use crate::policy;
use crate::servers::{eventually, variable};
use crate::webhooks::manage::ask;

#[test]
fn every_event_is_a_cloud_event_on_the_exchange() {
    block_on(async {
        let env = [("WELCOMAT_BROKER_EVENTS", "true")];
        let app = TestApp::start_with_settings(Stack::Distributed, &env).await;
        until_on(&app).await;
        let (connection, mut heard) =
            listen(app.broker_prefix.as_ref().unwrap(), "invitation.*").await;
        let (path, _) = app.invite_and_receive("ann@example.com").await;
        let (_, client) = app.other_organization().await;
        let mut events = Vec::new();
        for kind in ["invitation.created", "invitation.sent"] {
            let (key, event, content_type) = next(&mut heard).await;
            assert_eq!(key, kind);
            assert_eq!(content_type, "application/cloudevents+json; charset=utf-8");
            events.push(event);
        }
        let sent = &events[1];
        assert_eq!(
            (&sent["specversion"], &sent["type"]),
            (&json!("1.0"), &json!("invitation.sent"))
        );
        let source = text(&sent["source"]);
        assert!(source.ends_with(&format!("/v1/organizations/{}", app.organization)), "{source}");
        let mut shown = app.get(&path).await;
        for timeline in ["deliveries", "events"] {
            shown.as_object_mut().unwrap().remove(timeline);
        }
        assert_eq!(sent["data"], shown);
        assert_eq!(sent["subject"], format!("invitations/{}", text(&shown["id"])));
        assert_ne!(events[0]["id"], sent["id"]);
        // Whose event it is makes no difference here.
        let other = text(&client.get("/v1/me").await.unwrap().json()["organization"]["id"]);
        let invite = format!("/v1/organizations/{other}/invitations");
        client.post(&invite, &json!({"email": "bob@example.com"})).await.unwrap();
        let (_, event, _) = next(&mut heard).await;
        assert_eq!(event["organizationid"], other);
        connection.close(200, "done".into()).await.unwrap();
    });
}

#[test]
fn each_type_of_event_comes_to_the_exchange() {
    block_on(async {
        let env = [("WELCOMAT_BROKER_EVENTS", "true"), ("WELCOMAT_LIMITS_RESEND_INTERVAL", "0")];
        let mut world = bounces::World::start_with(Stack::Distributed, &env).await;
        until_on(&world.app).await;
        let (connection, mut heard) = listen(world.app.broker_prefix.as_ref().unwrap(), "#").await;
        let batch = let_everything_happen(&mut world).await;
        let mut missing: BTreeSet<&str> = domain::event::told_types().collect();
        while !missing.is_empty() {
            let (key, event, _) = next(&mut heard).await;
            assert_eq!(event["type"], key, "{event}");
            let about = format!("{key} {}", event["subject"].as_str().unwrap_or_default());
            let (kind, id) = about.split_once('/').expect(&about);
            assert_eq!(event["data"]["id"], id, "{event}");
            if key == "batch.finished" {
                assert_eq!((kind, id), ("batch.finished batches", batch.as_str()), "{event}");
            } else {
                assert_eq!(kind, format!("{key} invitations"), "{event}");
            }
            missing.remove(key.as_str());
        }
        connection.close(200, "done".into()).await.unwrap();
    });
}

/// Everything that others are told of, one after the other; gives the id of the batch.
async fn let_everything_happen(world: &mut bounces::World) -> String {
    world.app.sink().refuse("nobody@example.com", "550 5.1.1 nobody of that name");
    let app = &world.app;
    assert_eq!(policy::set(app, &json!({"reminders": [1]})).await.status, 200);
    let done = async |path: &str, body: Value| {
        let (status, answer) = app.act(path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    };
    let batch = taken(app, CSV, "email\ncat@example.com\n").await;
    let batch = text(&finished(app, &batch).await["id"]);

    let send_at = (app.clock.now() + Duration::from_hours(48)).to_rfc3339();
    let later = app.post(&json!({"email": "dan@example.com", "send_at": send_at})).await;
    let later = later.header("location").unwrap().to_owned();
    let sooner = (app.clock.now() + Duration::from_hours(47)).to_rfc3339();
    done(&format!("{later}/schedule"), json!({ "send_at": sooner })).await;
    done(&format!("{later}/address"), json!({"email": "dave@example.com"})).await;
    done(&format!("{later}/revoke"), json!({})).await;
    let failed = app.invite("nobody@example.com").await;
    app.until(&failed, "failed").await;

    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    app.client.clone().with_key(None).get(&mail.path()).await.unwrap();
    done("/v1/invitations/accept", json!({"token": mail.token(), "password": "correct horse"}))
        .await;
    let (_, mail) = app.invite_and_receive("bob@example.com").await;
    done("/v1/invitations/decline", json!({"token": mail.token()})).await;

    let (_, mark) = world.sent("eve@example.com").await;
    for payload in ["postmark_delivery", "postmark_soft_bounce", "postmark_complaint"] {
        assert_eq!(world.tell(payload, &mark).await, 1, "{payload}");
    }

    let (path, _) = app.invite_and_receive("fay@example.com").await;
    done(&format!("{path}/resend"), json!({})).await;
    app.until(&path, "sent").await;
    let end = (app.clock.now() + Duration::from_hours(24 * 10)).to_rfc3339();
    done(&format!("{path}/extend"), json!({ "expires_at": end })).await;
    // A day later comes the reminder, and after two weeks the end.
    app.clock.advance(Duration::from_hours(25));
    eventually("the reminder is sent", async || {
        (app.mails_to("fay@example.com").await.len() == 3).then_some(())
    })
    .await;
    app.clock.advance(Duration::from_hours(24 * 15));
    eventually("its time has passed", async || {
        (app.get(&path).await["status"] == "expired").then_some(())
    })
    .await;
    let latest = app.mails_to("fay@example.com").await.pop().unwrap();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let nobody = app.client.clone().with_key(None);
    nobody.send("POST", &format!("{}/new-link", latest.path()), &form, b"").await.unwrap();
    batch
}

#[test]
fn an_exchange_that_is_missing_holds_up_no_mail() {
    block_on(async {
        let env = [("WELCOMAT_BROKER_EVENTS", "true")];
        let app = TestApp::start_with_settings(Stack::Distributed, &env).await;
        until_on(&app).await;
        let prefix = app.broker_prefix.clone().unwrap();
        app.invite_and_receive("ann@example.com").await;
        until_published(&app, 2).await;
        let url = variable("TEST_AMQP_URL");
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let gone = format!("{prefix}.events.v1");
        channel
            .exchange_delete(gone.into(), lapin::options::ExchangeDeleteOptions::default())
            .await
            .unwrap();
        // The mail leaves, and the events follow once the exchange is declared again.
        app.invite_and_receive("bob@example.com").await;
        until_published(&app, 4).await;
        connection.close(200, "done".into()).await.unwrap();
    });
}

/// Until a start with the setting has made it known.
async fn until_on(app: &TestApp) {
    eventually("events are announced", async || {
        (!ask(app, "SELECT name FROM event_exchange").await.is_empty()).then_some(())
    })
    .await;
}

async fn until_published(app: &TestApp, count: usize) {
    eventually("the events are published", async || {
        let sql = "SELECT event_id FROM announcement WHERE published_at IS NOT NULL";
        (ask(app, sql).await.len() == count).then_some(())
    })
    .await;
}

async fn listen(prefix: &str, binding: &str) -> (Connection, Consumer) {
    let url = variable("TEST_AMQP_URL");
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let exchange = format!("{prefix}.events.v1");
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let none = FieldTable::default;
    channel
        .exchange_declare(exchange.as_str().into(), ExchangeKind::Topic, durable, none())
        .await
        .unwrap();
    let own = QueueDeclareOptions { exclusive: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), own, none()).await.unwrap();
    let (name, bind) = (queue.name().clone(), QueueBindOptions::default());
    channel
        .queue_bind(name.clone(), exchange.as_str().into(), binding.into(), bind, none())
        .await
        .unwrap();
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let heard = channel.basic_consume(name, "".into(), options, none()).await.unwrap();
    (connection, heard)
}

async fn next(heard: &mut Consumer) -> (String, Value, String) {
    let message = timeout(Duration::from_mins(1), heard.next()).await.expect("an event");
    let message = message.unwrap().unwrap();
    let content_type = message.properties.content_type().clone().unwrap().to_string();
    let event = serde_json::from_slice(&message.data).unwrap();
    (message.routing_key.to_string(), event, content_type)
}
