//! Workers say how their attempts ended: in one transaction for all reports that have arrived while
//! the one before was at work.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::delivery::DeliveryEvent;
use domain::{Delivery, DeliveryState, InvitationStatus, SendOutcome, Timestamp};
use entity::invitation;
use sea_orm::prelude::Uuid;
use sea_orm::{DatabaseTransaction, DerivePartialModel};

use super::consequences::Consequences;
use super::convert::StateRow;
use super::together::{self, Answer, Locking};
use super::{Claimed, Result, Store, Verdict, convert, locked};
use crate::trace::{self, TraceContext};

/// The end of an attempt.
pub(super) struct Report {
    pub(super) claimed: Claimed,
    pub(super) outcome: SendOutcome,
    pub(super) next_attempt_at: Timestamp,
    pub(super) password_valid_for: Duration,
    /// Where in a trace the attempt was made: the next one follows from it.
    pub(super) trace: Option<TraceContext>,
}

/// What has to be known of a delivery that is reported.
#[derive(DerivePartialModel)]
struct Reported {
    #[sea_orm(nested)]
    delivery: StateRow,
    #[sea_orm(nested)]
    invitation: Mailed,
}

/// What has to be known of its invitation.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "invitation::Entity")]
pub(super) struct Mailed {
    pub(super) id: Uuid,
    pub(super) organization_id: Uuid,
    pub(super) email_normalized: String,
    pub(super) status: String,
    pub(super) generation: i32,
    pub(super) secret_generation: i32,
    pub(super) anonymized_at: Option<Timestamp>,
}

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
        let trace = trace::current();
        let report = Report { claimed, outcome, next_attempt_at, password_valid_for, trace };
        let report = Arc::new(report);
        let store = self.clone();
        let write = move |reports, locking| store.clone().report_all(reports, locking);
        let runtime = self.runtime.clone();
        let answer = move |calls| together::answer(runtime.clone(), calls, write.clone());
        self.gatherings.reports.call(&self.runtime, report, answer).await?
    }

    async fn report_all(
        self,
        reports: Vec<Arc<Report>>,
        locking: Locking,
    ) -> Result<Vec<Answer<Option<DeliveryState>>>> {
        self.write(move |tx, now| {
            Box::pin(async move { report_all(tx, now, &reports, locking).await })
        })
        .await
    }
}

async fn report_all(
    tx: &DatabaseTransaction,
    now: Timestamp,
    reports: &[Arc<Report>],
    locking: Locking,
) -> Result<Verdict<Vec<Answer<Option<DeliveryState>>>>> {
    let ids = reports.iter().map(|report| report.claimed.delivery.id.uuid()).collect();
    let locked: Vec<Reported> = locked::lock_some(tx, locked::of(tx, ids), locking).await?;
    let locked: HashMap<Uuid, Reported> =
        locked.into_iter().map(|row| (row.delivery.id, row)).collect();
    let mut answers = Vec::with_capacity(reports.len());
    let mut consequences = Consequences::default();
    let mut reported = HashSet::new();
    for report in reports {
        let id = report.claimed.delivery.id.uuid();
        let Some(Reported { delivery, invitation }) = locked.get(&id) else {
            answers.push(locking.unreached(None));
            continue;
        };
        if !reported.insert(id) {
            // It is to see what came of the first one.
            answers.push(Answer::Alone);
            continue;
        }
        let next = report.next(now, delivery, invitation);
        if let Ok(Some(next)) = &next {
            consequences.add(now, report, next, invitation);
        }
        answers.push(Answer::Known(next.map(|next| next.map(|next| next.state))));
    }
    if consequences.write(tx, now).await? {
        Ok(Verdict::Commit(answers))
    } else {
        Ok(Verdict::RollBack(answers))
    }
}

impl Report {
    /// What becomes of the delivery, if the report is of its current attempt.
    fn next(
        &self,
        now: Timestamp,
        row: &StateRow,
        invitation: &Mailed,
    ) -> Result<Option<Delivery>> {
        let event = DeliveryEvent::Report {
            attempt: self.claimed.attempt,
            outcome: &self.outcome,
            next_attempt_at: self.next_attempt_at,
        };
        let Ok(next) = convert::delivery(row)?.apply(&event, now) else { return Ok(None) };
        let open = invitation.status == InvitationStatus::Pending.as_str()
            && invitation.generation == row.generation;
        if !open && let Ok(cancelled) = next.clone().apply(&DeliveryEvent::Cancel, now) {
            // Nobody waits for this mail any more.
            return Ok(Some(cancelled));
        }
        Ok(Some(next))
    }
}
