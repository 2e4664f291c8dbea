//! What the broker gave up: kept, shown to the organization it concerns, and safe to send again.

use domain::{DeadLetterId, DeliveryId, Job, job::JobV1};
use entity::dead_letter;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use sea_orm::{ActiveModelTrait, ActiveValue, Database};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, block_on, text};
use crate::servers::{eventually, variable};

#[test]
fn a_dead_letter_is_shown_and_its_redrive_repeats_nothing() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        let (path, mail) = app.invite_and_receive("ann@example.com").await;
        let delivery = text(&app.get(&path).await["delivery"]["id"]);
        let job = Job::V1(JobV1::Email { delivery: delivery.parse().unwrap(), generation: 1 });
        publish(&app, "dead.v1", &job.encode()).await;
        let letter = the_only_letter(&app).await;
        assert_eq!(letter["delivery_id"], delivery);
        assert_eq!(letter["redriven_at"], Value::Null);
        let redrive = format!("/v1/dead-letters/{}/redrive", text(&letter["id"]));
        assert_eq!(app.act(&redrive, &json!({})).await.0, 202);
        // The next mail passes the same queue behind the redriven job.
        app.invite_and_receive("bob@example.com").await;
        assert_eq!(app.mails_to("ann@example.com").await.len(), 1, "sent is final");
        assert_eq!(app.mails_to("ann@example.com").await[0].message_id, mail.message_id);
        assert_ne!(the_only_letter(&app).await["redriven_at"], Value::Null);
    });
}

#[test]
fn messages_that_are_no_jobs_stop_nobody() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
        for message in [
            "not json".to_owned(),
            "{}".to_owned(),
            json!({"kind": "email", "version": 9, "id": nobody, "generation": 1}).to_string(),
            json!({"kind": "email", "version": 1, "id": nobody, "generation": 1}).to_string(),
        ] {
            publish(&app, "email.v1", message.as_bytes()).await;
        }
        app.invite_and_receive("ann@example.com").await;
        // They name no delivery of this organization: its admin has no business with them.
        assert_eq!(app.get("/v1/dead-letters").await["data"], json!([]));
    });
}

async fn the_only_letter(app: &TestApp) -> Value {
    eventually("a dead letter is kept", async || {
        let letters = app.get("/v1/dead-letters").await;
        let letters = letters["data"].as_array().unwrap().clone();
        assert!(letters.len() < 2, "{letters:?}");
        letters.into_iter().next()
    })
    .await
}

/// Puts a message into a queue as somebody with access to the broker would.
async fn publish(app: &TestApp, queue: &str, message: &[u8]) {
    let prefix = app.broker_prefix.as_deref().unwrap();
    let url = variable("TEST_AMQP_URL");
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{prefix}.{queue}");
    channel
        .basic_publish(
            "".into(),
            queue.into(),
            BasicPublishOptions::default(),
            message,
            BasicProperties::default().with_delivery_mode(2),
        )
        .await
        .unwrap()
        .await
        .unwrap();
    connection.close(200, "done".into()).await.unwrap();
}

/// Puts a dead letter about that delivery into the database: nothing over HTTP makes one.
pub async fn insert(app: &TestApp, delivery: DeliveryId) -> String {
    let now = app.clock.now();
    let letter = DeadLetterId::new(now, &mut adapters::rng());
    let job = Job::V1(JobV1::Email { delivery, generation: 1 });
    let database = Database::connect(&app.database_url).await.unwrap();
    let row = dead_letter::ActiveModel {
        id: ActiveValue::Set(letter.uuid()),
        delivery_id: ActiveValue::Set(Some(delivery.uuid())),
        raw: ActiveValue::Set(job.encode()),
        reason: ActiveValue::Set("delivery_limit".to_owned()),
        headers: ActiveValue::Set(json!({})),
        received_at: ActiveValue::Set(now),
        redriven_at: ActiveValue::Set(None),
    };
    row.insert(&database).await.unwrap();
    database.close().await.unwrap();
    letter.to_string()
}
