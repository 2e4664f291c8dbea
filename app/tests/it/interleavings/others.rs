//! Everyone else who changes the database: relays, sweeps and people.

use std::time::Duration;

use adapters::store::{AcceptOutcome, ChangeOutcome, CreateOutcome, Credential, NewInvitation};
use adapters::store::{OnExisting, OutboxEntry, Rank, Told};
use domain::{
    Bounce, CredentialPolicy, EmailAddress, Feedback, InvitationStatus, LinkHash, Position,
};
use rand::RngExt;
use rand::rngs::StdRng;

use super::lab::{EXPIRES_IN, LOCK, LOST_AFTER, Lab, PAUSE, lock, unless_busy};

/// A relay, with what it has claimed and not settled.
#[derive(Default)]
pub struct Relay(Vec<OutboxEntry>);

impl Relay {
    pub fn is_busy(&self) -> bool {
        !self.0.is_empty()
    }

    /// Takes what was handed over, or claims, or publishes and settles, or crashes in between.
    pub async fn step(&mut self, lab: &Lab, rng: &mut StdRng) {
        let claimed = std::mem::take(&mut self.0);
        if claimed.is_empty() {
            let outlet = lab.store.outlet();
            // It publishes, or has no broker for a while.
            if rng.random_bool(0.5) {
                outlet.open(LOCK);
            } else {
                outlet.close();
            }
            self.0 = outlet.take();
            if self.0.is_empty() {
                let limit = rng.random_range(1..5);
                self.0 = unless_busy(lab.store.claim_outbox(Rank::First, limit, LOCK).await)
                    .unwrap_or_default();
            }
            return;
        }
        if lab.dice(rng) {
            return;
        }
        let (mut published, mut unpublished) = (Vec::new(), Vec::new());
        for entry in claimed {
            // The broker has the job or not, and its confirm arrives or not.
            let (has, confirms) = (!lab.dice(rng), !lab.dice(rng));
            lock(&lab.queue).extend(has.then_some(entry.job));
            if has && confirms { &mut published } else { &mut unpublished }.push(entry);
        }
        if lab.dice(rng) {
            return;
        }
        unless_busy(lab.store.settle_outbox(&published, &unpublished).await);
    }
}

/// One of the searches for what is stuck.
pub async fn sweep(lab: &Lab, rng: &mut StdRng) {
    match rng.random_range(0..4) {
        0 | 1 => unless_busy(lab.store.rescue(PAUSE).await),
        2 => unless_busy(lab.store.requeue_lost(LOST_AFTER).await),
        _ if rng.random_bool(0.5) => unless_busy(lab.store.wake_postponed().await),
        _ => unless_busy(lab.store.expire_invitations(10).await),
    };
    if lab.alone {
        for id in lab.invitations().into_iter().rev().take(8) {
            lab.look(id).await;
        }
    }
}

/// Somebody invites, or does something with an invitation.
pub async fn people(lab: &Lab, rng: &mut StdRng) {
    let invitations = lab.invitations();
    if invitations.is_empty() || rng.random_bool(0.6) {
        return invite(lab, rng).await;
    }
    // Rather one of the newest.
    let at = invitations.len() - 1 - rng.random_range(0..invitations.len().min(6));
    let id = invitations[at];
    let (organization, actor) = (lab.organization, lab.actor.clone());
    match rng.random_range(0..12) {
        10.. => tell(lab, rng).await,
        0..5 => {
            unless_busy(lab.store.resend(organization, actor, id).await);
        }
        5..7 => {
            let revoked = unless_busy(lab.store.revoke(organization, actor, id).await);
            if matches!(revoked, Some(ChangeOutcome::Changed(_))) {
                nobody_gets_in(lab, id).await;
            }
        }
        _ => accept(lab, rng).await,
    }
    lab.look(id).await;
}

/// The other end tells of a mail that was taken, perhaps before anybody here knows that it was.
async fn tell(lab: &Lab, rng: &mut StdRng) {
    let taken = lock(&lab.mails).clone();
    let newest = taken.len().min(8);
    if newest == 0 {
        return;
    }
    let mail = &taken[taken.len() - 1 - rng.random_range(0..newest)];
    let feedback = match rng.random_range(0..4) {
        0 => Feedback::Bounced(Bounce::Soft),
        // A hard bounce or complaint suppresses an address that is resent to here: a mail less, no fault.
        1 => Feedback::Complained,
        _ => Feedback::Delivered,
    };
    let told = Told { delivery: mail.delivery, feedback, detail: None };
    let heard = lab.store.hear(vec![told.clone()], Duration::from_hours(24)).await;
    if unless_busy(heard).is_some() && lab.alone {
        assert_eq!(
            lab.store.hear(vec![told], Duration::from_hours(24)).await.unwrap(),
            0,
            "a repeat"
        );
    }
}

async fn invite(lab: &Lab, rng: &mut StdRng) {
    let email = format!("n{:x}@example.com", rng.random::<u64>());
    let new = NewInvitation {
        email: EmailAddress::parse(&email).unwrap(),
        first_name: None,
        last_name: None,
        role: domain::MembershipRole::default(),
        position: Position::default(),
        locale: "en".to_owned(),
        metadata: serde_json::json!({}),
        expires_in: EXPIRES_IN,
        send_at: None,
        credential: CredentialPolicy::Link,
        password_hash: None,
        secret: None,
        on_existing: OnExisting::Error,
    };
    let made = lab.store.create_invitation(&lab.host(), lab.actor.clone(), new, None).await;
    if let Some(CreateOutcome::Created(view)) = unless_busy(made) {
        lab.look(view.id).await;
    }
}

/// An invitee comes with the link of some mail: only the newest link of an open invitation is good.
async fn accept(lab: &Lab, rng: &mut StdRng) {
    let mails = lock(&lab.mails).clone();
    if mails.is_empty() {
        return;
    }
    let mail = &mails[rng.random_range(0..mails.len())];
    let before = lab.look(mail.invitation).await;
    let answer = unless_busy(answer(lab, &mail.secret).await);
    let after = lab.look(mail.invitation).await;
    if matches!(answer, Some(AcceptOutcome::Done(_))) {
        assert_eq!(after.invitation.status, InvitationStatus::Accepted);
        if lab.alone {
            assert_eq!(before.invitation.status, InvitationStatus::Pending);
            let newest = mails.iter().filter(|other| other.invitation == mail.invitation);
            let newest = newest.map(|other| other.generation).max();
            assert_eq!(newest, Some(mail.generation), "an older link still opens");
        }
    } else if lab.alone {
        assert_eq!(after.invitation.status, before.invitation.status);
    }
}

/// No link that was ever sent for it opens an invitation that has ended.
pub async fn nobody_gets_in(lab: &Lab, id: domain::InvitationId) {
    let mails = lock(&lab.mails).clone();
    for mail in mails.iter().filter(|mail| mail.invitation == id) {
        let answer = answer(lab, &mail.secret).await;
        assert!(!matches!(answer, Ok(AcceptOutcome::Done(_))), "a dead link opens");
    }
}

async fn answer(lab: &Lab, secret: &str) -> Result<AcceptOutcome, adapters::store::StoreError> {
    let credential = Credential::Token(LinkHash::of_typed(secret));
    lab.store.accept(credential, "no hash that anything fits".to_owned()).await
}
