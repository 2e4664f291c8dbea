//! The message that travels through the broker: a kind, a version, an id and a generation.
//!
//! It is a hint, not a fact: losing, repeating or forging one changes nothing but latency,
//! because the worker acts only on what it can claim in the database.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DeliveryId, Generation, TestMailId, WebhookDeliveryId};

/// A job for a worker, in any version this program understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Version 1.
    V1(JobV1),
}

/// Version 1 of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobV1 {
    /// Send the mail of one delivery.
    Email {
        /// Which delivery.
        delivery: DeliveryId,
        /// The generation it was made for; a later one makes this job void.
        generation: Generation,
    },
    /// Tell one endpoint of one event.
    Webhook {
        /// Which delivery.
        delivery: WebhookDeliveryId,
        /// The generation it was made for; a replay makes this job void.
        generation: Generation,
    },
    /// Send a mail that shows what a template makes.
    TestMail {
        /// Which one; there is one generation of it.
        mail: TestMailId,
    },
}

/// A test mail is asked for once: whoever wants another asks for another.
const ONLY: Generation = 1;

/// Why a message is no job that we know. Such a message goes to the dead letters.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not the JSON object with a kind and a version that every release writes.
    #[error("the message is not a job: {0}")]
    Malformed(#[from] serde_json::Error),
    /// From a newer release, or not ours.
    #[error("no job of kind {kind:?} in version {version} is known here; upgrade, then redrive it")]
    Unknown {
        /// What the message calls itself.
        kind: String,
        /// Its version.
        version: u32,
    },
}

/// What every version has, and all that may be asked of one that is not known here.
#[derive(Deserialize)]
struct Head {
    kind: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    kind: String,
    version: u32,
    id: Uuid,
    generation: Generation,
}

const EMAIL: &str = "email";
const WEBHOOK: &str = "webhook";
const TEST_MAIL: &str = "test_mail";

impl JobV1 {
    /// The kind, in the database and on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => EMAIL,
            Self::Webhook { .. } => WEBHOOK,
            Self::TestMail { .. } => TEST_MAIL,
        }
    }

    /// What it is about: the id of a delivery of this kind, or of a test mail.
    pub const fn subject(&self) -> Uuid {
        match self {
            Self::Email { delivery, .. } => delivery.uuid(),
            Self::Webhook { delivery, .. } => delivery.uuid(),
            Self::TestMail { mail } => mail.uuid(),
        }
    }

    /// The generation it was made for.
    pub const fn generation(&self) -> Generation {
        match self {
            Self::Email { generation, .. } | Self::Webhook { generation, .. } => *generation,
            Self::TestMail { .. } => ONLY,
        }
    }

    /// Puts the parts together again; `None` for a kind that is not known here.
    pub fn of(kind: &str, subject: Uuid, generation: Generation) -> Option<Self> {
        match kind {
            EMAIL => Some(Self::Email { delivery: DeliveryId::from_uuid(subject), generation }),
            WEBHOOK => {
                Some(Self::Webhook { delivery: WebhookDeliveryId::from_uuid(subject), generation })
            }
            TEST_MAIL => Some(Self::TestMail { mail: TestMailId::from_uuid(subject) }),
            _ => None,
        }
    }
}

impl Job {
    /// The bytes for the broker.
    pub fn encode(&self) -> Vec<u8> {
        let Self::V1(job) = self;
        let (kind, id) = (job.kind().to_owned(), job.subject());
        let envelope = Envelope { kind, version: 1, id, generation: job.generation() };
        // Strings and numbers only: there is nothing in it that could fail to serialize.
        serde_json::to_vec(&envelope).unwrap_or_default()
    }

    /// Reads what [`Job::encode`] wrote; unknown fields are left alone for later versions.
    pub fn decode(bytes: &[u8]) -> Result<Self, JobError> {
        let Head { kind, version } = serde_json::from_slice(bytes)?;
        if version != 1 || !matches!(kind.as_str(), EMAIL | WEBHOOK | TEST_MAIL) {
            return Err(JobError::Unknown { kind, version });
        }
        let Envelope { id, generation, .. } = serde_json::from_slice(bytes)?;
        let job = JobV1::of(&kind, id, generation).ok_or(JobError::Unknown { kind, version })?;
        Ok(Self::V1(job))
    }
}
