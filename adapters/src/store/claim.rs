//! Workers take deliveries, and the secrets their mails carry are fixed: in one transaction for all
//! claims that have arrived while the one before was at work.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{
    AttemptToken, CredentialPolicy, Delivery, DeliveryId, DeliveryKind, DeliveryStatus,
    EmailAddress, Generation, LinkHash, OrganizationId, SecretHash, Timestamp,
};
use entity::{delivery, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{ColumnTrait, DatabaseTransaction, ExprTrait, Set};

use super::bulk::Changes;
use super::claimable::Claimable;
use super::own_templates::TemplateVersion;
use super::together::{self, Answer, Locking};
use super::{Result, Store, StoreError, Verdict, former, locked};
use crate::seal::SealKeys;

/// A delivery that is this worker's until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery, in the state `Sending`.
    pub delivery: Delivery,
    /// Proof of the claim.
    pub attempt: AttemptToken,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When the mail was asked for, or is due, if that is later.
    pub asked_at: Timestamp,
    /// What the mail needs to know.
    pub mail: ClaimedMail,
    /// The organization's own template that the mail is made from; none for the one that everybody
    /// has.
    pub template: Option<TemplateVersion>,
    /// The sealed secret: the same for every attempt of this delivery.
    pub sealed: Vec<u8>,
}

/// What a mail needs to know of its invitation.
#[derive(Debug, Clone)]
pub struct ClaimedMail {
    /// Who invites.
    pub organization_id: OrganizationId,
    /// Their name.
    pub organization_name: String,
    /// The person who invites.
    pub inviter: Option<String>,
    /// Whom to ask: an address or a host, if they have said.
    pub support: Option<String>,
    /// Whom.
    pub email: EmailAddress,
    /// For the greeting.
    pub first_name: Option<String>,
    /// For the address line.
    pub last_name: Option<String>,
    /// What the invitee will be.
    pub role: String,
    /// The language.
    pub locale: String,
    /// Until when the invitation can be accepted.
    pub expires_at: Timestamp,
    /// The same for every attempt of this delivery, so that a repeat can be recognized.
    pub message_id: String,
    /// What the mail lets the invitee in with.
    pub credential: CredentialPolicy,
    /// What it is for.
    pub kind: DeliveryKind,
}

/// A secret in the forms that are stored.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// What the mail needs, sealed.
    pub sealed: Vec<u8>,
    /// What the link is recognized by.
    pub token_hash: LinkHash,
    /// What the temporary password is recognized by, if there is one.
    pub password_hash: Option<SecretHash>,
}

/// What one worker wants to have.
pub(super) struct Wanted {
    pub(super) id: DeliveryId,
    pub(super) generation: Generation,
    pub(super) lease: Duration,
    pub(super) keys: SealKeys,
    pub(super) link_overlap: Duration,
    pub(super) wrong_passwords: u32,
}

impl Store {
    /// Takes a delivery for `lease`; `None` if there is nothing to do: it is sent, taken, not due,
    /// or its invitation is no longer open in this generation.
    ///
    /// The first claim of a generation makes its secret and seals it with `keys`; all later ones get
    /// that same secret.
    pub async fn claim(
        &self,
        id: DeliveryId,
        generation: Generation,
        lease: Duration,
        keys: &SealKeys,
    ) -> Result<Option<Claimed>> {
        let wanted = Arc::new(Wanted {
            id,
            generation,
            lease,
            keys: keys.clone(),
            link_overlap: self.policy.link_overlap,
            wrong_passwords: self.limits.wrong_passwords,
        });
        let store = self.clone();
        let claim = move |wanted, locking| store.clone().claim_all(wanted, locking);
        let runtime = self.runtime.clone();
        let answer = move |calls| together::answer(runtime.clone(), calls, claim.clone());
        self.gatherings.claims.call(&self.runtime, wanted, answer).await?
    }

    async fn claim_all(
        self,
        wanted: Vec<Arc<Wanted>>,
        locking: Locking,
    ) -> Result<Vec<Answer<Option<Claimed>>>> {
        let overlap = self.policy.link_overlap;
        self.write(move |tx, now| {
            Box::pin(async move { claim_all(tx, now, &wanted, locking, overlap).await })
        })
        .await
    }
}

