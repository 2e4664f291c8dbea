//! What the other end tells of a mail after the SMTP server has taken it, and what that changes.
//!
//! ```text
//! sent ──▶ delivered ──▶ bounced (soft) ──▶ bounced (hard) ──▶ complained
//! ```
//!
//! A delivery only moves to the right: whatever the order in which events come, and however often each of
//! them comes, it ends in the same state. Providers promise neither an order nor that they say a thing
//! once.

use serde::{Deserialize, Serialize};

use crate::{Delivery, DeliveryState, Timestamp};

/// What somebody who handled the mail after our SMTP server has to say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feedback {
    /// The recipient's server has taken it.
    Delivered,
    /// It came back.
    Bounced(Bounce),
    /// The recipient calls it spam.
    Complained,
}

/// Why a mail came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bounce {
    /// This mail did not get through: a full mailbox, a server that was away for days, a policy.
    Soft,
    /// No mail to this address gets through.
    Hard,
}

impl Feedback {
    /// The word in the database and on the wire for why the delivery stands where it stands;
    /// `None` if all is well.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Delivered => None,
            Self::Bounced(bounce) => Some(bounce.as_str()),
            Self::Complained => Some("complaint"),
        }
    }

    const fn state(self, sent_at: Timestamp, at: Timestamp) -> DeliveryState {
        match self {
            Self::Delivered => DeliveryState::Delivered { sent_at, at },
            Self::Bounced(bounce) => DeliveryState::Bounced { sent_at, at, bounce },
            Self::Complained => DeliveryState::Complained { sent_at, at },
        }
    }
}

impl Bounce {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Soft, Self::Hard];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft_bounce",
            Self::Hard => "hard_bounce",
        }
    }

    /// Reads [`Bounce::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bounce| bounce.as_str() == word)
    }
}

impl Delivery {
    /// What feedback makes of the delivery; `None` if it changes nothing.
    ///
    /// A mail that somebody has handled was taken by the SMTP server, whatever became of the reply: a
    /// delivery that is under way, put off or uncertain counts as sent from now on.
    pub(crate) fn told(&self, feedback: Feedback, now: Timestamp) -> Option<DeliveryState> {
        let sent_at = match self.state {
            DeliveryState::Sent { at } => at,
            DeliveryState::Delivered { sent_at, .. }
            | DeliveryState::Bounced { sent_at, .. }
            | DeliveryState::Complained { sent_at, .. } => sent_at,
            DeliveryState::Sending { .. }
            | DeliveryState::Retrying { .. }
            | DeliveryState::Uncertain { .. }
                if self.attempts > 0 =>
            {
                now
            }
            _ => return None,
        };
        let next = feedback.state(sent_at, now);
        (rank(&next) > rank(&self.state)).then_some(next)
    }
}

/// How much a state tells of what became of the mail.
const fn rank(state: &DeliveryState) -> u8 {
    match state {
        DeliveryState::Delivered { .. } => 1,
        DeliveryState::Bounced { bounce: Bounce::Soft, .. } => 2,
        DeliveryState::Bounced { bounce: Bounce::Hard, .. } => 3,
        DeliveryState::Complained { .. } => 4,
        _ => 0,
    }
}
