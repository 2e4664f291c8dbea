//! Processes die, brokers and databases go away, and every event is told all the same.

use serde_json::json;

use super::NEAR;
use super::receiver::{Receiver, Reply};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::{FreshDatabase, OwnServer, eventually};

/// A worker that is gone is noticed within seconds.
const SHORT: [(&str, &str); 8] = [
    ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "2s"),
    ("WELCOMAT_WORKER_LEASE", "4s"),
    ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "500ms"),
    ("WELCOMAT_WEBHOOKS_TIMEOUT", "1s"),
    ("WELCOMAT_WORKER_RESCUE_INTERVAL", "200ms"),
    ("WELCOMAT_WORKER_REQUEUE_AFTER", "3s"),
    ("WELCOMAT_RELAY_IDLE_POLL", "250ms"),
    ("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "3s"),
];

async fn register(fleet: &Fleet, receiver: &Receiver) -> String {
    let client = &fleet.apis[0].client;
    let me = client.get("/v1/me").await.unwrap().json();
    let path = format!("/v1/organizations/{}/webhooks", text(&me["organization"]["id"]));
    let made = client.post(&path, &json!({ "url": receiver.url() })).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    format!("{path}/{}", text(&made.json()["id"]))
}

/// Until everybody's invitation and its mail were told of.
async fn until_all_told(receiver: &Receiver, count: usize) {
    eventually("every event is told", async || {
        let told = |kind: &str| {
            let mut emails: Vec<_> =
                receiver.of(kind).iter().map(|told| text(&told.event()["data"]["email"])).collect();
            emails.sort_unstable();
            emails.dedup();
            emails.len()
        };
        let all = [told("invitation.created"), told("invitation.sent")];
        (all == [count, count]).then_some(())
    })
    .await;
}

fn env() -> Vec<(&'static str, &'static str)> {
    NEAR.iter().chain(&SHORT).copied().collect()
}

#[test]
fn a_worker_that_dies_between_answer_and_report_repeats_the_same_event() {
    const COUNT: usize = 10;
    block_on(async {
        let _turn = TURN.acquire().await;
        let receiver = Receiver::start().await;
        let mut fleet = Fleet::on_shared_broker(&env()).await;
        fleet.add_api().await;
        let webhook = register(&fleet, &receiver).await;
        let journal = fleet.file("journal");
        let journal = journal.to_str().unwrap().to_owned();
        fleet.add_worker_with(&[
            ("FAULT_POINT", "worker.webhook_ended=abort@5"),
            ("FAULT_JOURNAL", &journal),
        ]);
        fleet.invite(0..COUNT).await;
        eventually("the worker dies", async || fleet.workers[0].ended()).await;
        assert_eq!(std::fs::read_to_string(&journal).unwrap(), "worker.webhook_ended\n");
        fleet.kill_workers();
        let before = receiver.requests().len();
        assert!(before >= 5, "its requests were answered");
        fleet.add_worker();
        until_all_told(&receiver, COUNT).await;
        eventually("every delivery is delivered", async || {
            let client = &fleet.apis[0].client;
            let path = format!("{webhook}/deliveries?status=delivered");
            let page = client.get(&path).await.unwrap().json();
            (page["data"].as_array().unwrap().len() == 2 * COUNT).then_some(())
        })
        .await;
        let requests = receiver.requests().len();
        assert!(requests > 2 * COUNT, "what was not reported came again");
        let mut bodies = std::collections::HashMap::new();
        for told in receiver.requests() {
            let first = bodies.entry(told.id().to_owned()).or_insert_with(|| told.body.clone());
            assert_eq!(*first, told.body, "the same id says the same");
        }
        assert_eq!(bodies.len(), 2 * COUNT, "one id an event");
        fleet.end().await;
    });
}

#[test]
fn an_api_that_dies_after_its_commit_has_told_of_it() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let receiver = Receiver::start().await;
        let mut fleet = Fleet::on_shared_broker(&env()).await;
        fleet.add_api().await;
        register(&fleet, &receiver).await;
        fleet.add_worker();
        for (point, number) in [("create.before_commit", 0), ("create.after_commit", 1)] {
            fleet.add_api_with(&[("FAULT_POINT", &format!("{point}=abort"))]).await;
            let dying = fleet.apis.pop().unwrap();
            let answer = fleet.offer_one(number, &dying.client).await;
            assert!(answer.is_err(), "{point}: no answer");
            dying.process.kill();
        }
        receiver.until("invitation.created", 1).await;
        fleet.invite(2..3).await;
        receiver.until("invitation.created", 2).await;
        let told = receiver.of("invitation.created");
        let told: Vec<_> = told.iter().map(|told| text(&told.event()["data"]["email"])).collect();
        assert!(told.contains(&"n1@example.com".to_owned()), "committed and told: {told:?}");
        assert!(!told.contains(&"n0@example.com".to_owned()), "neither: {told:?}");
        fleet.end().await;
    });
}

#[test]
fn while_the_broker_is_away_nothing_is_forgotten() {
    const COUNT: usize = 10;
    block_on(async {
        let _turn = TURN.acquire().await;
        let receiver = Receiver::start().await;
        let broker = OwnServer::start("rabbitmq");
        let mut fleet = Fleet::new(broker.url.clone(), &env()).await;
        fleet.add_api().await;
        register(&fleet, &receiver).await;
        fleet.add_worker();
        fleet.invite(0..COUNT).await;
        broker.run("kill");
        fleet.invite(COUNT..2 * COUNT).await;
        broker.run("start");
        until_all_told(&receiver, 2 * COUNT).await;
        fleet.end().await;
    });
}

#[test]
fn while_the_database_is_away_nothing_is_forgotten() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let receiver = Receiver::start().await;
        let server = OwnServer::start("postgres");
        let database = FreshDatabase::create_on(&server.url).await;
        let amqp = crate::servers::variable("TEST_AMQP_URL");
        let mut fleet = Fleet::over(Some(database), amqp, &env()).await;
        fleet.add_api().await;
        register(&fleet, &receiver).await;
        fleet.add_worker();
        // The request is out when the database goes: the report has to wait, or the event comes again.
        receiver.will([Reply::Silence]);
        fleet.invite(0..5).await;
        receiver.until("invitation.created", 1).await;
        server.run("kill");
        server.run("start");
        until_all_told(&receiver, 5).await;
        fleet.end().await;
    });
}
