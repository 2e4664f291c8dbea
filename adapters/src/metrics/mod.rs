//! What a process counts and measures, for Prometheus: shared by whoever works in it, shown by its
//! `/metrics`.
//!
//! Labels come from words that this program knows. No address, name or id is one: these have no end,
//! and some are secrets.

mod labels;
mod process;
mod shown;

use std::sync::Arc;
use std::time::Duration;

use domain::{Feedback, Phase, SendOutcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use self::labels::{Claim, Ended, Heard, Outcome, Published, Request, Trouble, Waiting};

use crate::broker::Queue;

pub use self::labels::{ClaimResult, FeedbackSource, JobKind, SpanResult};
pub use self::shown::MEDIA_TYPE;

/// The counts of one process; cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

struct Inner {
    registry: Registry,
    requests: Histograms<Request>,
    created: Counter,
    published: Family<Published, Counter>,
    publishing: Histogram,
    claims: Family<Claim, Counter>,
    attempts: Histograms<Outcome>,
    trouble: Family<Trouble, Counter>,
    until_sent: Histogram,
    heard: Family<Heard, Counter>,
    anonymized: Counter,
    pruned: Counter,
    mail_trouble: Gauge,
    outbox_waiting: Gauge,
    outbox_oldest: Gauge,
    queued: Family<Waiting, Gauge>,
    queued_oldest: Gauge,
    connections_used: Gauge,
    connections_idle: Gauge,
    spans: Family<Ended, Counter>,
}

/// From a quick answer to the longest that a request or an attempt may take, in seconds.
const MOMENTS: [f64; 12] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// From at once to the end of all attempts, in seconds.
const WAITS: [f64; 15] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0, 120.0, 600.0, 3600.0, 21_600.0,
    259_200.0,
];

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Inner::new()))
    }
}

impl Inner {
    fn new() -> Self {
        let mut inner = Self {
            registry: Registry::default(),
            requests: Family::new_with_constructor(moments),
            created: Counter::default(),
            published: Family::default(),
            publishing: moments(),
            claims: Family::default(),
            attempts: Family::new_with_constructor(moments),
            trouble: Family::default(),
            until_sent: Histogram::new(WAITS),
            heard: Family::default(),
            anonymized: Counter::default(),
            pruned: Counter::default(),
            mail_trouble: Gauge::default(),
            outbox_waiting: Gauge::default(),
            outbox_oldest: Gauge::default(),
            queued: Family::default(),
            queued_oldest: Gauge::default(),
            connections_used: Gauge::default(),
            connections_idle: Gauge::default(),
            spans: Family::default(),
        };
        for queue in Queue::ALL {
            inner.queued.get_or_create(&Waiting { queue: queue.as_str() }).set(0);
        }
        process::register(&mut inner.registry);
        inner.register();
        inner.register_waiting();
        inner
    }

    /// What waits, as of the scrape.
    fn register_waiting(&mut self) {
        let registry = self.registry.sub_registry_with_prefix("welcomat");
        registry.register(
            "outbox_waiting",
            "Jobs that are due and not published, as of this scrape",
            self.outbox_waiting.clone(),
        );
        registry.register_with_unit(
            "outbox_oldest_due",
            "For how long the oldest of them has been due; 0 if there is none",
            Unit::Seconds,
            self.outbox_oldest.clone(),
        );
        registry.register(
            "queue_jobs",
            "Jobs in the broker that no worker has in hand, by queue, as of this scrape",
            self.queued.clone(),
        );
        registry.register_with_unit(
            "mail_oldest_queued",
            "For how long the oldest mail has waited for a worker; 0 if there is none",
            Unit::Seconds,
            self.queued_oldest.clone(),
        );
    }

