//! Claims that arrive at once.

use std::collections::BTreeSet;

use adapters::store::StoreError;
use domain::{DeliveryId, DeliveryState, DeliveryStatus, Generation, SendOutcome};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::super::lab::LEASE;
use super::{
    SIZE, claim, database, forbid, invite, mail, on_one_thread, quoted, report, run, times,
};
use crate::harness::Stack;

on_both_stacks!(
    a_bad_row_is_claimed_by_nobody_and_holds_up_nobody,
    a_claim_that_fails_its_batch_fails_alone,
    two_workers_want_the_same_mails,
    a_job_that_came_often_is_claimed_once,
    whoever_is_locked_waits_alone,
);

async fn a_bad_row_is_claimed_by_nobody_and_holds_up_nobody(stack: Stack) {
    on_one_thread(stack, async |lab| {
        for bad in 0..SIZE {
            let made = invite(&lab, SIZE).await;
            let id = quoted(&lab, &made[bad].0.to_string());
            run(&lab, &format!("UPDATE invitation SET email = 'nobody' WHERE id = {id}")).await;
            let mut claims = claim(&lab, made.iter().map(|(_, id)| *id)).await;
            let error = claims.remove(bad).unwrap_err();
            assert!(matches!(error, StoreError::Inconsistent { column: "email", .. }), "{error}");
            let claims: Vec<_> = claims.into_iter().map(|one| one.unwrap().unwrap()).collect();
            assert_eq!((claims.len(), times(&claims).len()), (SIZE - 1, 1), "one batch");
            assert_eq!(mail(&lab, made[bad].0).await.status, DeliveryStatus::Queued);
        }
        lab
    })
    .await;
}

async fn a_claim_that_fails_its_batch_fails_alone(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let made = invite(&lab, SIZE).await;
        forbid(&lab, made[1].1, "sending").await;
        let mut claims = claim(&lab, made.iter().map(|(_, id)| *id)).await;
        let error = claims.remove(1).unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error}");
        for claimed in claims {
            let claimed = claimed.unwrap().unwrap();
            assert_eq!(mail(&lab, claimed.delivery.invitation).await.status.as_str(), "sending");
        }
        assert_eq!(mail(&lab, made[1].0).await.status, DeliveryStatus::Queued);
        lab
    })
    .await;
}

async fn two_workers_want_the_same_mails(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let other = lab.another_store().await;
        let made = invite(&lab, 3 * SIZE).await;
        let ids: Vec<DeliveryId> = made.iter().map(|(_, id)| *id).collect();
        let (one, two) = tokio::join!(
            claim(&lab, ids.iter().copied()),
            join_all(ids.iter().rev().map(|&id| other.claim(id, 1, LEASE, &lab.keys))),
        );
        let claimed = one.into_iter().chain(two).filter_map(Result::unwrap);
        let claimed: Vec<_> = claimed.map(|claimed| claimed.delivery.id).collect();
        assert_eq!(claimed.len(), ids.len(), "each once");
        assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), ids.into_iter().collect());
        other.close().await;
        lab
    })
    .await;
}

async fn a_job_that_came_often_is_claimed_once(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let (invitation, id) = invite(&lab, 1).await[0];
        // One that names another generation is no reason to pass over the others.
        let claim = |generation: Generation| lab.store.claim(id, generation, LEASE, &lab.keys);
        let claims = join_all([2, 1, 1, 7, 1].map(claim)).await;
        let claimed: Vec<_> =
            claims.into_iter().map(|claimed| claimed.unwrap().is_some()).collect();
        assert_eq!(claimed, [false, true, false, false, false]);
        assert_eq!(mail(&lab, invitation).await.attempts, 1);
        lab
    })
    .await;
}

async fn whoever_is_locked_waits_alone(stack: Stack) {
    // SQLite locks no rows: whoever writes has all of them.
    if stack == Stack::Embedded {
        return;
    }
    on_one_thread(stack, async |lab| {
        let made = invite(&lab, SIZE).await;
        let database = database(&lab).await;
        let locks = database.begin().await.unwrap();
        let id = quoted(&lab, &made[0].0.to_string());
        let sql = format!("SELECT 1 FROM invitation WHERE id = {id} FOR UPDATE");
        locks.execute_unprepared(&sql).await.unwrap();
        let mut locked = Box::pin(claim(&lab, [made[0].1]));
        let others = claim(&lab, made[1..].iter().map(|(_, id)| *id));
        tokio::select! {
            biased;
            _ = &mut locked => panic!("claimed what somebody else has locked"),
            others = others => {
                let others: Vec<_> = others.into_iter().map(|one| one.unwrap().unwrap()).collect();
                assert_eq!(times(&others).len(), 1, "one batch");
            }
        }
        locks.rollback().await.unwrap();
        let claimed = locked.await.remove(0).unwrap().unwrap();
        let reports = report(&lab, &[(&claimed, SendOutcome::Sent)]).await;
        assert!(matches!(reports[0], Ok(Some(DeliveryState::Sent { .. }))), "{reports:?}");
        database.close().await.unwrap();
        lab
    })
    .await;
}
