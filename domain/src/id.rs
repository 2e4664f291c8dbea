//! Typed identifiers: a `UUIDv7` that remembers what it identifies.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::Timestamp;

/// A `UUIDv7` (RFC 9562 §5.7) that names a `T` and nothing else.
///
/// Version 7 grows with time, so rows that are made together lie together in every index.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// Makes an id that sorts by `now`; `rng` must be fit for cryptography where the id is a token.
    pub fn new(now: Timestamp, rng: &mut impl Rng) -> Self {
        let mut random = [0_u8; 10];
        rng.fill_bytes(&mut random);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Takes over an id that was stored or sent.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare value, for a database column.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// What an [`Id`] may name.
pub mod kind {
    /// See [`super::OrganizationId`].
    pub enum Organization {}
    /// See [`super::UserId`].
    pub enum User {}
    /// See [`super::MembershipId`].
    pub enum Membership {}
    /// See [`super::InvitationId`].
    pub enum Invitation {}
    /// See [`super::DeliveryId`].
    pub enum Delivery {}
    /// See [`super::AttemptToken`].
    pub enum Attempt {}
    /// See [`super::OutboxId`].
    pub enum Outbox {}
    /// See [`super::LockToken`].
    pub enum Lock {}
    /// See [`super::EventId`].
    pub enum Event {}
    /// See [`super::ApiKeyId`].
    pub enum ApiKey {}
    /// See [`super::SuppressionId`].
    pub enum Suppression {}
    /// See [`super::DeadLetterId`].
    pub enum DeadLetter {}
    /// See [`super::WebhookId`].
    pub enum Webhook {}
    /// See [`super::WebhookDeliveryId`].
    pub enum WebhookDelivery {}
    /// See [`super::BatchId`].
    pub enum Batch {}
    /// See [`super::BatchRowId`].
    pub enum BatchRow {}
    /// See [`super::TestMailId`].
    pub enum TestMail {}
    /// See [`super::WorkerId`].
    pub enum Worker {}
}

/// Names an organization of the product that invites.
pub type OrganizationId = Id<kind::Organization>;
/// Names a person, across organizations.
pub type UserId = Id<kind::User>;
/// Names a person's place in one organization.
pub type MembershipId = Id<kind::Membership>;
/// Names an invitation.
pub type InvitationId = Id<kind::Invitation>;
/// Names the sending of one mail.
pub type DeliveryId = Id<kind::Delivery>;
/// Names one worker's try at a delivery; only its holder may report.
pub type AttemptToken = Id<kind::Attempt>;
/// Names a row that waits to be published.
pub type OutboxId = Id<kind::Outbox>;
/// Names one relay's hold on outbox rows; only its holder may settle them.
pub type LockToken = Id<kind::Lock>;
/// Names an entry of the audit log.
pub type EventId = Id<kind::Event>;
/// Names an API key (not the key itself).
pub type ApiKeyId = Id<kind::ApiKey>;
/// Names a broker message that nobody could process.
pub type DeadLetterId = Id<kind::DeadLetter>;
/// Names an address that an organization must not write to.
pub type SuppressionId = Id<kind::Suppression>;
/// Names an endpoint that is told of events.
pub type WebhookId = Id<kind::Webhook>;
/// Names the telling of one event to one endpoint; the receiver knows it as `webhook-id`.
pub type WebhookDeliveryId = Id<kind::WebhookDelivery>;
/// Names many invitations that were asked for at once.
pub type BatchId = Id<kind::Batch>;
/// Names one row of a batch.
pub type BatchRowId = Id<kind::BatchRow>;
/// Names a mail that somebody asked for to see what a template makes.
pub type TestMailId = Id<kind::TestMail>;
/// Names a worker that is running.
pub type WorkerId = Id<kind::Worker>;

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> FromStr for Id<T> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self::from_uuid)
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}