    fn register(&mut self) {
        let registry = self.registry.sub_registry_with_prefix("welcomat");
        registry.register_with_unit(
            "http_request_duration",
            "Requests, from their head to the head of the answer",
            Unit::Seconds,
            self.requests.clone(),
        );
        registry.register(
            "invitations_created",
            "Invitations recorded one at a time or in a request for many",
            self.created.clone(),
        );
        registry.register(
            "outbox_published",
            "Jobs that the relay gave to the broker, by whether it confirmed them",
            self.published.clone(),
        );
        registry.register_with_unit(
            "outbox_publish_duration",
            "A batch of jobs, from publishing to the last confirm",
            Unit::Seconds,
            self.publishing.clone(),
        );
        registry.register(
            "jobs_claimed",
            "Jobs that a worker received, by kind and by what the claim came to",
            self.claims.clone(),
        );
        registry.register_with_unit(
            "attempt_duration",
            "Attempts to deliver, from the claim to the report, by how they ended",
            Unit::Seconds,
            self.attempts.clone(),
        );
        registry.register(
            "smtp_trouble",
            "Attempts that did not succeed, by the phase of the conversation that ended them",
            self.trouble.clone(),
        );
        registry.register_with_unit(
            "mail_sent_after",
            "From the request for a mail to the SMTP server's 250",
            Unit::Seconds,
            self.until_sent.clone(),
        );
        registry.register(
            "feedback_heard",
            "What the other end told of mails, by who said it and what; repeats count as well",
            self.heard.clone(),
        );
        registry.register(
            "retention_anonymized",
            "Invitations that were made anonymous because they ended long ago",
            self.anonymized.clone(),
        );
        registry.register(
            "retention_deleted",
            "Events, attempts and mails that were deleted because they are old",
            self.pruned.clone(),
        );
        registry.register(
            "mail_trouble",
            "1 while the mail server cannot be used: mails wait, none fails",
            self.mail_trouble.clone(),
        );
        registry.register(
            "database_connections_used",
            "Connections to the database that are at work, as of this scrape",
            self.connections_used.clone(),
        );
        registry.register(
            "database_connections_idle",
            "Connections to the database that are open and free, as of this scrape",
            self.connections_idle.clone(),
        );
        registry.register(
            "trace_spans",
            "Spans of traces, by what became of them; none where nothing is traced",
            self.spans.clone(),
        );
    }
}

fn moments() -> Histogram {
    Histogram::new(MOMENTS)
}

impl Metrics {
    /// A request was answered; `route` is the pattern, never the path.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let request = Request::new(method, route, status);
        self.0.requests.get_or_create(&request).observe(took.as_secs_f64());
    }

    /// Invitations were recorded.
    pub fn created(&self, invitations: usize) {
        self.0.created.inc_by(invitations as u64);
    }

    /// The relay has published a batch, or has not.
    pub fn published(&self, confirmed: usize, unconfirmed: usize, took: Duration) {
        let count = |result, jobs: usize| {
            self.0.published.get_or_create(&Published { result }).inc_by(jobs as u64);
        };
        count("confirmed", confirmed);
        count("unconfirmed", unconfirmed);
        self.0.publishing.observe(took.as_secs_f64());
    }

    /// A worker has asked for what a job names.
    pub fn claimed(&self, kind: JobKind, result: ClaimResult) {
        self.0.claims.get_or_create(&Claim { kind: kind.as_str(), result: result.as_str() }).inc();
    }

    /// An attempt has ended; `outcome` is one of the words that reports have.
    pub fn attempt(&self, kind: JobKind, outcome: &'static str, took: Duration) {
        let labels = Outcome { kind: kind.as_str(), outcome };
        self.0.attempts.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// What an attempt to send a mail met, if it was no success.
    pub fn smtp_trouble(&self, phase: Phase, outcome: &SendOutcome) {
        let labels = Trouble { phase: phase.as_str(), outcome: outcome.as_str() };
        self.0.trouble.get_or_create(&labels).inc();
    }

    /// Somebody who proved who they are told what became of a mail of ours.
    pub fn heard(&self, source: FeedbackSource, feedback: Feedback) {
        // All is well without a reason.
        let kind = feedback.reason().unwrap_or("delivered");
        self.0.heard.get_or_create(&Heard { source: source.as_str(), kind }).inc();
    }

    /// So many spans have ended and came to this.
    pub fn spans(&self, result: SpanResult, spans: usize) {
        self.0.spans.get_or_create(&Ended { result: result.as_str() }).inc_by(spans as u64);
    }

    /// A mail is sent, so long after it was asked for.
    pub fn sent_after(&self, wait: Duration) {
        self.0.until_sent.observe(wait.as_secs_f64());
    }

    /// Invitations tell of nobody any more.
    pub fn anonymized(&self, invitations: u64) {
        self.0.anonymized.inc_by(invitations);
    }

    /// Rows of the history are gone.
    pub fn pruned(&self, rows: u64) {
        self.0.pruned.inc_by(rows);
    }
}
