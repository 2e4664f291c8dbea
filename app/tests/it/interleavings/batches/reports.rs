//! Reports that arrive at once.

use std::collections::BTreeSet;

use adapters::store::StoreError;
use domain::{DeliveryState, DeliveryStatus, SendOutcome};

use super::super::lab::{LEASE, PAUSE};
use super::{SIZE, claim_all, forbid, invite, mail, on_one_thread, quoted, report, run, trouble};
use crate::harness::Stack;

on_both_stacks!(
    a_bad_row_is_reported_by_nobody_and_holds_up_nobody,
    a_report_that_fails_its_batch_fails_alone,
    every_outcome_fits_into_one_batch,
    a_lost_lease_reports_nothing_beside_others_that_count,
    the_same_report_twice_counts_once,
);

async fn a_bad_row_is_reported_by_nobody_and_holds_up_nobody(stack: Stack) {
    on_one_thread(stack, async |lab| {
        for bad in 0..SIZE {
            let made = invite(&lab, SIZE).await;
            let claims = claim_all(&lab, &made).await;
            let id = quoted(&lab, &made[bad].1.to_string());
            run(&lab, &format!("UPDATE delivery SET lease_until = NULL WHERE id = {id}")).await;
            let sent: Vec<_> = claims.iter().map(|one| (one, SendOutcome::Sent)).collect();
            let mut reports = report(&lab, &sent).await;
            let error = reports.remove(bad).unwrap_err();
            assert!(matches!(error, StoreError::Inconsistent { .. }), "{error}");
            let states: Vec<_> = reports.into_iter().map(|one| one.unwrap().unwrap()).collect();
            let DeliveryState::Sent { at } = states[0] else { panic!("{states:?}") };
            assert_eq!(states, [DeliveryState::Sent { at }; SIZE - 1], "one batch");
        }
        lab
    })
    .await;
}

async fn a_report_that_fails_its_batch_fails_alone(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let made = invite(&lab, SIZE).await;
        let claims = claim_all(&lab, &made).await;
        forbid(&lab, made[2].1, "sent").await;
        let sent: Vec<_> = claims.iter().map(|one| (one, SendOutcome::Sent)).collect();
        let mut reports = report(&lab, &sent).await;
        let error = reports.remove(2).unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error}");
        for state in reports {
            assert!(matches!(state, Ok(Some(DeliveryState::Sent { .. }))), "{state:?}");
        }
        let left = lab.look(made[2].0).await.invitation;
        assert_eq!((left.email_sent, left.delivery.status), (false, DeliveryStatus::Sending));
        lab
    })
    .await;
}