async fn claim_all(
    tx: &DatabaseTransaction,
    now: Timestamp,
    wanted: &[Arc<Wanted>],
    locking: Locking,
    overlap: Duration,
) -> Result<Verdict<Vec<Answer<Option<Claimed>>>>> {
    let ids = wanted.iter().map(|wanted| wanted.id.uuid()).collect();
    let query = Claimable::with_senders(locked::of(tx, ids));
    let locked: Vec<Claimable> = locked::lock_some(tx, query, locking).await?;
    let locked: HashMap<Uuid, Claimable> =
        locked.into_iter().map(|row| (row.delivery.id, row)).collect();
    let mut answers = Vec::with_capacity(wanted.len());
    let (mut deliveries, mut secrets) = (Vec::new(), Vec::new());
    let (mut former, mut ending) = (Vec::new(), Vec::new());
    let mut taken = HashSet::new();
    for wanted in wanted {
        let Some(claimable) = locked.get(&wanted.id.uuid()) else {
            answers.push(locking.unreached(None));
            continue;
        };
        let claimed = match claimable.claim(now, wanted) {
            // The same job twice: one of them is enough.
            Ok(Some(_)) if !taken.insert(wanted.id) => Ok(None),
            Ok(Some(claim)) => {
                deliveries.push(claim.delivery);
                secrets.extend(claim.secret);
                former.extend(claim.former);
                ending.extend(claim.ends_former);
                Ok(Some(claim.claimed))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        answers.push(Answer::Known(claimed));
    }
    if deliveries.is_empty() {
        return Ok(Verdict::RollBack(answers));
    }
    record_templates(&mut deliveries, &answers);
    let mut changes = Changes::new(tx);
    take(&mut changes, now, deliveries)?;
    keep(&mut changes, secrets)?;
    if !ending.is_empty() {
        changes.set_any(former::end_at(tx, now + overlap, ending));
    }
    changes.insert_new(former)?;
    if changes.make(tx).await? { Ok(Verdict::Commit(answers)) } else { Err(StoreError::Busy) }
}

/// Where no template of an organization's own is or was, nothing is written for it. Rows that are
/// changed together have the same columns.
fn record_templates(rows: &mut [delivery::ActiveModel], answers: &[Answer<Option<Claimed>>]) {
    if rows.iter().all(|row| row.template.is_not_set()) {
        return;
    }
    let claimed = answers.iter().filter_map(|answer| match answer {
        Answer::Known(Ok(claimed)) => claimed.as_ref(),
        _ => None,
    });
    for (row, claimed) in rows.iter_mut().zip(claimed) {
        row.template = Set(claimed.template.as_ref().map(TemplateVersion::to_string));
    }
}

/// The domain has allowed each of them; the database holds it once more.
fn take(changes: &mut Changes, now: Timestamp, rows: Vec<delivery::ActiveModel>) -> Result<()> {
    let waiting = [
        DeliveryStatus::Scheduled.as_str(),
        DeliveryStatus::Retrying.as_str(),
        DeliveryStatus::Uncertain.as_str(),
    ];
    // Not the bare column: PostgreSQL believes that hardly anything is queued, and would rather look
    // through all that is, by the index `delivery_open`, than for a few ids: with 8,000 queued, 20 of
    // them took five times as long and more.
    let status = Expr::cust(r#"("delivery"."status" || '')"#);
    changes.update(rows, |_| {
        let due = status.clone().is_in(waiting).and(delivery::Column::NextAttemptAt.lte(now));
        status.clone().eq(DeliveryStatus::Queued.as_str()).or(due)
    })
}

/// The first secret of a generation stays.
fn keep(changes: &mut Changes, rows: Vec<invitation::ActiveModel>) -> Result<()> {
    changes.update(rows, |new| {
        let generation = invitation::Column::SecretGeneration;
        Expr::col((invitation::Entity, generation)).lt(new(generation))
    })
}
