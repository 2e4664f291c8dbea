//! The sections about what goes on without a request: worker, retries, relay, sweep and log.

use std::net::SocketAddr;
use std::time::Duration;

use domain::RetryPolicy;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::source::Leaves;
use super::{SettingsError, duration};

/// More jobs than these are never in hand.
const MOST_IN_HAND: u16 = 10_000;

/// The sending worker.
#[derive(Debug, Clone, Serialize)]
pub struct WorkerSettings {
    /// Connections to the mail server used at the same time, at most.
    pub concurrency: usize,
    /// Jobs in hand at the same time; never 0.
    pub prefetch: u16,
    /// Mails for one recipient domain at the same time; 0 is no limit.
    pub domain_at_once: u32,
    /// Mails for one recipient domain in a minute; 0 is no limit.
    pub domain_per_minute: u32,
    /// How long one attempt belongs to one worker.
    #[serde(serialize_with = "duration::serialize")]
    pub lease: Duration,
    /// How long running attempts may take to finish.
    #[serde(serialize_with = "duration::serialize")]
    pub shutdown_grace: Duration,
    /// How often to look for deliveries whose worker died.
    #[serde(serialize_with = "duration::serialize")]
    pub rescue_interval: Duration,
    /// When a job counts as lost in the broker.
    #[serde(serialize_with = "duration::serialize")]
    pub requeue_after: Duration,
    /// Where a worker of its own tells how it is.
    pub http_bind: Option<SocketAddr>,
}

/// When mails are tried again.
#[derive(Debug, Clone, Serialize)]
pub struct RetrySettings {
    /// The pause after the first, second, … attempt; the last one recurs.
    #[serde(serialize_with = "duration::serialize_list")]
    pub pauses: Vec<Duration>,
    /// How long after its creation a delivery is given up.
    #[serde(serialize_with = "duration::serialize")]
    pub give_up_after: Duration,
    /// The pause before a mail is repeated that may have arrived.
    #[serde(serialize_with = "duration::serialize")]
    pub uncertain_pause: Duration,
    /// The first pause while the mail server cannot be used.
    #[serde(serialize_with = "duration::serialize")]
    pub breaker_min: Duration,
    /// The longest such pause.
    #[serde(serialize_with = "duration::serialize")]
    pub breaker_max: Duration,
}

/// From the outbox to the broker.
#[derive(Debug, Clone, Serialize)]
pub struct RelaySettings {
    /// Rows published at once.
    pub batch: u64,
    /// How often to look when nothing was due.
    #[serde(serialize_with = "duration::serialize")]
    pub idle_poll: Duration,
    /// How often to look when something was due.
    #[serde(serialize_with = "duration::serialize")]
    pub busy_poll: Duration,
    /// How long claimed rows stay claimed.
    #[serde(serialize_with = "duration::serialize")]
    pub lock: Duration,
}

/// The lifetime of invitations.
#[derive(Debug, Clone, Serialize)]
pub struct InvitationSettings {
    /// How long an invitation can be accepted.
    #[serde(serialize_with = "duration::serialize")]
    pub expires_in: Duration,
    /// How long its temporary password works.
    #[serde(serialize_with = "duration::serialize")]
    pub temporary_password_valid_for: Duration,
    /// How often overdue invitations are closed.
    #[serde(serialize_with = "duration::serialize")]
    pub expiry_sweep: Duration,
    /// The language of invitations that name none.
    pub locale: String,
    /// For so many days after its end an invitee can have an expired invitation mailed once more.
    pub new_link_days: u32,
    /// For so many minutes the links before a resend stay good beside its own; 0: not at all.
    pub link_overlap_minutes: u32,
}

/// The shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
}

/// The log.
#[derive(Debug, Clone, Serialize)]
pub struct LogSettings {
    /// The shape of its lines.
    pub format: LogFormat,
    /// Which lines, as in `RUST_LOG`.
    pub filter: String,
}

impl WorkerSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        let concurrency: u16 = values.number("worker.concurrency", 1..=1024)?;
        let prefetch = match values.number("worker.prefetch", 0..=MOST_IN_HAND)? {
            // Enough that no connection waits for a claim, a rendering or a report.
            0 => (concurrency * 16).min(MOST_IN_HAND),
            some => some,
        };
        Ok(Self {
            concurrency: usize::from(concurrency),
            prefetch,
            domain_at_once: values.number("worker.domain_at_once", 0..=1024)?,
            domain_per_minute: values.number("worker.domain_per_minute", 0..=1_000_000)?,
            lease: values.duration("worker.lease")?,
            shutdown_grace: values.duration("worker.shutdown_grace")?,
            rescue_interval: values.duration("worker.rescue_interval")?,
            requeue_after: values.duration("worker.requeue_after")?,
            http_bind: values.text("worker.http_bind", |text| match text {
                "" => Ok(None),
                text => text.parse().map(Some).map_err(|_| {
                    "must be empty or an address with a port, such as 0.0.0.0:9090".to_owned()
                }),
            })?,
        })
    }
}

impl RetrySettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            pauses: values.durations("retry.pauses")?,
            give_up_after: values.duration("retry.give_up_after")?,
            uncertain_pause: values.duration("retry.uncertain_pause")?,
            breaker_min: values.duration("retry.breaker_min")?,
            breaker_max: values.duration("retry.breaker_max")?,
        })
    }

    /// The part of it that the domain decides by.
    pub fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            pauses: self.pauses.clone(),
            give_up_after: self.give_up_after,
            uncertain_pause: self.uncertain_pause,
        }
    }
}

impl RelaySettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            batch: values.number("relay.batch", 1..=10_000)?,
            idle_poll: values.duration("relay.idle_poll")?,
            busy_poll: values.duration("relay.busy_poll")?,
            lock: values.duration("relay.lock")?,
        })
    }
}

impl InvitationSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            expires_in: values.duration("invitation.expires_in")?,
            temporary_password_valid_for: values
                .duration("invitation.temporary_password_valid_for")?,
            expiry_sweep: values.duration("invitation.expiry_sweep")?,
            locale: values.text("invitation.locale", |text| {
                let wrong = || format!("must be a language tag such as en or pt-BR, not {text:?}");
                domain::is_locale(text).then(|| text.to_owned()).ok_or_else(wrong)
            })?,
            new_link_days: values.number("invitation.new_link_days", 0..=3650)?,
            link_overlap_minutes: values.number("invitation.link_overlap_minutes", 0..=10_080)?,
        })
    }

    /// How long the links and passwords of earlier mails stay good once the mail of a resend is made.
    pub fn link_overlap(&self) -> Duration {
        Duration::from_mins(self.link_overlap_minutes.into())
    }
}

impl LogSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            format: values.text("log.format", |text| match text {
                "text" => Ok(LogFormat::Text),
                "json" => Ok(LogFormat::Json),
                other => Err(format!("must be text or json, not {other:?}")),
            })?,
            filter: values.text("log.filter", |text| match EnvFilter::try_new(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("is not a filter: {error}")),
            })?,
        })
    }
}
