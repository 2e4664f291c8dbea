//! A mail stays in the trace of the request that asked for it, when its job gets lost and when it is
//! moved to another time.

use std::time::Duration;

use adapters::store::{
    ChangeOutcome, CreateOutcome, InvitationView, NewInvitation, OnExisting, Rank,
};
use domain::{CredentialPolicy, EmailAddress, InvitationId, MembershipRole, Position};
use serde_json::json;

use crate::harness::Stack;
use crate::interleavings::lab::{LEASE, LOCK, LOST_AFTER, Lab, PAUSE};
use crate::processes::fleet::free_address;

on_both_stacks!(a_mail_that_is_lost_or_moved_stays_in_its_trace);

const DAY: Duration = Duration::from_hours(24);

async fn a_mail_that_is_lost_or_moved_stays_in_its_trace(stack: Stack) {
    // Spans need not arrive for their contexts to be written.
    let nowhere = format!("http://{}", free_address());
    let lab = Lab::open_with(stack, true, &[("TRACES_ENDPOINT", &nowhere)]).await;
    let request = lab.store.tracer().request("POST", "/", None);
    let trace = request.context().unwrap().trace_id();
    let ann = request.within(invite(&lab, "ann@example.com", None)).await;
    assert_eq!(published(&lab).await, [Some(trace.clone())]);

    lab.clock.advance(LOST_AFTER);
    assert_eq!(lab.store.requeue_lost(LOST_AFTER).await.unwrap(), 1, "the broker lost it");
    assert_eq!(published(&lab).await, [Some(trace.clone())]);

    let claimed = lab.store.claim(ann.delivery.id, 1, LEASE, &lab.keys).await.unwrap();
    assert!(claimed.is_some());
    lab.clock.advance(LEASE);
    assert_eq!(lab.store.rescue(PAUSE).await.unwrap(), 1, "its worker died");
    lab.clock.advance(PAUSE * 2);
    assert_eq!(published(&lab).await, [Some(trace.clone())]);

    lab.clock.advance(DAY + LOST_AFTER);
    lab.store.forget_old(DAY).await.unwrap();
    assert_eq!(lab.store.requeue_lost(LOST_AFTER).await.unwrap(), 1, "nobody came to it");
    let found = published(&lab).await;
    assert!(found[0].as_ref().is_some_and(|found| *found != trace), "a new one: {found:?}");

    let untraced = invite(&lab, "bob@example.com", None).await;
    assert_eq!(published(&lab).await, [None], "nobody traces {}", untraced.id);
    lab.clock.advance(LOST_AFTER);
    assert!(lab.store.requeue_lost(LOST_AFTER).await.unwrap() > 0);
    assert!(published(&lab).await.contains(&None), "then it is not traced when it is lost either");

    let scheduled = request.within(invite(&lab, "eve@example.com", Some(DAY))).await;
    move_by(&lab, scheduled.id, DAY / 2).await;
    lab.clock.advance(DAY / 2);
    assert_eq!(published(&lab).await, [Some(trace.clone())], "who moved it is not traced");
    let scheduled = request.within(invite(&lab, "zoe@example.com", Some(DAY))).await;
    let mover = lab.store.tracer().request("POST", "/", None);
    mover.within(move_by(&lab, scheduled.id, DAY / 2)).await;
    lab.clock.advance(DAY / 2);
    assert_eq!(published(&lab).await, [Some(mover.context().unwrap().trace_id())]);
    lab.close().await;
}

async fn invite(lab: &Lab, email: &str, after: Option<Duration>) -> Box<InvitationView> {
    let new = NewInvitation {
        email: EmailAddress::parse(email).unwrap(),
        first_name: None,
        last_name: None,
        role: MembershipRole::default(),
        position: Position::default(),
        locale: "en".to_owned(),
        metadata: json!({}),
        expires_in: DAY * 30,
        send_at: after.map(|after| lab.clock.now() + after),
        credential: CredentialPolicy::Link,
        password_hash: None,
        secret: None,
        on_existing: OnExisting::Error,
    };
    let made = lab.store.create_invitation(&lab.host(), lab.actor.clone(), new, None).await;
    match made.unwrap() {
        CreateOutcome::Created(view) => view,
        other => panic!("{other:?}"),
    }
}

async fn move_by(lab: &Lab, id: InvitationId, after: Duration) {
    let at = lab.clock.now() + after;
    let moved = lab.store.reschedule(lab.organization, lab.actor.clone(), id, at).await.unwrap();
    assert!(matches!(moved, ChangeOutcome::Changed(_)), "{moved:?}");
}

/// Takes what is due to the broker, so to speak; gives the traces of that.
async fn published(lab: &Lab) -> Vec<Option<String>> {
    let entries = lab.store.claim_outbox(Rank::First, 10, LOCK).await.unwrap();
    lab.store.settle_outbox(&entries, &[]).await.unwrap();
    entries.iter().map(|entry| entry.trace.map(|trace| trace.trace_id())).collect()
}
