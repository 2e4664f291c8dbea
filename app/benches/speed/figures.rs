//! The figures that count: each a value of the product against a limit of the same round.

use crate::limits::CONNECTIONS;
use crate::samples::Samples;
use crate::scenes::drain::SLOW;
use crate::statistics::number;

/// One figure.
pub struct Figure {
    pub id: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    /// What the limit is.
    pub against: &'static str,
    pub value: fn(&Samples) -> Option<f64>,
    /// None for figures that count as they are.
    pub limit: Option<fn(&Samples) -> Option<f64>>,
    pub better: Better,
    /// What the ratio, or the value where there is no limit, should be at the least, and what we want.
    pub at_least: f64,
    pub goal: f64,
}

/// Which direction is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// How a figure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Goal,
    AtLeast,
    Short,
}

impl Figure {
    /// What is compared with `at_least` and `goal`.
    pub fn ratio(&self, samples: &Samples) -> Option<f64> {
        let value = (self.value)(samples)?;
        match self.limit {
            None => Some(value),
            Some(limit) => Some(value / limit(samples)?),
        }
    }

    /// How a ratio stands.
    pub fn standing(&self, ratio: f64) -> Standing {
        let good = |than: f64| match self.better {
            Better::Higher => ratio >= than,
            Better::Lower => ratio <= than,
        };
        if good(self.goal) {
            Standing::Goal
        } else if good(self.at_least) {
            Standing::AtLeast
        } else {
            Standing::Short
        }
    }
}

/// All figures of the usual run. One whose parts were not measured is left out.
pub const USUAL: &[Figure] = &[
    Figure {
        id: "accepted",
        title: "accepted at 64 connections, everything running",
        unit: "/s",
        against: "the same rows by the database alone, one statement each (pgbench -c 64)",
        value: |samples| samples.get("accepted_per_s"),
        limit: Some(one_statement),
        better: Better::Higher,
        at_least: 0.35,
        goal: 0.55,
    },
    Figure {
        id: "accept_tail",
        title: "p99 of accepting at 64 connections",
        unit: "ms",
        against: "its p50",
        value: |samples| samples.get("closed_p99_ms"),
        limit: Some(|samples| samples.get("closed_p50_ms")),
        better: Better::Lower,
        at_least: 4.0,
        goal: 3.0,
    },
    Figure {
        id: "mails",
        title: "mails end to end, sink 0 ms",
        unit: "/s",
        against: "roofline: 1 / sum of the measured costs of each step, batched",
        value: |samples| samples.get("mails_per_s"),
        limit: Some(roofline),
        better: Better::Higher,
        at_least: 0.5,
        goal: 0.8,
    },
    Figure {
        id: "mails_slow",
        title: "mails from a full queue, sink 20 ms",
        unit: "/s",
        against: "16 connections / 20 ms",
        value: |samples| samples.get("slow_mails_per_s"),
        limit: Some(|_| Some(number(CONNECTIONS) / SLOW.as_secs_f64())),
        better: Better::Higher,
        at_least: 0.88,
        goal: 0.93,
    },
    Figure {
        id: "drain",
        title: "mails from a full queue, sink 0 ms",
        unit: "/s",
        against: "mails made and sent on 16 raw lettre connections with TCP_NODELAY",
        value: |samples| samples.get("drain_per_s"),
        limit: Some(|samples| samples.get("limit.lettre_made_per_s")),
        better: Better::Higher,
        at_least: 0.3,
        goal: 0.5,
    },
    Figure {
        id: "own_cpu",
        title: "own CPU per 1,000 invitations, end to end",
        unit: "s",
        against: "",
        value: |samples| samples.get("own_cpu_s_per_1000"),
        limit: None,
        better: Better::Lower,
        at_least: 0.40,
        goal: 0.25,
    },
    Figure {
        id: "memory",
        title: "peak memory (PSS) under load",
        unit: "MB",
        against: "",
        value: |samples| samples.get("pss_mb"),
        limit: None,
        better: Better::Lower,
        at_least: 60.0,
        goal: 35.0,
    },
    Figure {
        id: "bulk",
        title: "bulk of 1,000 per request, rows",
        unit: "/s",
        against: "the same rows by the database alone, 1,000 people at a time (pgbench -c 2)",
        value: |samples| samples.get("bulk_rows_per_s"),
        limit: Some(one_statement_for_many),
        better: Better::Higher,
        at_least: 0.25,
        goal: 0.5,
    },
    Figure {
        id: "broker_stopped",
        title: "accepted with RabbitMQ stopped",
        unit: "/s",
        against: "accepted with everything running",
        value: |samples| samples.get("accepted_without_broker_per_s"),
        limit: Some(|samples| samples.get("accepted_per_s")),
        better: Better::Higher,
        at_least: 0.9,
        goal: 1.0,
    },
    Figure {
        id: "mail_stopped",
        title: "accepted with SMTP stopped",
        unit: "/s",
        against: "accepted with everything running",
        value: |samples| samples.get("accepted_without_mail_per_s"),
        limit: Some(|samples| samples.get("accepted_per_s")),
        better: Better::Higher,
        at_least: 0.9,
        goal: 1.0,
    },
    Figure {
        id: "idle",
        title: "idle: from the request to sent",
        unit: "ms",
        against: "one commit + one confirm + one SMTP conversation + one commit",
        value: |samples| samples.get("idle_sent_ms"),
        limit: Some(idle),
        better: Better::Lower,
        at_least: 3.0,
        goal: 1.5,
    },
];

/// What one invitation costs at least, step by step; the names are those of the limits.
pub const STEPS: &[(&str, &str)] = &[
    ("HTTP", "limit.http_per_s"),
    ("store", "limit.pg_bulk_rows_per_s"),
    ("publish", "limit.publish_per_s"),
    ("consume", "limit.consume_per_s"),
    ("relay, claim, secret, report", "limit.pg_life_rows_per_s"),
    ("render and build", "limit.render_per_s"),
    ("SMTP", "limit.smtp_pipelined_per_s"),
];

/// Invitations in a second if each step were done as it is done best, and nothing else.
fn roofline(samples: &Samples) -> Option<f64> {
    let costs: Option<Vec<f64>> =
        STEPS.iter().map(|(_, rate)| Some(1.0 / samples.get(rate)?)).collect();
    Some(1.0 / costs?.iter().sum::<f64>())
}

fn one_statement(samples: &Samples) -> Option<f64> {
    samples.get("limit.pg_invite_per_s").or_else(|| samples.get("limit.sqlite_invite_per_s"))
}

fn one_statement_for_many(samples: &Samples) -> Option<f64> {
    samples.get("limit.pg_bulk_rows_per_s").or_else(|| samples.get("limit.sqlite_bulk_rows_per_s"))
}

fn idle(samples: &Samples) -> Option<f64> {
    // The embedded broker has nothing to confirm.
    let confirm = samples.get("limit.confirm_ms").unwrap_or_default();
    let smtp = samples.get("limit.smtp_conversation_ms")?;
    let commits = samples.get("limit.commit_invite_ms")? + samples.get("limit.commit_report_ms")?;
    Some(commits + confirm + smtp)
}
