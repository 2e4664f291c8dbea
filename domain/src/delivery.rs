//! The sending of one mail for one generation of one invitation, and how it ends.
//!
//! ```text
//! queued ──claim──▶ sending ──report──▶ sent | failed | retrying | uncertain
//! scheduled ──claim, once due──▶ sending
//! scheduled ──reschedule──▶ scheduled | queued (for now)
//! retrying | uncertain ──claim, once due──▶ sending
//! sending ──lease expires──▶ uncertain        (the worker is gone; its late report still counts)
//! queued | scheduled | retrying | uncertain ──cancel──▶ cancelled
//! sent | sending | retrying | uncertain ──feedback──▶ delivered | bounced | complained  (see `feedback`)
//! suppressed from birth: the address is known to be bad, so no mail is tried
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AttemptToken, Bounce, DeliveryId, FailureReason, Feedback, Generation, InvitationId,
    SendOutcome, Timestamp,
};

/// A delivery, reduced to what decides its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The invitation it belongs to.
    pub invitation: InvitationId,
    /// Which of the invitation's secrets its mail carries.
    pub generation: Generation,
    /// How many attempts have been used up; trouble of our own uses none.
    pub attempts: u32,
    /// From this moment on it is not tried again.
    pub give_up_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Where a delivery stands, with what only that state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Waits for a worker.
    Queued,
    /// Waits for the moment that it was asked for.
    Scheduled {
        /// When that is.
        send_at: Timestamp,
    },
    /// A worker is at it.
    Sending {
        /// The attempt that may report.
        attempt: AttemptToken,
        /// When the worker is taken for dead.
        lease_until: Timestamp,
    },
    /// Was put off and waits for its next attempt.
    Retrying {
        /// When that is due.
        next_attempt_at: Timestamp,
    },
    /// May have arrived; the mail is repeated, the same in every byte that matters.
    Uncertain {
        /// The attempt whose end is unknown; its late report is still welcome.
        attempt: AttemptToken,
        /// When the repeat is due.
        next_attempt_at: Timestamp,
    },
    /// The SMTP server answered 250.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// The recipient's server has taken it.
    Delivered {
        /// When the SMTP server answered 250, or when it was known that it must have.
        sent_at: Timestamp,
        /// When that was told.
        at: Timestamp,
    },
    /// It came back after it was sent.
    Bounced {
        /// As for `Delivered`.
        sent_at: Timestamp,
        /// When that was told.
        at: Timestamp,
        /// Whether others would come back as well.
        bounce: Bounce,
    },
    /// Its recipient calls it spam.
    Complained {
        /// As for `Delivered`.
        sent_at: Timestamp,
        /// When that was told.
        at: Timestamp,
    },
    /// Will not be tried again.
    Failed {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: FailureReason,
    },
    /// The invitation ended, or a newer mail took over, before this one was sent.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// Never tried: an earlier mail proved the address bad.
    Suppressed {
        /// When.
        at: Timestamp,
    },
}

/// Where the sending of a mail stands. `scheduled`: waits for the moment that it was asked for. `sent`: the SMTP server took it. `delivered`, `bounced` and
/// `complained` come after it, if the mail provider tells: the recipient's server took it, it came back,
/// or its recipient calls it spam. `retrying`: put off, waits for
/// its next attempt. `uncertain`: may have arrived; is repeated, the same in every byte that matters.
/// `suppressed`: never tried, because an earlier mail proved the address bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "sent")]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// See [`DeliveryState::Queued`].
    Queued,
    /// See [`DeliveryState::Scheduled`].
    Scheduled,
    /// See [`DeliveryState::Sending`].
    Sending,
    /// See [`DeliveryState::Retrying`].
    Retrying,
    /// See [`DeliveryState::Uncertain`].
    Uncertain,
    /// See [`DeliveryState::Sent`].
    Sent,
    /// See [`DeliveryState::Delivered`].
    Delivered,
    /// See [`DeliveryState::Bounced`].
    Bounced,
    /// See [`DeliveryState::Complained`].
    Complained,
    /// See [`DeliveryState::Failed`].
    Failed,
    /// See [`DeliveryState::Cancelled`].
    Cancelled,
    /// See [`DeliveryState::Suppressed`].
    Suppressed,
}

/// What can happen to a delivery.
#[derive(Debug, Clone)]
pub enum DeliveryEvent<'a> {
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
        outcome: &'a SendOutcome,
        /// When to try again, if it comes to that.
        next_attempt_at: Timestamp,
    },
    /// A worker's lease has run out without a report.
    LeaseExpired {
        /// When to repeat the mail.
        next_attempt_at: Timestamp,
    },
    /// A scheduled mail is wanted at another moment.
    Reschedule {
        /// When; a moment that has passed means now.
        send_at: Timestamp,
    },
    /// The invitation ended or its mail is replaced.
    Cancel,
    /// The other end tells what became of the mail.
    Feedback(Feedback),
}

/// An event that the delivery's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("delivery {id} is {from:?} and cannot take {event}")]
pub struct IllegalDeliveryEvent {
    /// Which delivery.
    pub id: DeliveryId,
    /// Where it stands.
    pub from: DeliveryStatus,
    /// What was asked of it.
    pub event: &'static str,
}

