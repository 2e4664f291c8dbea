//! What the audit log records, and which of it others are told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One line for each kind of event: its description, its name in the log, and, if others are told of
/// it, the type that webhooks and the exchange use. Token trees, because utoipa does not see through
/// what a macro has matched as a literal.
macro_rules! kinds {
    ($($(#[doc = $description:tt])+ $kind:ident = $name:tt $(, told as $told:literal)?;)+) => {
        /// A thing that happened, by the name that the log uses.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        pub enum EventKind {
            $($(#[doc = $description])+ #[serde(rename = $name)] $kind,)+
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The name in the database and in the timeline.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// The type by which others are told; `None` for what stays in the house.
            pub const fn told_as(self) -> Option<&'static str> {
                match self {
                    $(Self::$kind => kinds!(@told $($told)?),)+
                }
            }
        }
    };
    (@told $told:literal) => { Some($told) };
    (@told) => { None };
}

kinds! {
    /// An invitation was recorded.
    InvitationCreated = "invitation.created", told as "invitation.created";
    /// Its mail was asked for again, with a new secret.
    InvitationResent = "invitation.resent", told as "invitation.resent";
    /// Its mail, which has not been sent yet, goes out at another time.
    InvitationRescheduled = "invitation.rescheduled", told as "invitation.rescheduled";
    /// It ends at another time than before.
    InvitationExtended = "invitation.extended", told as "invitation.extended";
    /// Its link was opened for the first time, by the invitee or by a program that reads their mail.
    OpenedPage = "invitation.opened_page", told as "invitation.opened_page";
    /// It is for another address: what went to the one before is void.
    AddressChanged = "invitation.address_changed", told as "invitation.address_changed";
    /// The invitee joined.
    InvitationAccepted = "invitation.accepted", told as "invitation.accepted";
    /// The invitee said no.
    InvitationDeclined = "invitation.declined", told as "invitation.declined";
    /// The inviter took it back.
    InvitationRevoked = "invitation.revoked", told as "invitation.revoked";
    /// Nobody answered in time.
    InvitationExpired = "invitation.expired", told as "invitation.expired";
    /// The API gave the caller a temporary password, because no mail carries one.
    PasswordIssued = "invitation.password_issued";
    /// Somebody tried to answer it after its end; only the first time.
    LateAnswer = "invitation.late_answer";
    /// The invitee did not expect it: no mail of the organization goes to the address any more.
    Unwanted = "invitation.unwanted";
    /// The invitee asks for a new link after the invitation's time has passed.
    LinkRequested = "invitation.link_requested", told as "invitation.link_requested";
    /// Too many wrong temporary passwords: the right one does not work any more, the link does.
    PasswordLocked = "invitation.password_locked";
    /// A member left the organization.
    MemberRemoved = "member.removed";
    /// Too few invitations are accepted: the organization sends none until an operator trusts it.
    SendingPaused = "organization.sending_paused";
    /// What the organization allows of its invitations has changed.
    PolicyChanged = "organization.policy_changed";
    /// How the organization looks on the pages behind its links has changed.
    BrandingChanged = "organization.branding_changed";
    /// An operator vouches for the organization.
    OrganizationTrusted = "organization.trusted";
    /// An operator does not vouch for the organization any more.
    OrganizationUntrusted = "organization.untrusted";
    /// The organization's mails are made from another template of its own, or from none.
    TemplateChanged = "template.changed";
    /// A mail was asked for, to see what a template makes.
    TemplateTested = "template.tested";
    /// No row of a batch waits any more.
    BatchFinished = "batch.finished", told as "batch.finished";
    /// The SMTP server took the mail.
    DeliverySent = "delivery.sent", told as "invitation.sent";
    /// The SMTP server took a reminder.
    ReminderSent = "reminder.sent", told as "invitation.reminder_sent";
    /// The mail was given up.
    DeliveryFailed = "delivery.failed", told as "invitation.delivery_failed";
    /// The recipient's server has taken the mail.
    DeliveryDelivered = "delivery.delivered", told as "invitation.delivered";
    /// The mail came back after it was sent.
    DeliveryBounced = "delivery.bounced", told as "invitation.bounced";
    /// The invitee calls the mail spam: no mail of the organization goes to the address any more.
    DeliveryComplained = "delivery.complained", told as "invitation.complained";
    /// An address was taken off the list of those that get no mail.
    SuppressionLifted = "suppression.lifted";
    /// An address was put on the list of those that get no mail.
    SuppressionAdded = "suppression.added";
    /// Everything held about a person was handed out.
    PersonExported = "person.exported";
    /// A person was erased: what is left tells nothing of them.
    PersonErased = "person.erased";
}

/// The type of the event that is sent on demand to try an endpoint.
pub const TEST_TYPE: &str = "webhook.test";

/// All types that a webhook can ask for.
pub fn told_types() -> impl Iterator<Item = &'static str> {
    EventKind::ALL.iter().filter_map(|kind| kind.told_as())
}
