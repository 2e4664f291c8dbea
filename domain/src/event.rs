//! What the audit log records.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A thing that happened, by the name that webhooks and the log use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum EventKind {
    /// An invitation was recorded.
    #[serde(rename = "invitation.created")]
    InvitationCreated,
    /// Its mail was asked for again, with a new secret.
    #[serde(rename = "invitation.resent")]
    InvitationResent,
    /// It ends at another time than before.
    #[serde(rename = "invitation.extended")]
    InvitationExtended,
    /// The invitee joined.
    #[serde(rename = "invitation.accepted")]
    InvitationAccepted,
    /// The invitee said no.
    #[serde(rename = "invitation.declined")]
    InvitationDeclined,
    /// The inviter took it back.
    #[serde(rename = "invitation.revoked")]
    InvitationRevoked,
    /// Nobody answered in time.
    #[serde(rename = "invitation.expired")]
    InvitationExpired,
    /// The API gave the caller a temporary password, because no mail carries one.
    #[serde(rename = "invitation.password_issued")]
    PasswordIssued,
    /// Somebody tried to answer it after its end; only the first time.
    #[serde(rename = "invitation.late_answer")]
    LateAnswer,
    /// The invitee did not expect it: no mail of the organization goes to the address any more.
    #[serde(rename = "invitation.unwanted")]
    Unwanted,
    /// The invitee asks for a new link after the invitation's time has passed.
    #[serde(rename = "invitation.link_requested")]
    LinkRequested,
    /// Too many wrong temporary passwords: the right one does not work any more, the link does.
    #[serde(rename = "invitation.password_locked")]
    PasswordLocked,
    /// A member left the organization.
    #[serde(rename = "member.removed")]
    MemberRemoved,
    /// Too few invitations are accepted: the organization sends none until an operator trusts it.
    #[serde(rename = "organization.sending_paused")]
    SendingPaused,
    /// An operator vouches for the organization.
    #[serde(rename = "organization.trusted")]
    OrganizationTrusted,
    /// An operator does not vouch for the organization any more.
    #[serde(rename = "organization.untrusted")]
    OrganizationUntrusted,
    /// The SMTP server took the mail.
    #[serde(rename = "delivery.sent")]
    DeliverySent,
    /// The mail was given up.
    #[serde(rename = "delivery.failed")]
    DeliveryFailed,
}

impl EventKind {
    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvitationCreated => "invitation.created",
            Self::InvitationResent => "invitation.resent",
            Self::InvitationExtended => "invitation.extended",
            Self::InvitationAccepted => "invitation.accepted",
            Self::InvitationDeclined => "invitation.declined",
            Self::InvitationRevoked => "invitation.revoked",
            Self::InvitationExpired => "invitation.expired",
            Self::PasswordIssued => "invitation.password_issued",
            Self::LateAnswer => "invitation.late_answer",
            Self::Unwanted => "invitation.unwanted",
            Self::LinkRequested => "invitation.link_requested",
            Self::PasswordLocked => "invitation.password_locked",
            Self::MemberRemoved => "member.removed",
            Self::SendingPaused => "organization.sending_paused",
            Self::OrganizationTrusted => "organization.trusted",
            Self::OrganizationUntrusted => "organization.untrusted",
            Self::DeliverySent => "delivery.sent",
            Self::DeliveryFailed => "delivery.failed",
        }
    }
}