impl Delivery {
    /// Lets `event` happen at `now`, or says why it cannot.
    pub fn apply(
        self,
        event: &DeliveryEvent<'_>,
        now: Timestamp,
    ) -> Result<Self, IllegalDeliveryEvent> {
        use DeliveryState::{Cancelled, Queued, Retrying, Scheduled, Sending, Uncertain};
        let illegal =
            IllegalDeliveryEvent { id: self.id, from: self.state.status(), event: event.name() };
        match (self.state, event) {
            (Queued, &DeliveryEvent::Claim { attempt, lease_until }) => {
                Ok(self.claimed(attempt, lease_until))
            }
            (
                Scheduled { send_at: next_attempt_at }
                | Retrying { next_attempt_at }
                | Uncertain { next_attempt_at, .. },
                &DeliveryEvent::Claim { attempt, lease_until },
            ) if next_attempt_at <= now => Ok(self.claimed(attempt, lease_until)),
            (
                Sending { attempt: holder, .. } | Uncertain { attempt: holder, .. },
                &DeliveryEvent::Report { attempt, outcome, next_attempt_at },
            ) if holder == attempt => Ok(self.reported(attempt, outcome, next_attempt_at, now)),
            (
                Sending { attempt, lease_until },
                &DeliveryEvent::LeaseExpired { next_attempt_at },
            ) if lease_until <= now => {
                Ok(Self { state: Uncertain { attempt, next_attempt_at }, ..self })
            }
            (Scheduled { .. }, &DeliveryEvent::Reschedule { send_at }) => {
                let state = if send_at > now { Scheduled { send_at } } else { Queued };
                Ok(Self { state, ..self })
            }
            (
                Queued | Scheduled { .. } | Retrying { .. } | Uncertain { .. },
                DeliveryEvent::Cancel,
            ) => Ok(Self { state: Cancelled { at: now }, ..self }),
            (_, &DeliveryEvent::Feedback(feedback)) => {
                let state = self.told(feedback, now).ok_or(illegal)?;
                Ok(Self { state, ..self })
            }
            _ => Err(illegal),
        }
    }

    fn claimed(self, attempt: AttemptToken, lease_until: Timestamp) -> Self {
        Self {
            attempts: self.attempts + 1,
            state: DeliveryState::Sending { attempt, lease_until },
            ..self
        }
    }

    fn reported(
        self,
        attempt: AttemptToken,
        outcome: &SendOutcome,
        next_attempt_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let failed = |reason| DeliveryState::Failed { at: now, reason };
        let in_time = next_attempt_at < self.give_up_at;
        let mut attempts = self.attempts;
        let state = match outcome {
            SendOutcome::Sent => DeliveryState::Sent { at: now },
            SendOutcome::NoSuchRecipient(_) => failed(FailureReason::NoSuchRecipient),
            SendOutcome::Refused(_) => failed(FailureReason::Refused),
            SendOutcome::Unrenderable(_) => failed(FailureReason::Unrenderable),
            SendOutcome::Deferred(_) | SendOutcome::Uncertain(_) if !in_time => {
                failed(FailureReason::Exhausted)
            }
            SendOutcome::Deferred(_) => DeliveryState::Retrying { next_attempt_at },
            SendOutcome::Uncertain(_) => DeliveryState::Uncertain { attempt, next_attempt_at },
            SendOutcome::Ours(_) | SendOutcome::Parked(_) | SendOutcome::Crowded(_) => {
                // Our trouble, the organization's, or that of many others, fails nobody's mail: it
                // waits until the invitation itself expires.
                attempts = attempts.saturating_sub(1);
                DeliveryState::Retrying { next_attempt_at }
            }
        };
        Self { attempts, state, ..self }
    }
}

impl DeliveryEvent<'_> {
    /// The event's name, for messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "claim",
            Self::Report { .. } => "report",
            Self::LeaseExpired { .. } => "lease expiry",
            Self::Reschedule { .. } => "reschedule",
            Self::Cancel => "cancel",
            Self::Feedback(_) => "feedback",
        }
    }
}

impl DeliveryState {
    /// The state without its data.
    pub const fn status(&self) -> DeliveryStatus {
        match self {
            Self::Queued => DeliveryStatus::Queued,
            Self::Scheduled { .. } => DeliveryStatus::Scheduled,
            Self::Sending { .. } => DeliveryStatus::Sending,
            Self::Retrying { .. } => DeliveryStatus::Retrying,
            Self::Uncertain { .. } => DeliveryStatus::Uncertain,
            Self::Sent { .. } => DeliveryStatus::Sent,
            Self::Delivered { .. } => DeliveryStatus::Delivered,
            Self::Bounced { .. } => DeliveryStatus::Bounced,
            Self::Complained { .. } => DeliveryStatus::Complained,
            Self::Failed { .. } => DeliveryStatus::Failed,
            Self::Cancelled { .. } => DeliveryStatus::Cancelled,
            Self::Suppressed { .. } => DeliveryStatus::Suppressed,
        }
    }

    /// When the next attempt is due, if one is planned.
    pub const fn next_attempt_at(&self) -> Option<Timestamp> {
        match *self {
            Self::Scheduled { send_at: next_attempt_at }
            | Self::Retrying { next_attempt_at }
            | Self::Uncertain { next_attempt_at, .. } => Some(next_attempt_at),
            _ => None,
        }
    }
}

impl DeliveryStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 12] = [
        Self::Queued,
        Self::Scheduled,
        Self::Sending,
        Self::Retrying,
        Self::Uncertain,
        Self::Sent,
        Self::Delivered,
        Self::Bounced,
        Self::Complained,
        Self::Failed,
        Self::Cancelled,
        Self::Suppressed,
    ];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Suppressed => "suppressed",
        }
    }

    /// Reads [`DeliveryStatus::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more will be done about the delivery.
    pub const fn is_settled(self) -> bool {
        self.was_sent() || matches!(self, Self::Failed | Self::Cancelled | Self::Suppressed)
    }

    /// Whether the SMTP server took the mail, whatever became of it then.
    pub const fn was_sent(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Bounced | Self::Complained)
    }
}
