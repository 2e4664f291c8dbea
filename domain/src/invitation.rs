//! The offer to one address to join one organization, and how it ends.
//!
//! ```text
//! pending ──accept──▶ accepted      pending ──revoke──▶ revoked
//! pending ──decline─▶ declined      pending ──expire──▶ expired (only once its time has passed)
//! pending ──resend──▶ pending, next generation
//! pending ──extend──▶ pending, with another end
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{InvitationId, Timestamp};

/// Counts the secrets an invitation has had; grows with each resend, starts at 1.
pub type Generation = u32;

/// An invitation, reduced to what decides its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Which of its secrets is the current one.
    pub generation: Generation,
    /// From this moment on it can no longer be accepted.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: InvitationState,
}

/// Where an invitation stands, with what only that state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationState {
    /// Waits for the invitee.
    Pending,
    /// The invitee joined.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// The invitee said no.
    Declined {
        /// When.
        at: Timestamp,
    },
    /// The inviter took it back.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// Nobody answered in time.
    Expired {
        /// When that was noticed.
        at: Timestamp,
    },
}

/// Where an invitation stands: `pending` until it is answered, revoked, or its time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// See [`InvitationState::Pending`].
    Pending,
    /// See [`InvitationState::Accepted`].
    Accepted,
    /// See [`InvitationState::Declined`].
    Declined,
    /// See [`InvitationState::Revoked`].
    Revoked,
    /// See [`InvitationState::Expired`].
    Expired,
}

/// What can happen to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationEvent {
    /// The invitee joins.
    Accept,
    /// The invitee says no.
    Decline,
    /// The inviter takes it back.
    Revoke,
    /// The inviter wants the mail sent again, with a new secret.
    Resend,
    /// The inviter gives the invitee until another moment, later or earlier.
    Extend {
        /// When the invitation ends.
        expires_at: Timestamp,
    },
    /// The clock looks whether its time has passed.
    Expire,
}

/// An event that the invitation's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invitation {id} is {from:?} and cannot {event:?}")]
pub struct IllegalInvitationEvent {
    /// Which invitation.
    pub id: InvitationId,
    /// Where it stands.
    pub from: InvitationStatus,
    /// What was asked of it.
    pub event: InvitationEvent,
}

impl Invitation {
    /// Lets `event` happen at `now`, or says why it cannot.
    ///
    /// A pending invitation whose time has passed counts as expired for everyone but
    /// [`InvitationEvent::Expire`], whether or not anything has recorded that yet.
    pub fn apply(
        self,
        event: InvitationEvent,
        now: Timestamp,
    ) -> Result<Self, IllegalInvitationEvent> {
        let overdue = self.expires_at <= now;
        let from = match self.state.status() {
            InvitationStatus::Pending if overdue && event != InvitationEvent::Expire => {
                InvitationStatus::Expired
            }
            status => status,
        };
        let illegal = IllegalInvitationEvent { id: self.id, from, event };
        if from != InvitationStatus::Pending {
            return Err(illegal);
        }
        let state = match event {
            InvitationEvent::Accept => InvitationState::Accepted { at: now },
            InvitationEvent::Decline => InvitationState::Declined { at: now },
            InvitationEvent::Revoke => InvitationState::Revoked { at: now },
            InvitationEvent::Expire if overdue => InvitationState::Expired { at: now },
            InvitationEvent::Expire => return Err(illegal),
            InvitationEvent::Extend { expires_at } => return Ok(Self { expires_at, ..self }),
            InvitationEvent::Resend => {
                return Ok(Self { generation: self.generation + 1, ..self });
            }
        };
        Ok(Self { state, ..self })
    }
}

impl InvitationState {
    /// The state without its data.
    pub const fn status(&self) -> InvitationStatus {
        match self {
            Self::Pending => InvitationStatus::Pending,
            Self::Accepted { .. } => InvitationStatus::Accepted,
            Self::Declined { .. } => InvitationStatus::Declined,
            Self::Revoked { .. } => InvitationStatus::Revoked,
            Self::Expired { .. } => InvitationStatus::Expired,
        }
    }

    /// When the invitation ended; `None` while it is pending.
    pub const fn closed_at(&self) -> Option<Timestamp> {
        match *self {
            Self::Pending => None,
            Self::Accepted { at }
            | Self::Declined { at }
            | Self::Revoked { at }
            | Self::Expired { at } => Some(at),
        }
    }
}

impl InvitationStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Accepted, Self::Declined, Self::Revoked, Self::Expired];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Reads [`InvitationStatus::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
