//! Rows of the outbox, and the relays that have claimed them.

use adapters::store::Rank;
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::super::lab::LOCK;
use super::{SIZE, database, invite, on_one_thread};
use crate::harness::{Stack, block_on};

on_both_stacks!(
    a_relay_that_was_too_slow_settles_nothing,
    what_is_handed_over_is_nobody_elses_for_a_while,
    what_nobody_takes_over_is_left_to_claim,
);

async fn a_relay_that_was_too_slow_settles_nothing(stack: Stack) {
    on_one_thread(stack, async |lab| {
        invite(&lab, SIZE).await;
        let claim = async || lab.store.claim_outbox(Rank::First, 100, LOCK).await.unwrap();
        let slow = claim().await;
        assert_eq!((slow.len(), claim().await.len()), (SIZE, 0));
        lab.clock.advance(LOCK);
        let now = claim().await;
        assert_eq!(now.len(), SIZE, "its lock has run out");
        // Neither what it has published nor what it has not is its to say any more.
        let (some, others) = slow.split_at(SIZE / 2);
        lab.store.settle_outbox(some, others).await.unwrap();
        assert_eq!(lab.store.outbox_lag().await.unwrap().waiting, SIZE as u64);
        lab.clock.advance(LOCK / 2);
        assert_eq!(claim().await.len(), 0, "they are still the other one's");
        lab.store.settle_outbox(&now, &[]).await.unwrap();
        assert_eq!(lab.store.outbox_lag().await.unwrap().waiting, 0);
        lab
    })
    .await;
}

async fn what_is_handed_over_is_nobody_elses_for_a_while(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let outlet = lab.store.outlet();
        outlet.open(LOCK);
        invite(&lab, SIZE).await;
        let handed = outlet.take();
        assert_eq!((handed.len(), outlet.take().len()), (SIZE, 0));
        let claim = async || lab.store.claim_outbox(Rank::First, 100, LOCK).await.unwrap();
        assert_eq!(claim().await.len(), 0, "they are the relay's that got them");
        let (mine, late) = handed.split_at(SIZE / 2);
        lab.store.settle_outbox(mine, &[]).await.unwrap();
        lab.clock.advance(LOCK);
        let others = claim().await;
        assert_eq!(others.len(), late.len(), "as if that relay had died");
        lab.store.settle_outbox(late, &[]).await.unwrap();
        assert_eq!(lab.store.outbox_lag().await.unwrap().waiting, late.len() as u64);
        lab.store.settle_outbox(&others, &[]).await.unwrap();
        assert_eq!(lab.store.outbox_lag().await.unwrap().waiting, 0);
        lab
    })
    .await;
}

async fn what_nobody_takes_over_is_left_to_claim(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let outlet = lab.store.outlet();
        outlet.open(LOCK);
        outlet.close();
        assert!(!outlet.is_to_look());
        invite(&lab, SIZE).await;
        assert_eq!(outlet.take().len(), 0);
        assert!(outlet.is_to_look() && !outlet.is_to_look(), "once is enough");
        assert_eq!(lab.store.claim_outbox(Rank::First, 100, LOCK).await.unwrap().len(), SIZE);
        lab
    })
    .await;
}

#[test]
fn what_another_relay_is_just_claiming_is_passed_over() {
    block_on(on_one_thread(Stack::Distributed, async |lab| {
        invite(&lab, SIZE).await;
        let claim = async || lab.store.claim_outbox(Rank::First, 100, LOCK).await.unwrap().len();
        let rival = database(&lab).await.begin().await.unwrap();
        let first =
            "UPDATE outbox SET tries = 1 WHERE id = (SELECT min(id::text)::uuid FROM outbox)";
        rival.execute_unprepared(first).await.unwrap();
        assert_eq!(claim().await, SIZE - 1, "without waiting for the rival");
        rival.rollback().await.unwrap();
        assert_eq!(claim().await, 1);
        lab
    }));
}
