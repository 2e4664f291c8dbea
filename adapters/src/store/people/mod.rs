//! People who want to know what is held about them, or to be forgotten: everything that names an
//! address or a person is found here, whatever feature wrote it.
//!
//! A new column that can tell of a person belongs into `found`, which exports and erases start from;
//! `app/tests/it/people` plants somebody in every feature and looks at every column of every table.

mod anonymous;
mod erase;
mod export;
mod found;
mod person;
mod retention;
mod rows;
mod traces;

use domain::{EmailAddress, InvitationId, OrganizationId};
use serde::Serialize;
use utoipa::ToSchema;

pub use export::{PersonExport, PersonMembership, PersonUser};
pub(super) use person::NOBODY;

/// Where somebody is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In one organization.
    Organization(OrganizationId),
    /// In all of them.
    Instance,
}

/// How an erasure ended.
#[derive(Debug)]
pub enum EraseOutcome {
    /// Nothing is left that tells of the person.
    Erased(Box<Erased>),
    /// A worker has a mail to the person in hand: once it is done, ask again.
    SendingNow,
}

/// What was changed so that it does not tell of the person any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ErasedPerson)]
pub struct Erased {
    /// Invitations that have neither address, names nor metadata any more.
    #[schema(example = 2)]
    pub invitations: u64,
    /// Those of them that were open and are revoked.
    #[schema(example = 1)]
    pub revoked: u64,
    /// Places in organizations; whoever had one is no member any more.
    #[schema(example = 1)]
    pub memberships: u64,
    /// Whether the person's own record, name and password are gone; not if another organization still
    /// knows them.
    #[schema(example = true)]
    pub user: bool,
    /// Entries of lists of those who get no mail: they stay in force, without the address.
    #[schema(example = 0)]
    pub suppressions: u64,
    /// Rows of batches.
    #[schema(example = 0)]
    pub batch_rows: u64,
    /// Events as webhooks were, or are to be, told of them.
    #[schema(example = 3)]
    pub announcements: u64,
    /// Answers that are kept for requests with an `Idempotency-Key`.
    #[schema(example = 1)]
    pub answers: u64,
    /// Mails of templates that the person wanted to see, or was to see.
    #[schema(example = 0)]
    pub test_mails: u64,
    /// Captured mails that this process had.
    #[schema(example = 0)]
    pub captured_mails: u64,
    /// Which invitations, for whoever keeps mails elsewhere.
    #[serde(skip)]
    pub of: Vec<InvitationId>,
    /// Those that are for somebody else by now: only some of their mails went to the person.
    #[serde(skip)]
    pub formerly_of: Vec<InvitationId>,
    /// What the person was called, for the same.
    #[serde(skip)]
    pub names: Vec<String>,
}

/// Whether an address is that of nobody: of whoever was erased.
pub(super) fn is_nobody(email: &EmailAddress) -> bool {
    email.normalized() == NOBODY
}
