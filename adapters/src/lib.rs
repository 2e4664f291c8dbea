//! How the service touches the world: settings, time, randomness, secrets, logs, the database, the
//! broker, mail, templates and webhooks.
//!
//! Each module hides one outside thing behind the words of the domain. Nothing here decides
//! anything about invitations; that is the `domain` crate's task.

pub mod broker;
mod certificate;
pub mod clock;
pub mod dns;
pub mod download;
pub mod failpoint;
mod gathering;
pub mod health;
pub mod mail_check;
pub mod mailer;
pub mod metrics;
pub mod password_hash;
pub mod randomness;
pub mod return_path;
pub mod seal;
pub mod secret;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod templates;
pub mod trace;
pub mod webhooks;

pub use randomness::rng;
