//! The section about telling endpoints of events.

use std::time::Duration;

use domain::RetryPolicy;
use serde::Serialize;

use super::source::Leaves;
use super::{SettingsError, duration};

/// Webhooks.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookSettings {
    /// How long an endpoint may take to answer.
    #[serde(serialize_with = "duration::serialize")]
    pub timeout: Duration,
    /// Endpoints that one worker speaks to at the same time; never 0.
    pub concurrency: u16,
    /// The pause after the first, second, … attempt; the last one recurs.
    #[serde(serialize_with = "duration::serialize_list")]
    pub pauses: Vec<Duration>,
    /// How long one event is tried.
    #[serde(serialize_with = "duration::serialize")]
    pub give_up_after: Duration,
    /// After how long without a success an endpoint is switched off.
    #[serde(serialize_with = "duration::serialize")]
    pub disable_after: Duration,
    /// How long the old secret signs beside a new one.
    #[serde(serialize_with = "duration::serialize")]
    pub rotation_overlap: Duration,
    /// How long what was told is kept.
    #[serde(serialize_with = "duration::serialize")]
    pub keep: Duration,
    /// Endpoints that one organization may have.
    pub per_organization: u32,
    /// Ports that an endpoint may have; empty for any.
    #[serde(serialize_with = "serialize_ports")]
    pub ports: Vec<u16>,
    /// Whether an endpoint may do without TLS.
    pub allow_http: bool,
    /// Whether an endpoint may be in a private network or on this machine.
    pub allow_private_addresses: bool,
}

impl WebhookSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            timeout: values.duration("webhooks.timeout")?,
            concurrency: values.number("webhooks.concurrency", 1..=400)?,
            pauses: values.durations("webhooks.pauses")?,
            give_up_after: values.duration("webhooks.give_up_after")?,
            disable_after: values.duration("webhooks.disable_after")?,
            rotation_overlap: values.duration("webhooks.rotation_overlap")?,
            keep: values.duration("webhooks.keep")?,
            per_organization: values.number("webhooks.per_organization", 0..=100)?,
            ports: values.list("webhooks.ports", port)?,
            allow_http: values.flag("webhooks.allow_http")?,
            allow_private_addresses: values.flag("webhooks.allow_private_addresses")?,
        })
    }

    /// The part of it that the domain decides by.
    pub fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            pauses: self.pauses.clone(),
            give_up_after: self.give_up_after,
            // A repeat is harmless, so nothing is ever uncertain.
            uncertain_pause: Duration::ZERO,
        }
    }

    /// How long an attempt belongs to its worker: the endpoint's time, and as much again for the name,
    /// a slow database and a pause of the machine.
    pub fn lease(&self) -> Duration {
        self.timeout * 4
    }
}

fn port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| format!("must list ports such as \"443\", not {text:?}"))
}

/// As the file has them.
fn serialize_ports<S: serde::Serializer>(ports: &[u16], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(ports.iter().map(u16::to_string))
}
