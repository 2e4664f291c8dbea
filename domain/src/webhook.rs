//! Telling one endpoint of one event, and how that ends.
//!
//! ```text
//! queued ──claim──▶ sending ──report──▶ delivered | failed | retrying
//! retrying ──claim, once due──▶ sending
//! sending ──put off──▶ retrying
//! sending ──lease expires──▶ retrying       (a repeat is harmless: it carries the same id)
//! delivered | failed ──replay──▶ queued, next generation
//! queued | retrying ──give up──▶ failed     (its endpoint is off)
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AttemptToken, Generation, RetryPolicy, Timestamp, WebhookDeliveryId};

/// A delivery to an endpoint, reduced to what decides its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookDelivery {
    /// Its id: the `webhook-id` of every attempt.
    pub id: WebhookDeliveryId,
    /// Counts how often it was asked for; grows with each replay, starts at 1.
    pub generation: Generation,
    /// How many attempts this generation has used up; trouble of our own uses none.
    pub attempts: u32,
    /// Where it stands.
    pub state: WebhookDeliveryState,
}

/// Where it stands, with what only that state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookDeliveryState {
    /// Waits for a worker.
    Queued,
    /// A worker is at it.
    Sending {
        /// The attempt that may report.
        attempt: AttemptToken,
        /// When the worker is taken for dead.
        lease_until: Timestamp,
    },
    /// Was not taken and waits for its next attempt.
    Retrying {
        /// When that is due.
        next_attempt_at: Timestamp,
    },
    /// The endpoint answered with a status of 200 to 299.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Will not be tried again by itself.
    Failed {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: WebhookFailure,
    },
}

/// Where telling an endpoint of an event stands. `retrying`: not taken, waits for its next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "delivered")]
#[serde(rename_all = "snake_case")]
pub enum WebhookDeliveryStatus {
    /// See [`WebhookDeliveryState::Queued`].
    Queued,
    /// See [`WebhookDeliveryState::Sending`].
    Sending,
    /// See [`WebhookDeliveryState::Retrying`].
    Retrying,
    /// See [`WebhookDeliveryState::Delivered`].
    Delivered,
    /// See [`WebhookDeliveryState::Failed`].
    Failed,
}

/// Why a delivery to an endpoint was given up. `exhausted`: it was tried until its time was over.
/// `gone`: the endpoint answered 410. `endpoint_disabled`: the endpoint was off when its turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFailure {
    /// It was tried until its time was over.
    Exhausted,
    /// The endpoint answered 410.
    Gone,
    /// The endpoint was off when its turn came.
    EndpointDisabled,
}

/// Why an endpoint is told nothing. `requested`: somebody switched it off. `gone`: it answered 410.
/// `failing`: it took nothing for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookDisabledReason {
    /// Somebody switched it off.
    Requested,
    /// It answered 410.
    Gone,
    /// It took nothing for days.
    Failing,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// A status of 200 to 299.
    Taken {
        /// Which.
        status: u16,
    },
    /// 410: the endpoint wants no more.
    Gone,
    /// Any other status, or no answer.
    NotTaken(NotTaken),
    /// Trouble on our side: it says nothing about the endpoint.
    Ours {
        /// What went wrong, in one sentence.
        detail: String,
    },
}

/// Why an endpoint did not take an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong, in one sentence.
    pub detail: String,
    /// How long the endpoint asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// What can happen to a delivery to an endpoint.
#[derive(Debug, Clone)]
pub enum WebhookEvent<'a> {
    /// A worker takes it.
    Claim {
        /// The new attempt.
        attempt: AttemptToken,
        /// How long the worker has.
        lease_until: Timestamp,
    },
    /// A worker says how its attempt ended.
    Report {
        /// Its attempt.
        attempt: AttemptToken,
        /// The end.
        outcome: &'a WebhookOutcome,
        /// When to try again, if it comes to that; `None` once its time is over.
        next_attempt_at: Option<Timestamp>,
    },
    /// A worker gives it back without an attempt: enough others speak to the endpoint.
    PutOff {
        /// Its attempt.
        attempt: AttemptToken,
        /// When its turn comes again.
        next_attempt_at: Timestamp,
    },
    /// A worker's lease has run out without a report.
    LeaseExpired,
    /// Its endpoint is off.
    GiveUp,
    /// Somebody wants the endpoint told once more.
    Replay,
}

/// An event that the delivery's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("webhook delivery {id} is {from:?} and cannot take that")]
pub struct IllegalWebhookEvent {
    /// Which delivery.
    pub id: WebhookDeliveryId,
    /// Where it stands.
    pub from: WebhookDeliveryStatus,
}

/// An endpoint cannot make us wait for longer than this.
const LONGEST_WISH: Duration = Duration::from_hours(24);

