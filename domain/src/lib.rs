//! What an invitation and the delivery of its mail may be, and how they change.
//!
//! Pure: no I/O, no clock, no randomness of its own; times and generators are arguments.
//! Read in this order: [`invitation`] and [`delivery`] are the two state machines, [`outcome`] says
//! how an SMTP conversation ended and what that means, [`feedback`] what is heard of a mail later, [`retry`] when to try again, [`job`] what
//! travels through the broker, [`batch`] what many at once are, [`event`] what others are told and [`webhook`] how they are.

pub mod batch;
pub mod branding;
pub mod credential_policy;
pub mod delivery;
pub mod delivery_kind;
pub mod disposable;
pub mod email_address;
pub mod event;
pub mod failure;
pub mod feedback;
pub mod id;
pub mod invitation;
pub mod job;
pub mod limit;
pub mod link_token;
pub mod locale;
pub mod mailbox;
pub mod membership;
pub mod name;
pub mod outcome;
pub mod policy;
pub mod position;
pub mod retry;
pub mod role;
pub mod role_address;
pub mod secret;
pub mod standing;
pub mod suppression;
pub mod test_mail;
pub mod webhook;

pub use batch::{BatchMode, BatchRowStatus, BatchStatus};
pub use branding::Branding;
pub use credential_policy::CredentialPolicy;
pub use delivery::{Delivery, DeliveryState, DeliveryStatus};
pub use delivery_kind::DeliveryKind;
pub use email_address::EmailAddress;
pub use event::EventKind;
pub use failure::FailureReason;
pub use feedback::{Bounce, Feedback};
pub use id::{
    ApiKeyId, AttemptToken, BatchId, BatchRowId, DeadLetterId, DeliveryId, EventId, InvitationId,
    LockToken, MembershipId, OrganizationId, OutboxId, SuppressionId, TestMailId, UserId,
    WebhookDeliveryId, WebhookId, WorkerId,
};
pub use invitation::{Generation, Invitation, InvitationState, InvitationStatus};
pub use job::Job;
pub use limit::{Limit, SendRefusal, Window};
pub use link_token::{LinkHash, LinkToken};
pub use locale::is_locale;
pub use mailbox::Mailbox;
pub use membership::MembershipStatus;
pub use name::{LinkPolicy, Name, NamePolicy};
pub use outcome::{Phase, Reply, SendOutcome, Trouble};
pub use policy::{OrganizationPolicy, PolicyRefusal};
pub use position::{Permissions, Position};
pub use retry::RetryPolicy;
pub use role::{KeyRole, MembershipRole, RolePolicy};
pub use role_address::AddressWarning;
pub use secret::{SecretHash, TemporaryPassword};
pub use standing::{Acceptance, AcceptanceRule};
pub use suppression::SuppressionReason;
pub use test_mail::TestMailStatus;
pub use webhook::{
    WebhookDelivery, WebhookDeliveryState, WebhookDeliveryStatus, WebhookDisabledReason,
    WebhookFailure, WebhookOutcome,
};

/// Points in time; always UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
