//! What follows from reports, gathered and written in a few statements for all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    AttemptToken, Delivery, DeliveryKind, DeliveryState, EventKind, SendOutcome, SuppressionReason,
    Timestamp, Trouble,
};
use entity::{attempt, delivery, invitation, outbox as outbox_row, suppression};
use sea_orm::prelude::Uuid;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::audit::{Entry, SYSTEM};
use super::bulk::Changes;
use super::report::{Mailed, Report};
use super::{Result, StoreError, announce, bulk, convert, outbox, suppress};
use crate::rng;

/// Everything that is to be written.
#[derive(Default)]
pub(super) struct Consequences {
    deliveries: Vec<delivery::ActiveModel>,
    /// The attempts that report.
    tokens: Vec<Uuid>,
    attempts: Vec<attempt::ActiveModel>,
    events: Vec<Entry>,
    again: Vec<outbox_row::Model>,
    /// In one order for all transactions: they wait for each other's rows.
    suppressed: BTreeMap<(Uuid, String), suppression::ActiveModel>,
    /// Invitations whose newest mail is sent, by how long its password is valid.
    sent: BTreeMap<Duration, Vec<Uuid>>,
    /// Other invitations whose sealed secret no mail will need.
    shredded: Vec<Uuid>,
}

impl Consequences {
    /// Adds what follows from a report that made of a delivery what `next` says.
    pub(super) fn add(
        &mut self,
        now: Timestamp,
        report: &Report,
        next: &Delivery,
        invitation: &Mailed,
    ) {
        self.deliveries.push(delivery_row(now, report, next));
        self.tokens.push(report.claimed.attempt.uuid());
        if let Some(trouble) = report.outcome.trouble() {
            self.attempts.push(attempt_row(now, report, next, trouble));
        }
        let mut data = serde_json::json!({ "delivery_id": next.id, "generation": next.generation });
        let mut record = |kind, data| {
            let about = (invitation.organization_id, invitation.id);
            let mut entry = Entry::of_invitation(now, about, kind, SYSTEM.to_owned(), data);
            entry.trace = report.trace;
            self.events.push(entry);
        };
        let generation = convert::column(next.generation);
        match next.state {
            DeliveryState::Sent { .. } if report.claimed.mail.kind == DeliveryKind::Reminder => {
                // When its invitation was mailed is counted from: that stays.
                record(EventKind::ReminderSent, data);
                self.shred(invitation, generation);
            }
            DeliveryState::Sent { .. } => {
                record(EventKind::DeliverySent, data);
                if invitation.generation == generation {
                    self.sent.entry(report.password_valid_for).or_default().push(invitation.id);
                } else {
                    self.shred(invitation, generation);
                }
            }
            DeliveryState::Failed { reason, .. } => {
                data["reason"] = reason.as_str().into();
                record(EventKind::DeliveryFailed, data);
                let is_known = invitation.anonymized_at.is_none();
                if is_known && matches!(report.outcome, SendOutcome::NoSuchRecipient(_)) {
                    let place = (invitation.organization_id, invitation.email_normalized.clone());
                    let (organization, email) = place.clone();
                    let why = SuppressionReason::NoSuchRecipient;
                    let row = suppress::address(now, organization, email, why);
                    self.suppressed.insert(place, row);
                }
                self.shred(invitation, generation);
            }
            DeliveryState::Retrying { next_attempt_at }
            | DeliveryState::Uncertain { next_attempt_at, .. } => {
                let row = outbox::row(now, next.id, generation, next_attempt_at);
                let traceparent = report.trace.map(|trace| trace.to_string());
                self.again.push(outbox_row::Model { traceparent, ..row });
            }
            _ => {}
        }
    }

    /// No further mail of this generation will be made: only the hashes of its secret are needed.
    fn shred(&mut self, invitation: &Mailed, generation: i32) {
        if invitation.secret_generation == generation {
            self.shredded.push(invitation.id);
        }
    }

    /// Writes all of it; `false` if there is nothing.
    pub(super) async fn write(self, tx: &DatabaseTransaction, now: Timestamp) -> Result<bool> {
        if self.deliveries.is_empty() {
            return Ok(false);
        }
        let mut changes = Changes::new(tx);
        // A token is one delivery's alone, so that the right one among them is that delivery's own.
        let holds = bulk::is_any(tx, delivery::Column::AttemptToken, self.tokens);
        changes.update(self.deliveries, |_| holds.clone())?;
        for (valid_for, ids) in self.sent {
            let sent = invitation::ActiveModel {
                email_sent: Set(true),
                email_sent_at: Set(Some(now)),
                password_expires_at: Set(Some(now + valid_for)),
                sealed: Set(None),
                updated_at: Set(now),
                ..Default::default()
            };
            change(tx, &mut changes, ids, sent);
        }
        if !self.shredded.is_empty() {
            let shredded = invitation::ActiveModel { sealed: Set(None), ..Default::default() };
            change(tx, &mut changes, self.shredded, shredded);
        }
        changes.insert(self.attempts)?;
        changes.insert(outbox::written(self.again))?;
        changes.insert_new(self.suppressed.into_values().collect())?;
        let made = announce::make(tx, now, changes, self.events).await?;
        if made { Ok(true) } else { Err(StoreError::Busy) }
    }
}

/// Changes invitations, which are locked.
fn change(
    tx: &DatabaseTransaction,
    changes: &mut Changes,
    ids: Vec<Uuid>,
    to: invitation::ActiveModel,
) {
    let rows = ids.len();
    let these = bulk::is_any(tx, invitation::Column::Id, ids);
    changes.set(rows, invitation::Entity::update_many().set(to).filter(these));
}

fn delivery_row(now: Timestamp, report: &Report, next: &Delivery) -> delivery::ActiveModel {
    let trouble = report.outcome.trouble();
    let mut row = convert::delivery_columns(next, now);
    row.postponed = Set(matches!(report.outcome, SendOutcome::Ours(_)));
    row.detail = Set(trouble.map(|trouble| trouble.detail.clone()));
    row.reason = Set(match next.state {
        DeliveryState::Failed { reason, .. } => Some(reason.as_str().to_owned()),
        _ => trouble.map(|_| report.outcome.as_str().to_owned()),
    });
    row
}

fn attempt_row(
    now: Timestamp,
    report: &Report,
    next: &Delivery,
    trouble: &Trouble,
) -> attempt::ActiveModel {
    let reply = trouble.reply.as_ref();
    attempt::ActiveModel {
        id: Set(AttemptToken::new(now, &mut rng()).uuid()),
        delivery_id: Set(next.id.uuid()),
        number: Set(convert::column(report.claimed.delivery.attempts)),
        outcome: Set(report.outcome.as_str().to_owned()),
        phase: Set(trouble.phase.as_str().to_owned()),
        reply_code: Set(reply.map(|reply| i32::from(reply.code))),
        enhanced: Set(reply.and_then(|reply| reply.enhanced).map(|code| code.to_string())),
        detail: Set(trouble.detail.clone()),
        started_at: Set(report.claimed.started_at),
        finished_at: Set(now),
    }
}
