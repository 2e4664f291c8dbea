//! What the domain says of each step, and what must be true in the end.

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::store::{Claimed, DeliveryView, InvitationDetail};
use domain::delivery::DeliveryEvent;
use domain::{
    Delivery, DeliveryId, DeliveryState, DeliveryStatus, Generation, InvitationId,
    InvitationStatus, LinkHash, SendOutcome, Timestamp,
};

use super::lab::{Lab, lock};
use super::others::nobody_gets_in;

/// What may come of a claim: both, if it falls on the very moment at which something is due.
pub struct ClaimExpected(BTreeSet<bool>);

impl ClaimExpected {
    pub fn compare(&self, lab: &Lab, claimed: bool) {
        assert!(!lab.alone || self.0.contains(&claimed), "claimed: {claimed}, not {:?}", self.0);
    }
}

/// Whether a job may be claimed now.
pub async fn claim(lab: &Lab, delivery: DeliveryId, generation: Generation) -> ClaimExpected {
    let before = lab.clock.now();
    let mut expected = BTreeSet::new();
    if lab.alone {
        let (detail, mail) = find(lab, delivery).await;
        let invitation = &detail.invitation;
        // The test's own work takes milliseconds, everything here is counted in seconds.
        for now in [before, lab.clock.now() + Duration::from_millis(500)] {
            let due = mail.next_attempt_at.is_some_and(|at| at <= now);
            let waits = match mail.status {
                DeliveryStatus::Queued => true,
                DeliveryStatus::Scheduled
                | DeliveryStatus::Retrying
                | DeliveryStatus::Uncertain => due,
                _ => false,
            };
            let open = invitation.status == InvitationStatus::Pending
                && invitation.generation == generation
                && invitation.expires_at > now;
            expected.insert(waits && open);
        }
    }
    ClaimExpected(expected)
}

/// What must come of a report.
pub struct ReportExpected {
    status: Option<DeliveryStatus>,
    before: Option<String>,
    invitation: InvitationId,
}

impl ReportExpected {
    pub async fn compare(&self, lab: &Lab, status: Option<DeliveryStatus>) {
        let Some(before) = &self.before else { return };
        assert_eq!(status, self.status, "before: {before}");
        let after = lab.look(self.invitation).await;
        if status.is_none() {
            assert_eq!(&written(&after), before, "a report that does not count changes nothing");
        }
    }
}

/// What the domain makes of a report, if its attempt is the newest.
pub async fn report(
    lab: &Lab,
    claimed: &Claimed,
    outcome: &SendOutcome,
    next_attempt_at: Timestamp,
) -> ReportExpected {
    let invitation = claimed.delivery.invitation;
    if !lab.alone {
        return ReportExpected { status: None, before: None, invitation };
    }
    let (detail, mail) = find(lab, claimed.delivery.id).await;
    let (attempt, now) = (claimed.attempt, lab.clock.now());
    let holder = lock(&lab.holders).get(&mail.id) == Some(&attempt);
    let reportable = matches!(mail.status, DeliveryStatus::Sending | DeliveryStatus::Uncertain);
    let state = DeliveryState::Sending { attempt, lease_until: now };
    let delivery = Delivery { state, ..claimed.delivery.clone() };
    let event = DeliveryEvent::Report { attempt, outcome, next_attempt_at };
    let mut next = delivery.apply(&event, now).unwrap();
    let open = detail.invitation.status == InvitationStatus::Pending
        && detail.invitation.generation == mail.generation;
    if !open && let Ok(cancelled) = next.clone().apply(&DeliveryEvent::Cancel, now) {
        next = cancelled;
    }
    let status = (holder && reportable).then(|| next.state.status());
    ReportExpected { status, before: Some(written(&detail)), invitation }
}

/// What had ended has stayed as it was.
pub fn still(earlier: Option<&InvitationDetail>, now: &InvitationDetail) {
    let Some(earlier) = earlier else { return };
    if earlier.invitation.status != InvitationStatus::Pending {
        let end =
            |detail: &InvitationDetail| (detail.invitation.status, detail.invitation.closed_at);
        assert_eq!(end(earlier), end(now), "an invitation that had ended");
    }
    for old in earlier.deliveries.iter().map(|mail| &mail.delivery) {
        let mut mails = now.deliveries.iter().map(|mail| &mail.delivery);
        let new = mails.find(|new| new.id == old.id).expect("no delivery goes away");
        if old.status.was_sent() {
            // More may be heard of it, which does not change that it was sent.
            assert!(new.status.was_sent(), "was {old:?}, is {new:?}");
            assert_eq!((old.sent_at, old.attempts), (new.sent_at, new.attempts), "{new:?}");
        } else if old.status.is_settled() {
            let end = |mail: &DeliveryView| serde_json::to_string(mail).unwrap();
            assert_eq!(end(old), end(new), "a delivery that was settled");
        }
    }
}

/// All promises, once nothing moves any more.
pub async fn in_the_end(lab: &Lab) {
    let mut sent = 0;
    for id in lab.invitations() {
        let detail = lab.look(id).await;
        let current = &detail.invitation.delivery;
        let arrived = |delivery| lock(&lab.mails).iter().any(|mail| mail.delivery == delivery);
        assert!(!detail.invitation.email_sent || arrived(current.id), "{}", written(&detail));
        for mail in detail.deliveries.iter().map(|mail| &mail.delivery) {
            let is_sent = mail.status.was_sent();
            sent += usize::from(is_sent);
            assert!(!is_sent || arrived(mail.id), "sent, but to nobody: {mail:?}");
            check_copies(lab, mail);
        }
        check_links(lab, &detail).await;
        if detail.invitation.status != InvitationStatus::Pending {
            nobody_gets_in(lab, id).await;
        }
    }
    assert!(sent > 5, "hardly any mail was sent ({sent}): this has tested nothing");
}

/// The link in the newest mail is the one that is known: no other attempt has replaced it.
async fn check_links(lab: &Lab, detail: &InvitationDetail) {
    let newest = detail.invitation.delivery.id;
    let mails = lock(&lab.mails).clone();
    for mail in mails.iter().filter(|mail| mail.delivery == newest) {
        let found = lab.store.find_by_token(LinkHash::of_typed(&mail.secret)).await.unwrap();
        let found = found.map(|invitation| invitation.id);
        assert_eq!(found, Some(mail.invitation), "a mail with a dead link: {mail:?}");
    }
}

/// Of all copies of a mail at most one was not due to a fault, and all say the same.
fn check_copies(lab: &Lab, mail: &DeliveryView) {
    let mails = lock(&lab.mails);
    let copies: Vec<_> = mails.iter().filter(|copy| copy.delivery == mail.id).collect();
    let without_excuse = copies.iter().filter(|copy| !copy.excused).count();
    assert!(without_excuse <= 1, "repeated without a reason: {copies:#?}");
    let contents: BTreeSet<_> =
        copies.iter().map(|copy| (&copy.secret, &copy.message_id)).collect();
    assert!(contents.len() <= 1, "a repeat says something else: {copies:#?}");
}

async fn find(lab: &Lab, delivery: DeliveryId) -> (InvitationDetail, DeliveryView) {
    let detail = lab.look(lab.invitation_of(delivery).await).await;
    let mut mails = detail.deliveries.iter().map(|mail| &mail.delivery);
    let mail = mails.find(|mail| mail.id == delivery).unwrap().clone();
    (detail, mail)
}

fn written(detail: &InvitationDetail) -> String {
    serde_json::to_string(detail).unwrap()
}
