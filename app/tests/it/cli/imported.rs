//! With `broker.topology = "check"` an operator makes queues and exchanges: the doctor says what is
//! wrong with them, and leaves nothing behind.

use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};

use super::doctor::{about, doctor, one};
use super::{Call, Said};
use crate::harness::{Stack, TestApp, block_on};
use crate::servers::{eventually, remove_queues, unique, variable};

/// The operator's hand on the broker.
struct Hand(Connection);

impl Hand {
    async fn on_the_broker() -> Self {
        let url = variable("TEST_AMQP_URL");
        Self(Connection::connect(&url, ConnectionProperties::default()).await.unwrap())
    }

    /// One each time: an error closes it.
    async fn channel(&self) -> Channel {
        self.0.create_channel().await.unwrap()
    }

    /// How many messages wait in it.
    async fn waiting(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let none = FieldTable::default();
        let channel = self.channel().await;
        channel.queue_declare(queue.into(), passive, none).await.unwrap().message_count()
    }

    async fn bind(&self, queue: &str, exchange: &str, key: &str) {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        let channel = self.channel().await;
        channel.queue_bind(queue.into(), exchange.into(), key.into(), options, none).await.unwrap();
    }

    async fn unbind(&self, queue: &str, exchange: &str, key: &str) {
        let (channel, none) = (self.channel().await, FieldTable::default());
        channel.queue_unbind(queue.into(), exchange.into(), key.into(), none).await.unwrap();
    }

    /// Makes it anew, as a queue without the arguments that it should have.
    async fn make_otherwise(&self, queue: &str) {
        let channel = self.channel().await;
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
    }
}

fn at_the_broker(folder: &std::path::Path, prefix: &str, topology: &str) -> Call {
    doctor(folder, "")
        .env("WELCOMAT_BROKER_URL", &variable("TEST_AMQP_URL"))
        .env("WELCOMAT_BROKER_PREFIX", prefix)
        .env("WELCOMAT_BROKER_TOPOLOGY", topology)
}

/// What the doctor says of one queue: the verdict, the detail and what to do.
fn of_queue(said: &Said, name: &str) -> (String, String, String) {
    let found = about(said, "queue");
    let text =
        |name: &str, of: &serde_json::Value| of[name].as_str().unwrap_or_default().to_owned();
    let found = found.iter().find(|one| text("detail", one).starts_with(name));
    let found = found.unwrap_or_else(|| panic!("{said:?}"));
    (text("verdict", found), text("detail", found), text("next_step", found))
}

#[test]
fn a_queue_that_nothing_leads_to_is_named() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        let prefix = app.broker_prefix.clone().unwrap();
        let [email, webhook, jobs] =
            ["email", "webhook", "jobs"].map(|kind| format!("{prefix}.{kind}.v1"));
        let folder = tempfile::tempdir().unwrap();
        let look = || at_the_broker(folder.path(), &prefix, "check").run();
        let hand = Hand::on_the_broker().await;
        let said = look();
        assert_eq!(about(&said, "topology").len(), 0, "all is seen: {said:?}");
        assert!(about(&said, "queue").iter().all(|one| one["verdict"] == "good"), "{said:?}");
        for (queue, other, key) in [(&email, &webhook, "email"), (&webhook, &email, "webhook")] {
            hand.unbind(queue, &jobs, key).await;
            let said = look();
            let (verdict, detail, next_step) = of_queue(&said, queue);
            assert_eq!((verdict.as_str(), said.code), ("bad", 1), "{said:?}");
            assert!(detail.contains("is bound to nothing"), "{detail}");
            assert!(next_step.contains("deploy/rabbitmq/definitions.json"), "{next_step}");
            assert_eq!(of_queue(&said, other).0, "good", "{said:?}");
            hand.bind(queue, &jobs, key).await;
        }
        // What shows a binding comes to the workers, who find nothing in it.
        for queue in [&email, &webhook] {
            eventually("the queue is empty", async || {
                (hand.waiting(queue).await == 0).then_some(())
            })
            .await;
        }
        app.invite_and_receive("ann@example.com").await;
        let letters = app.operator().get("/v1/dead-letters").await.unwrap().json();
        assert_eq!((&letters["data"], app.mails().await.len()), (&serde_json::json!([]), 1));
    });
}

#[test]
fn a_queue_that_was_made_otherwise_is_named() {
    block_on(async {
        let prefix = unique("test");
        let [email, jobs] = ["email", "jobs"].map(|kind| format!("{prefix}.{kind}.v1"));
        let folder = tempfile::tempdir().unwrap();
        at_the_broker(folder.path(), &prefix, "declare").run().good();
        let hand = Hand::on_the_broker().await;
        hand.make_otherwise(&email).await;
        hand.bind(&email, &jobs, "email").await;
        let said = at_the_broker(folder.path(), &prefix, "check").run();
        let (verdict, detail, next_step) = of_queue(&said, &email);
        assert_eq!((verdict.as_str(), said.code), ("bad", 1), "{said:?}");
        assert!(detail.contains("has other arguments than it should"), "{detail}");
        assert!(next_step.contains("delete the queue and import deploy/rabbitmq"), "{next_step}");
        // Without workers a message would stay, so none is published; and that is said.
        assert_eq!(hand.waiting(&email).await, 0);
        let (verdict, detail) = one(&said, "topology");
        assert_eq!(verdict, "doubtful");
        let unseen = format!("whether {email} is bound, for no worker would take a message away");
        assert!(detail.contains(&unseen), "{detail}");
        remove_queues(&variable("TEST_AMQP_URL"), &prefix).await;
    });
}

#[test]
fn an_exchange_that_nobody_has_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = at_the_broker(folder.path(), &unique("test"), "check").run();
    let (verdict, detail) = one(&said, "broker");
    assert_eq!((verdict.as_str(), said.code), ("bad", 1), "{said:?}");
    let words = ["is not there", "broker.topology = \"check\" makes none", ".jobs.v1"];
    assert!(words.iter().all(|word| detail.contains(word)), "{detail}");
}
