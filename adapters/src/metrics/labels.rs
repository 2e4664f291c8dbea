//! The labels of metrics, each with as many values as there are words for it.

use prometheus_client::encoding::EncodeLabelSet;

/// What a job is about.
#[derive(Debug, Clone, Copy)]
pub enum JobKind {
    /// A mail.
    Email,
    /// An event, for an endpoint.
    Webhook,
    /// A mail that shows what a template makes.
    TestMail,
}

/// What came of a claim.
#[derive(Debug, Clone, Copy)]
pub enum ClaimResult {
    /// There is something to do.
    Claimed,
    /// It is done, in other hands, not due or void.
    Nothing,
    /// The database did not say in time; the job comes again.
    Failed,
}

/// What became of a span that has ended.
#[derive(Debug, Clone, Copy)]
pub enum SpanResult {
    /// The collector has it.
    Exported,
    /// The collector did not take it.
    Failed,
    /// Too many waited already.
    Dropped,
}

impl JobKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::TestMail => "test_mail",
        }
    }
}

impl ClaimResult {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Nothing => "nothing",
            Self::Failed => "failed",
        }
    }
}

/// Who tells what became of mails.
#[derive(Debug, Clone, Copy)]
pub enum FeedbackSource {
    /// Amazon SES, by SNS.
    Ses,
    /// `SendGrid`.
    Sendgrid,
    /// Postmark.
    Postmark,
    /// Mailgun.
    Mailgun,
    /// A bounce mail (RFC 3464).
    Dsn,
    /// A feedback report (RFC 5965).
    Arf,
}

impl FeedbackSource {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Sendgrid => "sendgrid",
            Self::Postmark => "postmark",
            Self::Mailgun => "mailgun",
            Self::Dsn => "dsn",
            Self::Arf => "arf",
        }
    }
}

impl SpanResult {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exported => "exported",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

/// What the relay has published.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Published {
    pub(super) result: &'static str,
}

/// Where jobs wait for workers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Waiting {
    pub(super) queue: &'static str,
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ended {
    pub(super) result: &'static str,
}

/// A job that was received.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Claim {
    pub(super) kind: &'static str,
    pub(super) result: &'static str,
}

/// What was told of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Heard {
    pub(super) source: &'static str,
    pub(super) kind: &'static str,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Outcome {
    pub(super) kind: &'static str,
    pub(super) outcome: &'static str,
}

/// Where an SMTP conversation went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Trouble {
    pub(super) phase: &'static str,
    pub(super) outcome: &'static str,
}

/// RFC 9110 and 5789; a client may send any word as a method, which would be a label without end.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

impl Request {
    pub(super) fn new(method: &str, route: &str, status: u16) -> Self {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        Self { method, route: route.to_owned(), status }
    }
}