async fn every_outcome_fits_into_one_batch(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let outcomes = [
            (SendOutcome::Sent, DeliveryStatus::Sent),
            (SendOutcome::NoSuchRecipient(trouble()), DeliveryStatus::Failed),
            (SendOutcome::Deferred(trouble()), DeliveryStatus::Retrying),
            (SendOutcome::Refused(trouble()), DeliveryStatus::Failed),
            (SendOutcome::Uncertain(trouble()), DeliveryStatus::Uncertain),
            (SendOutcome::Ours(trouble()), DeliveryStatus::Retrying),
            (SendOutcome::Crowded(trouble()), DeliveryStatus::Retrying),
            (SendOutcome::Unrenderable(trouble()), DeliveryStatus::Failed),
            (SendOutcome::Parked(trouble()), DeliveryStatus::Retrying),
            (SendOutcome::Sent, DeliveryStatus::Sent),
        ];
        let made = invite(&lab, outcomes.len()).await;
        let claims = claim_all(&lab, &made).await;
        let ended: Vec<_> = claims
            .iter()
            .zip(&outcomes)
            .map(|(one, (outcome, _))| (one, outcome.clone()))
            .collect();
        let reports = report(&lab, &ended).await;
        let mut updated = BTreeSet::new();
        for ((state, (outcome, status)), (id, _)) in reports.into_iter().zip(&outcomes).zip(&made) {
            let detail = lab.look(*id).await;
            let mail = &detail.invitation.delivery;
            assert_eq!((state.unwrap().unwrap().status(), mail.status), (*status, *status));
            let sent = *outcome == SendOutcome::Sent;
            assert_eq!(detail.invitation.email_sent, sent);
            assert_eq!(detail.deliveries[0].attempts_log.len(), usize::from(!sent));
            let ours = matches!(
                outcome,
                SendOutcome::Ours(_) | SendOutcome::Parked(_) | SendOutcome::Crowded(_)
            );
            assert_eq!(mail.attempts, u32::from(!ours));
            let word = outcome.trouble().map(|_| outcome.as_str());
            assert_eq!(mail.reason.as_deref(), word, "{mail:?}");
            updated.insert(mail.updated_at);
        }
        assert_eq!(updated.len(), 1, "one batch");
        lab.clock.advance(2 * PAUSE);
        let due = lab.store.outbox_lag().await.unwrap().waiting;
        assert_eq!(due, outcomes.len() as u64 + 5, "five are tried again");
        // Only the address that does not exist is suppressed.
        for (at, (id, _)) in made.iter().enumerate().filter(|(at, _)| [1, 3].contains(at)) {
            let actor = lab.actor.clone();
            lab.store.resend(lab.organization, actor, *id).await.unwrap();
            let suppressed = mail(&lab, *id).await.status == DeliveryStatus::Suppressed;
            assert_eq!(suppressed, at == 1);
        }
        lab
    })
    .await;
}

async fn a_lost_lease_reports_nothing_beside_others_that_count(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let made = invite(&lab, SIZE).await;
        let lost = claim_all(&lab, &made[..2]).await;
        lab.clock.advance(LEASE + PAUSE);
        lab.store.rescue(PAUSE).await.unwrap();
        lab.clock.advance(2 * PAUSE);
        let again = claim_all(&lab, &made).await;
        for (lost, again) in lost.iter().zip(&again) {
            assert_ne!(lost.attempt, again.attempt);
            // A repeat is the same mail.
            assert_eq!(
                (&lost.sealed, &lost.mail.message_id),
                (&again.sealed, &again.mail.message_id)
            );
        }
        let sent = |claimed| (claimed, SendOutcome::Sent);
        let refused = |claimed| (claimed, SendOutcome::Refused(trouble()));
        let reports =
            report(&lab, &[refused(&lost[0]), sent(&again[2]), sent(&lost[1]), sent(&again[3])])
                .await;
        let counts: Vec<_> = reports.into_iter().map(|state| state.unwrap().is_some()).collect();
        assert_eq!(counts, [false, true, false, true]);
        for (id, _) in &made[..2] {
            let detail = lab.look(*id).await;
            assert!(!detail.invitation.email_sent);
            assert_eq!(detail.invitation.delivery.status, DeliveryStatus::Sending);
            assert!(detail.deliveries[0].attempts_log.is_empty());
        }
        let reports = report(&lab, &[sent(&again[0]), sent(&again[1])]).await;
        assert!(reports.iter().all(|state| matches!(state, Ok(Some(_)))), "{reports:?}");
        lab
    })
    .await;
}

async fn the_same_report_twice_counts_once(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let made = invite(&lab, 2).await;
        let claims = claim_all(&lab, &made).await;
        let sent = |claimed| (claimed, SendOutcome::Sent);
        let reports = report(&lab, &[sent(&claims[0]), sent(&claims[0]), sent(&claims[1])]).await;
        let counts: Vec<_> = reports.into_iter().map(|state| state.unwrap().is_some()).collect();
        assert_eq!(counts, [true, false, true]);
        let events = lab.look(made[0].0).await.events;
        let kinds = events.iter().filter(|event| event.kind == "delivery.sent").count();
        assert_eq!(kinds, 1, "{events:?}");
        lab
    })
    .await;
}
