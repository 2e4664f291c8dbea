//! Rules between settings that a single value cannot break.

use std::time::Duration;

use super::{Settings, SettingsError};

/// One rule: the first duration must not be shorter than the least.
struct AtLeast {
    key: &'static str,
    value: Duration,
    rule: &'static str,
    other: &'static str,
    limit: Duration,
    least: Duration,
}

/// Finds the first rule that is broken.
pub fn check(settings: &Settings) -> Result<(), SettingsError> {
    for rule in rules(settings) {
        if rule.value < rule.least {
            return Err(SettingsError::Contradiction {
                key: rule.key,
                value: rule.value,
                rule: rule.rule,
                other: rule.other,
                limit: rule.limit,
            });
        }
    }
    Ok(())
}

fn rules(s: &Settings) -> [AtLeast; 9] {
    const NOT_SHORTER: &str = "must not be shorter than";
    let plain = |key, value, other, limit| AtLeast {
        key,
        value,
        rule: NOT_SHORTER,
        other,
        limit,
        least: limit,
    };
    let final_dot = s.mail.timeouts.final_dot;
    [
        // A lease that ends while the server may still take the mail lets a second worker send it.
        AtLeast {
            key: "worker.lease",
            value: s.worker.lease,
            rule: "must be at least one and a half times",
            other: "mail.timeouts.final_dot",
            limit: final_dot,
            least: final_dot + final_dot / 2,
        },
        // A lock that ends before the confirmation lets a second relay publish the same rows.
        AtLeast {
            key: "relay.lock",
            value: s.relay.lock,
            rule: "must be longer than",
            other: "broker.confirm_timeout",
            limit: s.broker.confirm_timeout,
            least: s.broker.confirm_timeout + Duration::from_millis(1),
        },
        // A request that waits for its mail must still be answered.
        AtLeast {
            key: "http.request_timeout",
            value: s.http.request_timeout,
            rule: "must be longer than",
            other: "contracts.sync_wait_ms",
            limit: s.contracts.sync_wait,
            least: s.contracts.sync_wait + Duration::from_millis(1),
        },
        plain("retry.breaker_max", s.retry.breaker_max, "retry.breaker_min", s.retry.breaker_min),
        plain("webhooks.keep", s.webhooks.keep, "webhooks.give_up_after", s.webhooks.give_up_after),
        // Whoever is not known any more cannot ask for another link.
        plain(
            "retention.anonymize_after_days",
            s.retention.anonymize_after().unwrap_or(Duration::MAX),
            "invitation.new_link_days",
            Duration::from_hours(24) * s.invitation.new_link_days,
        ),
        plain("relay.idle_poll", s.relay.idle_poll, "relay.busy_poll", s.relay.busy_poll),
        plain(
            "database.statement_timeout",
            s.database.statement_timeout,
            "database.lock_timeout",
            s.database.lock_timeout,
        ),
        plain(
            "retry.give_up_after",
            s.retry.give_up_after,
            "retry.uncertain_pause",
            s.retry.uncertain_pause,
        ),
    ]
}
