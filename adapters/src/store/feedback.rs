//! What the other end tells of mails: one short transaction for many of them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use domain::delivery::DeliveryEvent;
use domain::{
    Delivery, DeliveryId, DeliveryKind, EmailAddress, EventKind, Feedback, SuppressionReason,
    Timestamp,
};
use entity::{delivery, invitation, suppression};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, Set};

use super::audit::{By, Entry};
use super::bulk::Changes;
use super::people::NOBODY;
use super::together::Locking;
use super::{Result, Store, StoreError, Verdict, announce, bulk, convert, locked, suppress};
use crate::mailer;

/// As many as one transaction holds locks for.
const BATCH: usize = 100;

/// What is told of one mail.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which mail.
    pub delivery: DeliveryId,
    /// What became of it.
    pub feedback: Feedback,
    /// The words of whoever says so; addresses, links and secrets are taken out.
    pub detail: Option<String>,
}

/// What follows from feedback, gathered.
struct Consequences {
    deliveries: Vec<delivery::ActiveModel>,
    /// Those whose report never came: their invitations are sent after all.
    sent: Vec<Uuid>,
    shredded: Vec<Uuid>,
    /// In one order for all transactions: they wait for each other's rows.
    suppressed: BTreeMap<(Uuid, String), suppression::ActiveModel>,
    events: Vec<Entry>,
}

impl Store {
    /// Writes what is told of mails. Gives how many deliveries it changed: what is known already, told
    /// too late or about a mail that is not ours changes nothing, so that the same may be told again.
    ///
    /// `password_valid_for` counts from now for mails of which it was not known that they were sent.
    pub async fn hear(&self, told: Vec<Told>, password_valid_for: Duration) -> Result<usize> {
        let (mut rest, mut changed) = (told, 0);
        while !rest.is_empty() {
            let mut named = HashSet::new();
            // What is said of one and the same mail is heard in the order in which it is said.
            let (round, later): (Vec<_>, Vec<_>) = rest
                .into_iter()
                .partition(|told| named.len() < BATCH && named.insert(told.delivery));
            changed += self
                .write(move |tx, now| {
                    Box::pin(async move { hear(tx, now, &round, password_valid_for).await })
                })
                .await?;
            rest = later;
        }
        Ok(changed)
    }
}

async fn hear(
    tx: &DatabaseTransaction,
    now: Timestamp,
    told: &[Told],
    password_valid_for: Duration,
) -> Result<Verdict<usize>> {
    let ids = told.iter().map(|told| told.delivery.uuid()).collect();
    let locked = locked::lock(tx, ids, Locking::Wait).await?;
    let mut consequences = Consequences::new();
    for told in told {
        let Some((row, invitation)) = locked.get(told.delivery.uuid()) else { continue };
        let before = convert::delivery(&row.into())?;
        let event = DeliveryEvent::Feedback(told.feedback);
        if let Ok(next) = before.clone().apply(&event, now) {
            consequences.add(now, told, (&before, &next), row, invitation);
        }
    }
    let changed = consequences.deliveries.len();
    if changed == 0 {
        return Ok(Verdict::RollBack(0));
    }
    consequences.write(tx, now, password_valid_for).await?;
    Ok(Verdict::Commit(changed))
}

impl Consequences {
    const fn new() -> Self {
        Self {
            deliveries: Vec::new(),
            sent: Vec::new(),
            shredded: Vec::new(),
            suppressed: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    fn add(
        &mut self,
        now: Timestamp,
        told: &Told,
        (before, next): (&Delivery, &Delivery),
        mail: &delivery::Model,
        invitation: &invitation::Model,
    ) {
        let reason = told.feedback.reason();
        let mut row = convert::delivery_columns(next, now);
        // The invitation may have another address by now.
        let former = mail.recipient.as_deref().and_then(|text| EmailAddress::parse(text).ok());
        let recipient = former
            .map_or_else(|| invitation.email_normalized.clone(), |former| former.normalized());
        let (local, _) = recipient.split_once('@').unwrap_or_default();
        let clean = |detail: &String| mailer::fit_for_a_timeline(detail, &[local]);
        row.reason = Set(reason.map(str::to_owned));
        row.detail = Set(told.detail.as_ref().map(clean).filter(|detail| !detail.is_empty()));
        row.feedback_at = Set(Some(now));
        self.deliveries.push(row);
        let mut data = serde_json::json!({ "delivery_id": next.id, "generation": next.generation });
        let mut record = |kind, data| {
            self.events.push(Entry::new(now, invitation, kind, By::System, data));
        };
        if !before.state.status().was_sent() {
            let reminds = mail.kind == DeliveryKind::Reminder.as_str();
            let sent = if reminds { EventKind::ReminderSent } else { EventKind::DeliverySent };
            record(sent, data.clone());
            let generation = convert::column(next.generation);
            if invitation.generation == generation && !reminds {
                self.sent.push(invitation.id);
            } else if invitation.secret_generation == generation {
                self.shredded.push(invitation.id);
            }
        }
        if let Some(reason) = reason {
            data["reason"] = reason.into();
        }
        record(kind(told.feedback), data);
        // What comes after an erasure is about nobody.
        let known = SuppressionReason::of(told.feedback).filter(|_| recipient != NOBODY);
        if let Some(why) = known {
            let organization = invitation.organization_id;
            let row = suppress::address(now, organization, recipient.clone(), why);
            self.suppressed.insert((organization, recipient), row);
        }
    }

    async fn write(
        self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        password_valid_for: Duration,
    ) -> Result<()> {
        let mut changes = Changes::new(tx);
        // The rows are locked and the domain has allowed it; the database holds once more that nobody
        // is told of a mail that never left.
        let never = ["queued", "scheduled", "failed", "cancelled", "suppressed"];
        changes.update(self.deliveries, |_| delivery::Column::Status.is_in(never).not())?;
        let sent = invitation::ActiveModel {
            email_sent: Set(true),
            email_sent_at: Set(Some(now)),
            password_expires_at: Set(Some(now + password_valid_for)),
            sealed: Set(None),
            updated_at: Set(now),
            ..Default::default()
        };
        let shredded = invitation::ActiveModel { sealed: Set(None), ..Default::default() };
        for (ids, to) in [(self.sent, sent), (self.shredded, shredded)] {
            if !ids.is_empty() {
                let (rows, these) = (ids.len(), bulk::is_any(tx, invitation::Column::Id, ids));
                changes.set(rows, invitation::Entity::update_many().set(to).filter(these));
            }
        }
        changes.insert_new(self.suppressed.into_values().collect())?;
        if announce::make(tx, now, changes, self.events).await? {
            Ok(())
        } else {
            Err(StoreError::Busy)
        }
    }
}

const fn kind(feedback: Feedback) -> EventKind {
    match feedback {
        Feedback::Delivered => EventKind::DeliveryDelivered,
        Feedback::Bounced(_) => EventKind::DeliveryBounced,
        Feedback::Complained => EventKind::DeliveryComplained,
    }
}
