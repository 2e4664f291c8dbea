//! The store's own promises about deliveries to endpoints, step by step.

use std::time::Duration;

use adapters::store::{ClaimedWebhook, NewWebhook, Rank, WebhookDeliveryView};
use domain::webhook::NotTaken;
use domain::{
    WebhookDeliveryId, WebhookDeliveryState, WebhookDeliveryStatus, WebhookId, WebhookOutcome,
};
use serde_json::json;

use super::World;
use super::manage::ask;
use crate::harness::Stack;
use crate::interleavings::lab::{LEASE, LOCK, LOST_AFTER, Lab};

on_both_stacks!(
    only_the_holder_of_the_attempt_reports,
    what_the_broker_lost_is_published_again,
    what_is_rolled_back_is_told_to_nobody,
    a_secret_is_sealed_anew_with_the_first_key,
);

const DAYS: Duration = Duration::from_hours(120);

/// An endpoint, and a test that is on its way to it.
async fn planned(lab: &Lab) -> (WebhookId, WebhookDeliveryView) {
    let id = WebhookId::new(lab.clock.now(), &mut adapters::rng());
    let secret = adapters::webhooks::WebhookSecret::generate(&mut adapters::rng());
    let new = NewWebhook {
        id,
        url: "https://hooks.example.com/".to_owned(),
        description: None,
        event_types: None,
        sealed_secret: secret.seal(&lab.keys, id, &mut adapters::rng()),
    };
    lab.store.create_webhook(lab.organization, new, 10).await.unwrap().unwrap();
    let test = lab.store.test_webhook(lab.organization, id).await.unwrap().unwrap();
    (id, test)
}

async fn claim(lab: &Lab, id: WebhookDeliveryId, generation: u32) -> Option<ClaimedWebhook> {
    lab.store.claim_webhook(id, generation, LEASE).await.unwrap()
}

async fn only_the_holder_of_the_attempt_reports(stack: Stack) {
    let lab = Lab::open(stack, true).await;
    let (webhook, test) = planned(&lab).await;
    let taken = WebhookOutcome::Taken { status: 200 };
    let first = claim(&lab, test.id, 1).await.expect("it waits");
    assert!(claim(&lab, test.id, 1).await.is_none(), "it is taken");
    assert_eq!(lab.store.rescue_webhooks().await.unwrap(), 0, "its lease lasts");
    lab.clock.advance(LEASE);
    assert_eq!(lab.store.rescue_webhooks().await.unwrap(), 1);
    let second = claim(&lab, test.id, 1).await.expect("it goes on");
    assert_eq!((&first.body, first.delivery.id), (&second.body, second.delivery.id));
    let late = lab.store.report_webhook(&first, &taken, None, DAYS).await.unwrap();
    assert_eq!(late, None, "somebody else is at it");
    let why = NotTaken { status: Some(500), detail: "no".to_owned(), retry_after: None };
    let not_taken = WebhookOutcome::NotTaken(why);
    let ended = lab.store.report_webhook(&second, &not_taken, None, DAYS).await.unwrap();
    assert!(matches!(ended, Some(WebhookDeliveryState::Failed { .. })), "{ended:?}");
    assert_eq!(lab.store.report_webhook(&second, &taken, None, DAYS).await.unwrap(), None);
    let again =
        lab.store.replay_webhook(lab.organization, webhook, test.id).await.unwrap().unwrap();
    assert_eq!((again.generation, again.status), (2, WebhookDeliveryStatus::Queued));
    assert!(claim(&lab, test.id, 1).await.is_none(), "a job from before the replay is void");
    let third = claim(&lab, test.id, 2).await.expect("it waits");
    assert_eq!(lab.store.report_webhook(&second, &taken, None, DAYS).await.unwrap(), None);
    let ended = lab.store.report_webhook(&third, &taken, None, DAYS).await.unwrap();
    assert!(matches!(ended, Some(WebhookDeliveryState::Delivered { .. })), "{ended:?}");
    lab.close().await;
}

async fn what_the_broker_lost_is_published_again(stack: Stack) {
    let lab = Lab::open(stack, true).await;
    planned(&lab).await;
    let entries = lab.store.claim_outbox(Rank::First, 10, LOCK).await.unwrap();
    lab.store.settle_outbox(&entries, &[]).await.unwrap();
    assert_eq!(lab.store.requeue_lost_webhooks(LOST_AFTER).await.unwrap(), 0, "on its way");
    lab.clock.advance(LOST_AFTER);
    assert_eq!(lab.store.requeue_lost_webhooks(LOST_AFTER).await.unwrap(), 1);
    assert_eq!(lab.store.requeue_lost_webhooks(LOST_AFTER).await.unwrap(), 0, "it is planned");
    assert_eq!(lab.store.claim_outbox(Rank::First, 10, LOCK).await.unwrap().len(), 1);
    lab.close().await;
}

async fn what_is_rolled_back_is_told_to_nobody(stack: Stack) {
    let env = [("WELCOMAT_LIMITS_SENDS_PER_RECIPIENT_PER_DAY", "1")];
    let world = World::start(stack, Some(&["invitation.created"]), &env).await;
    let (path, _) = world.app.invite_and_receive("ann@example.com").await;
    assert_eq!(world.app.act(&format!("{path}/revoke"), &json!({})).await.0, 200);
    let refused = world.app.post(&json!({"email": "ann@example.com"})).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    world.app.invite("bob@example.com").await;
    world.receiver.until("invitation.created", 2).await;
    let told = ask(&world.app, "SELECT event_id FROM announcement").await.len();
    assert_eq!((told, world.log().await.len()), (2, 2), "Ann's first one and Bob's");
}

async fn a_secret_is_sealed_anew_with_the_first_key(stack: Stack) {
    let lab = Lab::open(stack, true).await;
    let (_, test) = planned(&lab).await;
    let old = format!("k1:{}=", "A".repeat(43));
    let both = adapters::seal::SealKeys::parse(&format!("k2:{}=,{old}", "B".repeat(42) + "A"));
    let new = adapters::seal::SealKeys::parse(&format!("k2:{}=", "B".repeat(42) + "A")).unwrap();
    assert_eq!(lab.store.reseal_webhooks(new.clone()).await.unwrap(), 1, "no key opens it");
    assert_eq!(lab.store.reseal_webhooks(both.unwrap()).await.unwrap(), 0);
    assert_eq!(lab.store.reseal_webhooks(new.clone()).await.unwrap(), 0);
    let claimed = claim(&lab, test.id, 1).await.unwrap();
    let open = |keys| {
        let sealed = &claimed.sealed_secrets[0];
        adapters::webhooks::WebhookSecret::open(keys, sealed, claimed.endpoint).is_ok()
    };
    assert!(open(&new) && !open(&lab.keys), "the old key can go");
    lab.close().await;
}
