//! A worker says how its attempt ended.

use std::time::Duration;

use domain::delivery::DeliveryEvent;
use domain::{
    AttemptToken, Delivery, DeliveryState, EventKind, InvitationStatus, SendOutcome, Timestamp,
    Trouble,
};
use entity::{attempt, delivery, invitation, suppression};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::audit::{self, By};
use super::{Claimed, Result, Store, StoreError, Verdict, change, convert, insert_if_new, outbox};
use crate::rng;

impl Store {
    /// Writes the end of an attempt, and plans the next one if there is to be one. Saying the same
    /// again is harmless. `None` if the attempt is no longer the delivery's current one.
    ///
    /// `password_valid_for` counts from now: what lay in a queue takes no time from the invitee.
    pub async fn report(
        &self,
        claimed: &Claimed,
        outcome: &SendOutcome,
        next_attempt_at: Timestamp,
        password_valid_for: Duration,
    ) -> Result<Option<DeliveryState>> {
        let (claimed, outcome) = (claimed.clone(), outcome.clone());
        self.write(move |tx, now| {
            Box::pin(async move {
                let report = Report { claimed, outcome, next_attempt_at, password_valid_for };
                report.write(tx, now).await
            })
        })
        .await
    }
}

struct Report {
    claimed: Claimed,
    outcome: SendOutcome,
    next_attempt_at: Timestamp,
    password_valid_for: Duration,
}

impl Report {
    async fn write(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
    ) -> Result<Verdict<Option<DeliveryState>>> {
        let id = self.claimed.delivery.id;
        // Locked first, like every change of an invitation: one order, no deadlock.
        let invitation = change::locked(tx, self.claimed.delivery.invitation).await?;
        let row = delivery::Entity::find_by_id(id.uuid()).one(tx).await?;
        let (Some(invitation), Some(row)) = (invitation, row) else {
            return Ok(Verdict::RollBack(None));
        };
        let event = DeliveryEvent::Report {
            attempt: self.claimed.attempt,
            outcome: &self.outcome,
            next_attempt_at: self.next_attempt_at,
        };
        let Ok(mut next) = convert::delivery(&row)?.apply(&event, now) else {
            return Ok(Verdict::RollBack(None));
        };
        let open = invitation.status == InvitationStatus::Pending.as_str()
            && invitation.generation == row.generation;
        if !open && let Ok(cancelled) = next.clone().apply(&DeliveryEvent::Cancel, now) {
            // Nobody waits for this mail any more.
            next = cancelled;
        }
        self.store_delivery(tx, now, &next).await?;
        if let Some(trouble) = self.outcome.trouble() {
            self.log_attempt(tx, now, &next, trouble).await?;
        }
        self.store_consequences(tx, now, &next, &invitation).await?;
        Ok(Verdict::Commit(Some(next.state)))
    }

    async fn store_delivery(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        next: &Delivery,
    ) -> Result<()> {
        let trouble = self.outcome.trouble();
        let mut columns = convert::delivery_columns(next, now);
        columns.postponed = Set(matches!(self.outcome, SendOutcome::Ours(_)));
        columns.detail = Set(trouble.map(|trouble| trouble.detail.clone()));
        columns.reason = Set(match next.state {
            DeliveryState::Failed { reason, .. } => Some(reason.as_str().to_owned()),
            _ => trouble.map(|_| self.outcome.as_str().to_owned()),
        });
        let done = delivery::Entity::update_many()
            .set(columns)
            .filter(delivery::Column::Id.eq(next.id.uuid()))
            .filter(delivery::Column::AttemptToken.eq(self.claimed.attempt.uuid()))
            .exec(tx)
            .await?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StoreError::Busy) }
    }

    async fn log_attempt(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        next: &Delivery,
        trouble: &Trouble,
    ) -> Result<()> {
        let reply = trouble.reply.as_ref();
        let row = attempt::ActiveModel {
            id: Set(AttemptToken::new(now, &mut rng()).uuid()),
            delivery_id: Set(next.id.uuid()),
            number: Set(convert::column(self.claimed.delivery.attempts)),
            outcome: Set(self.outcome.as_str().to_owned()),
            phase: Set(trouble.phase.as_str().to_owned()),
            reply_code: Set(reply.map(|reply| i32::from(reply.code))),
            enhanced: Set(reply.and_then(|reply| reply.enhanced).map(|code| code.to_string())),
            detail: Set(trouble.detail.clone()),
            started_at: Set(self.claimed.started_at),
            finished_at: Set(now),
        };
        attempt::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(())
    }

    async fn store_consequences(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        next: &Delivery,
        invitation: &invitation::Model,
    ) -> Result<()> {
        let data = serde_json::json!({ "delivery_id": next.id, "generation": next.generation });
        match next.state {
            DeliveryState::Sent { at } => {
                self.mark_sent(tx, now, at, next).await?;
                audit::record(tx, now, invitation, EventKind::DeliverySent, By::System, data)
                    .await?;
            }
            DeliveryState::Failed { reason, .. } => {
                if matches!(self.outcome, SendOutcome::NoSuchRecipient(_)) {
                    suppress(tx, now, invitation).await?;
                }
                shred(tx, next).await?;
                let mut data = data;
                data["reason"] = reason.as_str().into();
                audit::record(tx, now, invitation, EventKind::DeliveryFailed, By::System, data)
                    .await?;
            }
            DeliveryState::Retrying { next_attempt_at }
            | DeliveryState::Uncertain { next_attempt_at, .. } => {
                let generation = convert::column(next.generation);
                outbox::add(tx, now, next.id, generation, next_attempt_at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn mark_sent(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        at: Timestamp,
        next: &Delivery,
    ) -> Result<()> {
        shred(tx, next).await?;
        invitation::Entity::update_many()
            .set(invitation::ActiveModel {
                email_sent: Set(true),
                email_sent_at: Set(Some(at)),
                password_expires_at: Set(Some(at + self.password_valid_for)),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(invitation::Column::Id.eq(next.invitation.uuid()))
            .filter(invitation::Column::Generation.eq(convert::column(next.generation)))
            .exec(tx)
            .await?;
        Ok(())
    }
}

/// No further mail of this generation will be made: only the hashes of its secret are needed.
async fn shred(tx: &DatabaseTransaction, delivery: &Delivery) -> Result<()> {
    invitation::Entity::update_many()
        .set(invitation::ActiveModel { sealed: Set(None), ..Default::default() })
        .filter(invitation::Column::Id.eq(delivery.invitation.uuid()))
        .filter(invitation::Column::SecretGeneration.eq(convert::column(delivery.generation)))
        .exec(tx)
        .await?;
    Ok(())
}

async fn suppress(
    tx: &DatabaseTransaction,
    now: Timestamp,
    invitation: &invitation::Model,
) -> Result<()> {
    let row = suppression::ActiveModel {
        organization_id: Set(invitation.organization_id),
        email_normalized: Set(invitation.email_normalized.clone()),
        reason: Set(domain::FailureReason::NoSuchRecipient.as_str().to_owned()),
        created_at: Set(now),
    };
    insert_if_new(tx, row).await?;
    Ok(())
}
