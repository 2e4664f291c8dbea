//! Somebody who can write to the broker: a message says which row to look at, and nothing more.

use domain::{Job, job::JobV1};
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, block_on, text};
use crate::servers::{eventually, variable};

/// Puts messages into a queue as somebody with access to the broker would.
async fn publish(app: &TestApp, queue: &str, messages: &[Vec<u8>]) {
    let url = variable("TEST_AMQP_URL");
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{}.{queue}", app.broker_prefix.as_deref().unwrap());
    for message in messages {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let sent =
            channel.basic_publish("".into(), queue.clone().into(), options, message, properties);
        sent.await.unwrap().await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}

async fn job(app: &TestApp, invitation: &str, generation: u32) -> Vec<u8> {
    let delivery = text(&app.get(invitation).await["delivery"]["id"]).parse().unwrap();
    Job::V1(JobV1::Email { delivery, generation }).encode()
}

#[test]
fn a_forged_message_sends_nothing_that_is_not_due() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        let (sent, mail) = app.invite_and_receive("ann@example.com").await;
        let (revoked, _) = app.invite_and_receive("bob@example.com").await;
        assert_eq!(app.act(&format!("{revoked}/revoke"), &json!({})).await.0, 200);
        let before = [app.get(&sent).await, app.get(&revoked).await];
        let mut forged = Vec::new();
        for invitation in [&sent, &revoked] {
            // What is settled, what never was, and what comes after it.
            for generation in [1, 2, 0, u32::MAX] {
                forged.push(job(&app, invitation, generation).await);
            }
        }
        for extra in [
            json!({"to": "eve@example.com", "subject": "evil", "password": "evil"}),
            json!({"id": "../../etc/passwd"}),
            json!({"generation": -1}),
        ] {
            let mut message: Value = serde_json::from_slice(&forged[0]).unwrap();
            for (key, value) in extra.as_object().unwrap() {
                message[key] = value.clone();
            }
            forged.push(message.to_string().into_bytes());
        }
        publish(&app, "email.v1", &forged).await;
        // The next mail passes the same queue behind all of them.
        app.invite_and_receive("carl@example.com").await;
        assert_eq!(app.mails().await.len(), 3, "one each");
        assert_eq!(app.mails_to("ann@example.com").await[0].message_id, mail.message_id);
        assert_eq!([app.get(&sent).await, app.get(&revoked).await], before);
    });
}

#[test]
fn a_redriven_letter_of_a_revoked_invitation_sends_nothing() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        let (invitation, _) = app.invite_and_receive("ann@example.com").await;
        assert_eq!(app.act(&format!("{invitation}/revoke"), &json!({})).await.0, 200);
        let message = job(&app, &invitation, 1).await;
        publish(&app, "dead.v1", &[message]).await;
        let letter = eventually("the letter is kept", async || {
            let letters = app.get("/v1/dead-letters").await;
            letters["data"].as_array().unwrap().first().cloned()
        })
        .await;
        let redrive = format!("/v1/dead-letters/{}/redrive", text(&letter["id"]));
        assert_eq!(app.act(&redrive, &json!({})).await.0, 202);
        app.invite_and_receive("bob@example.com").await;
        assert_eq!(app.mails_to("ann@example.com").await.len(), 1, "only the one from before");
        assert_eq!(app.get(&invitation).await["status"], "revoked");
    });
}