impl WebhookDelivery {
    /// Lets `event` happen at `now`, or says why it cannot.
    pub fn apply(
        self,
        event: &WebhookEvent<'_>,
        now: Timestamp,
    ) -> Result<Self, IllegalWebhookEvent> {
        use WebhookDeliveryState::{Delivered, Failed, Queued, Retrying, Sending};
        let illegal = IllegalWebhookEvent { id: self.id, from: self.state.status() };
        match (self.state, event) {
            (Queued, &WebhookEvent::Claim { attempt, lease_until }) => {
                Ok(Self { state: Sending { attempt, lease_until }, ..self })
            }
            (Retrying { next_attempt_at }, &WebhookEvent::Claim { attempt, lease_until })
                if next_attempt_at <= now =>
            {
                Ok(Self { state: Sending { attempt, lease_until }, ..self })
            }
            (
                Sending { attempt: holder, .. },
                &WebhookEvent::Report { attempt, outcome, next_attempt_at },
            ) if holder == attempt => Ok(self.reported(outcome, next_attempt_at, now)),
            (
                Sending { attempt: holder, .. },
                &WebhookEvent::PutOff { attempt, next_attempt_at },
            ) if holder == attempt => Ok(Self { state: Retrying { next_attempt_at }, ..self }),
            (Sending { lease_until, .. }, WebhookEvent::LeaseExpired) if lease_until <= now => {
                Ok(Self { state: Retrying { next_attempt_at: now }, ..self })
            }
            (Queued | Retrying { .. }, WebhookEvent::GiveUp) => {
                let reason = WebhookFailure::EndpointDisabled;
                Ok(Self { state: Failed { at: now, reason }, ..self })
            }
            (Delivered { .. } | Failed { .. }, WebhookEvent::Replay) => {
                Ok(Self { generation: self.generation + 1, attempts: 0, state: Queued, ..self })
            }
            _ => Err(illegal),
        }
    }

    fn reported(
        self,
        outcome: &WebhookOutcome,
        next_attempt_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        use WebhookDeliveryState::{Delivered, Failed, Retrying};
        let exhausted = Failed { at: now, reason: WebhookFailure::Exhausted };
        let again =
            next_attempt_at.map_or(exhausted, |next_attempt_at| Retrying { next_attempt_at });
        let (used, state) = match outcome {
            WebhookOutcome::Taken { .. } => (1, Delivered { at: now }),
            WebhookOutcome::Gone => (1, Failed { at: now, reason: WebhookFailure::Gone }),
            WebhookOutcome::NotTaken(_) => (1, again),
            WebhookOutcome::Ours { .. } => (0, again),
        };
        Self { attempts: self.attempts + used, state, ..self }
    }
}

impl WebhookOutcome {
    /// When to try again after attempt number `attempts` (counted from 1) of a delivery that was asked
    /// for at `asked_at`: by the policy, or as late as the endpoint wishes. `None` once its time is
    /// over.
    pub fn next_attempt_at(
        &self,
        policy: &RetryPolicy,
        attempts: u32,
        asked_at: Timestamp,
        now: Timestamp,
        rng: &mut impl rand::Rng,
    ) -> Option<Timestamp> {
        let pause = match self {
            Self::NotTaken(NotTaken { retry_after, .. }) => {
                let wish = retry_after.unwrap_or_default().min(LONGEST_WISH);
                policy.pause_after(attempts, rng).max(wish)
            }
            _ => policy.pause_after(attempts, rng),
        };
        let next = now + pause;
        (next < asked_at + policy.give_up_after).then_some(next)
    }

    /// The word in the log of attempts.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "taken",
            Self::Gone => "gone",
            Self::NotTaken(_) => "not_taken",
            Self::Ours { .. } => "ours",
        }
    }
}

impl WebhookDeliveryState {
    /// The state without its data.
    pub const fn status(&self) -> WebhookDeliveryStatus {
        match self {
            Self::Queued => WebhookDeliveryStatus::Queued,
            Self::Sending { .. } => WebhookDeliveryStatus::Sending,
            Self::Retrying { .. } => WebhookDeliveryStatus::Retrying,
            Self::Delivered { .. } => WebhookDeliveryStatus::Delivered,
            Self::Failed { .. } => WebhookDeliveryStatus::Failed,
        }
    }
}

impl WebhookDeliveryStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Sending, Self::Retrying, Self::Delivered, Self::Failed];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads [`WebhookDeliveryStatus::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl WebhookDisabledReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Requested, Self::Gone, Self::Failing];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// Reads [`WebhookDisabledReason::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl WebhookFailure {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Exhausted, Self::Gone, Self::EndpointDisabled];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Gone => "gone",
            Self::EndpointDisabled => "endpoint_disabled",
        }
    }

    /// Reads [`WebhookFailure::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}
