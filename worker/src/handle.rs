//! One job about a mail, from the claim to the report.
//!
//! The order is the guarantee: nothing is sent that is not claimed, nothing is acknowledged that
//! is not reported, and no transaction is open while the mail server is spoken to.

use std::sync::Arc;
use std::time::Duration;

use adapters::failpoint;
use adapters::metrics::{ClaimResult, JobKind};
use adapters::seal::SealKeys;
use adapters::store::{Store, StoreError};
use adapters::trace::{self, SpanKind};
use domain::{DeliveryId, DeliveryState, Generation, RetryPolicy};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::Attempt;
use crate::connections::Connections;
use crate::domains::Domains;
use crate::gate::Gate;
use crate::mail::Composer;
use crate::own_templates::OwnTemplates;
use crate::patience::Patience;
use crate::report::{self, Ending, Pause};

/// What becomes of the broker's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The database knows everything; the message is spent.
    Done,
    /// It must come again, here or elsewhere.
    HandBack,
}

/// Sends mails; shared by all jobs that are in hand.
pub struct Handler {
    /// The database.
    pub store: Store,
    /// Opens secrets.
    pub seal: SealKeys,
    /// Knows whether mail can be sent.
    pub gate: Arc<Gate>,
    /// Makes mails.
    pub composer: Composer,
    /// The templates of organizations.
    pub templates: OwnTemplates,
    /// How many mails go to one domain.
    pub domains: Domains,
    /// Where mails leave.
    pub connections: Arc<Connections>,
    /// When to try again.
    pub policy: RetryPolicy,
    /// How long an attempt belongs to its worker.
    pub lease: Duration,
    /// How long a password works once its mail is sent.
    pub password_valid_for: Duration,
    /// Cancelled when no new work is to be begun.
    pub stopping: CancellationToken,
    /// Cancelled when work that was begun has had its time.
    pub overrun: CancellationToken,
}

impl Handler {
    /// Sends the mail of a delivery, as far as the database agrees.
    pub async fn handle(&self, delivery: DeliveryId, generation: Generation) -> Verdict {
        let metrics = self.store.metrics();
        let claiming = trace::span("claim", SpanKind::Internal);
        let claimed = self.claim(delivery, generation).await;
        drop(claiming);
        let attempt = match claimed {
            Ok(Some(attempt)) => attempt,
            // Sent, not due, in other hands or void: what there is to do is done elsewhere.
            Ok(None) => {
                metrics.claimed(JobKind::Email, ClaimResult::Nothing);
                return Verdict::Done;
            }
            Err(error) => {
                metrics.claimed(JobKind::Email, ClaimResult::Failed);
                tracing::warn!(delivery.id = %delivery, %error, "cannot claim; handed back");
                return Verdict::HandBack;
            }
        };
        metrics.claimed(JobKind::Email, ClaimResult::Claimed);
        failpoint::reach("worker.claimed").await;
        let (ending, unreported) = self.attempt(&attempt).await;
        failpoint::reach("worker.mail_ended").await;
        let mut reporting = trace::span("report", SpanKind::Internal);
        reporting.set("outcome", || ending.outcome.as_str());
        let reported = self.report(&attempt, &ending).await;
        drop(reporting);
        let verdict = match reported {
            Ok(state) => {
                report::log(&attempt.claimed, &ending.outcome, attempt.since, state.as_ref());
                report::count(metrics, &attempt, &ending.outcome, self.store.clock().now());
                failpoint::reach("worker.reported").await;
                Verdict::Done
            }
            Err(error) => {
                tracing::error!(
                    delivery.id = %delivery, outcome = ending.outcome.as_str(), %error,
                    "cannot report; after its lease the delivery counts as uncertain"
                );
                Verdict::HandBack
            }
        };
        drop(unreported);
        self.wake_if_recovered(&ending).await;
        verdict
    }

    async fn claim(
        &self,
        delivery: DeliveryId,
        generation: Generation,
    ) -> Result<Option<Attempt>, StoreError> {
        // Handing back at once would use up the broker's delivery limit in a minute.
        let until = Instant::now() + self.lease;
        Patience { until, unless: &self.stopping }
            .with("claim", || async {
                // Before the call: our clock starts no later than the lease.
                let since = Instant::now();
                let claimed =
                    self.store.claim(delivery, generation, self.lease, &self.seal).await?;
                Ok(claimed.map(|claimed| Attempt { claimed: Arc::new(claimed), since }))
            })
            .await
    }

    async fn report(
        &self,
        attempt: &Attempt,
        ending: &Ending,
    ) -> Result<Option<DeliveryState>, StoreError> {
        let (store, claimed) = (&self.store, &attempt.claimed);
        // A late report still counts while nobody else has claimed, so patience outlasts the lease
        // a little; brokers take a message away after half an hour.
        let until = attempt.since + self.lease + self.lease / 4;
        Patience { until, unless: &self.overrun }
            .with("report", || async {
                let (now, attempts) = (store.clock().now(), claimed.delivery.attempts);
                let next =
                    ending.next_attempt_at(&self.policy, attempts, now, &mut adapters::rng());
                store.report(claimed, &ending.outcome, next, self.password_valid_for).await
            })
            .await
    }

    /// Lets postponed mails leave at once when the server works again.
    pub async fn wake_if_recovered(&self, ending: &Ending) {
        // A mail that was put off while another one recovered would have been missed by its call.
        let missed = matches!(ending.pause, Some(Pause::Breaker(_))) && self.gate.is_clear();
        if !ending.recovered && !missed {
            return;
        }
        match self.store.wake_postponed().await {
            Ok(woken) => tracing::info!(woken, "postponed mails leave now"),
            Err(error) => tracing::warn!(%error, "postponed mails wait for their next attempt"),
        }
    }
}
