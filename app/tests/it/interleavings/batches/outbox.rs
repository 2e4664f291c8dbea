//! Rows of the outbox, and the relays that have claimed them.

use super::super::lab::LOCK;
use super::{SIZE, invite, on_one_thread};
use crate::harness::Stack;

on_both_stacks!(a_relay_that_was_too_slow_settles_nothing);

async fn a_relay_that_was_too_slow_settles_nothing(stack: Stack) {
    on_one_thread(stack, async |lab| {
        invite(&lab, SIZE).await;
        let claim = async || lab.store.claim_outbox(100, LOCK).await.unwrap();
        let slow = claim().await;
        assert_eq!((slow.len(), claim().await.len()), (SIZE, 0));
        lab.clock.advance(LOCK);
        let now = claim().await;
        assert_eq!(now.len(), SIZE, "its lock has run out");
        let ids: Vec<_> = now.iter().map(|row| row.id).collect();
        // Neither what it has published nor what it has not is its to say any more.
        let (some, others) = ids.split_at(SIZE / 2);
        lab.store.settle_outbox(slow[0].lock, some, others).await.unwrap();
        assert_eq!(lab.store.outbox_lag().await.unwrap().waiting, SIZE as u64);
        lab.clock.advance(LOCK / 2);
        assert_eq!(claim().await.len(), 0, "they are still the other one's");
        lab.store.settle_outbox(now[0].lock, &ids, &[]).await.unwrap();
        assert_eq!(lab.store.outbox_lag().await.unwrap().waiting, 0);
        lab
    })
    .await;
}
