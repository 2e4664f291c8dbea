//! The message that travels through the broker: a kind, a version, an id and a generation.
//!
//! It is a hint, not a fact: losing, repeating or forging one changes nothing but latency,
//! because the worker acts only on what it can claim in the database.

use serde::{Deserialize, Serialize};

use crate::{DeliveryId, Generation};

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
}

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
    id: DeliveryId,
    generation: Generation,
}

const EMAIL: &str = "email";

impl Job {
    /// The bytes for the broker.
    pub fn encode(&self) -> Vec<u8> {
        let Self::V1(JobV1::Email { delivery, generation }) = *self;
        let envelope = Envelope { kind: EMAIL.to_owned(), version: 1, id: delivery, generation };
        // Strings and numbers only: there is nothing in it that could fail to serialize.
        serde_json::to_vec(&envelope).unwrap_or_default()
    }

    /// Reads what [`Job::encode`] wrote; unknown fields are left alone for later versions.
    pub fn decode(bytes: &[u8]) -> Result<Self, JobError> {
        let Head { kind, version } = serde_json::from_slice(bytes)?;
        match (kind.as_str(), version) {
            (EMAIL, 1) => {
                let Envelope { id, generation, .. } = serde_json::from_slice(bytes)?;
                Ok(Self::V1(JobV1::Email { delivery: id, generation }))
            }
            _ => Err(JobError::Unknown { kind, version }),
        }
    }
}
