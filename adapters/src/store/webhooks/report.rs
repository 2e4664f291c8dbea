//! A worker says how its attempt at an endpoint ended, and what that says about the endpoint.

use std::time::Duration;

use domain::job::JobV1;
use domain::webhook::WebhookEvent;
use domain::{
    AttemptToken, Timestamp, WebhookDeliveryState, WebhookDisabledReason, WebhookOutcome,
};
use entity::{outbox as outbox_row, webhook_attempt, webhook_delivery, webhook_endpoint};
use sea_orm::prelude::Expr;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, Set, UpdateMany,
};

use super::super::{Result, Store, Verdict, convert, outbox};
use super::claim::ClaimedWebhook;
use super::columns;
use crate::rng;

impl Store {
    /// Writes the end of an attempt, and plans the next one if there is to be one (`next_attempt_at`
    /// is `None` once its time is over). An endpoint that has taken nothing for `disable_after`, or
    /// wants no more, is switched off. `None` if the attempt is no longer the current one.
    pub async fn report_webhook(
        &self,
        claimed: &ClaimedWebhook,
        outcome: &WebhookOutcome,
        next_attempt_at: Option<Timestamp>,
        disable_after: Duration,
    ) -> Result<Option<WebhookDeliveryState>> {
        let (claimed, outcome) = (claimed.clone(), outcome.clone());
        self.write(move |tx, now| {
            Box::pin(async move {
                let event = WebhookEvent::Report {
                    attempt: claimed.attempt,
                    outcome: &outcome,
                    next_attempt_at,
                };
                let Some(state) = write(tx, now, &claimed, &event).await? else {
                    return Ok(Verdict::RollBack(None));
                };
                let attempt = attempt_row(now, &claimed, &outcome).into_active_model();
                webhook_attempt::Entity::insert(attempt).exec_without_returning(tx).await?;
                judge(tx, now, &claimed, &outcome, disable_after).await?;
                Ok(Verdict::Commit(Some(state)))
            })
        })
        .await
    }

    /// Gives a delivery back until `next_attempt_at`; nothing was tried. `None` if the attempt is no
    /// longer the current one.
    pub async fn put_off_webhook(
        &self,
        claimed: &ClaimedWebhook,
        next_attempt_at: Timestamp,
    ) -> Result<Option<WebhookDeliveryState>> {
        let claimed = claimed.clone();
        self.write(move |tx, now| {
            Box::pin(async move {
                let event = WebhookEvent::PutOff { attempt: claimed.attempt, next_attempt_at };
                Ok(Verdict::Commit(write(tx, now, &claimed, &event).await?))
            })
        })
        .await
    }
}

/// Lets the event happen, and plans the next attempt if there is to be one.
async fn write(
    tx: &DatabaseTransaction,
    now: Timestamp,
    claimed: &ClaimedWebhook,
    event: &WebhookEvent<'_>,
) -> Result<Option<WebhookDeliveryState>> {
    let Ok(next) = claimed.delivery.clone().apply(event, now) else { return Ok(None) };
    // The token says by itself whether this is still the current attempt.
    let done = webhook_delivery::Entity::update_many()
        .set(columns::written(&next, now))
        .filter(webhook_delivery::Column::Id.eq(next.id.uuid()))
        .filter(webhook_delivery::Column::AttemptToken.eq(claimed.attempt.uuid()))
        .exec(tx)
        .await?;
    if done.rows_affected != 1 {
        return Ok(None);
    }
    if let WebhookDeliveryState::Retrying { next_attempt_at } = next.state {
        let job = JobV1::Webhook { delivery: next.id, generation: next.generation };
        let row = outbox::written(vec![outbox::job_row(now, job, next_attempt_at)]);
        outbox_row::Entity::insert_many(row).exec_without_returning(tx).await?;
    }
    Ok(Some(next.state))
}

/// What the outcome says about the endpoint, as long as it is the one that was spoken to.
async fn judge(
    tx: &DatabaseTransaction,
    now: Timestamp,
    claimed: &ClaimedWebhook,
    outcome: &WebhookOutcome,
    disable_after: Duration,
) -> Result<()> {
    match outcome {
        WebhookOutcome::Taken { .. } => {
            endpoint(claimed)
                .col_expr(webhook_endpoint::Column::FailingSince, Expr::cust("NULL"))
                .filter(webhook_endpoint::Column::FailingSince.is_not_null())
                .exec(tx)
                .await?;
        }
        WebhookOutcome::Gone => disable(tx, now, claimed, WebhookDisabledReason::Gone, now).await?,
        WebhookOutcome::NotTaken(_) => {
            endpoint(claimed)
                .col_expr(webhook_endpoint::Column::FailingSince, Expr::value(claimed.started_at))
                .filter(webhook_endpoint::Column::FailingSince.is_null())
                .exec(tx)
                .await?;
            let limit = now - disable_after;
            if claimed.failing_since.is_some_and(|since| since <= limit) {
                disable(tx, now, claimed, WebhookDisabledReason::Failing, limit).await?;
            }
        }
        WebhookOutcome::Ours { .. } => {}
    }
    Ok(())
}

/// Switches the endpoint off, unless it has taken something meanwhile.
async fn disable(
    tx: &DatabaseTransaction,
    now: Timestamp,
    claimed: &ClaimedWebhook,
    reason: WebhookDisabledReason,
    failing_before: Timestamp,
) -> Result<()> {
    let off = webhook_endpoint::ActiveModel {
        disabled_at: Set(Some(now)),
        disabled_reason: Set(Some(reason.as_str().to_owned())),
        updated_at: Set(now),
        ..Default::default()
    };
    let mut update =
        endpoint(claimed).set(off).filter(webhook_endpoint::Column::DisabledAt.is_null());
    if reason == WebhookDisabledReason::Failing {
        update = update.filter(webhook_endpoint::Column::FailingSince.lte(failing_before));
    }
    if update.exec(tx).await?.rows_affected == 1 {
        let reason = reason.as_str();
        tracing::warn!(webhook.id = %claimed.endpoint, reason, "a webhook is switched off");
    }
    Ok(())
}

fn endpoint(claimed: &ClaimedWebhook) -> UpdateMany<webhook_endpoint::Entity> {
    webhook_endpoint::Entity::update_many()
        .filter(webhook_endpoint::Column::Id.eq(claimed.endpoint.uuid()))
        .filter(webhook_endpoint::Column::Url.eq(claimed.url.as_str()))
}

fn attempt_row(
    now: Timestamp,
    claimed: &ClaimedWebhook,
    outcome: &WebhookOutcome,
) -> webhook_attempt::Model {
    let (status, detail) = match outcome {
        WebhookOutcome::Taken { status } => (Some(*status), None),
        WebhookOutcome::Gone => (Some(410), Some("answered with 410: it wants no more".to_owned())),
        WebhookOutcome::NotTaken(why) => (why.status, Some(why.detail.clone())),
        WebhookOutcome::Ours { detail } => (None, Some(detail.clone())),
    };
    webhook_attempt::Model {
        id: AttemptToken::new(now, &mut rng()).uuid(),
        webhook_delivery_id: claimed.delivery.id.uuid(),
        generation: convert::column(claimed.delivery.generation),
        number: convert::column(claimed.delivery.attempts + 1),
        outcome: outcome.as_str().to_owned(),
        status: status.map(i32::from),
        detail,
        started_at: claimed.started_at,
        finished_at: now,
    }
}
