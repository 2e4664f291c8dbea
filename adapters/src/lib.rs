//! How the service touches the world: settings, time, randomness, secrets, logs.
//!
//! Each module hides one outside thing behind the words of the domain. Nothing here decides
//! anything about invitations; that is the `domain` crate's task.

pub mod clock;
pub mod health;
pub mod randomness;
pub mod settings;

pub use randomness::rng;
