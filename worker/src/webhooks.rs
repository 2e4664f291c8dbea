//! One job about an endpoint, from the claim to the report: the way of `handle`, with an HTTP request
//! where that has a mail. A repeat is harmless, so a worker that dies costs a lease and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters::failpoint;
use adapters::metrics::{ClaimResult, JobKind};
use adapters::seal::SealKeys;
use adapters::store::{ClaimedWebhook, Store, StoreError};
use adapters::trace::{self, SpanKind};
use adapters::webhooks::{Letter, Poster, WebhookSecret};
use domain::retry::jittered;
use domain::{
    Generation, RetryPolicy, WebhookDeliveryId, WebhookDeliveryState, WebhookId, WebhookOutcome,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::handle::Verdict;
use crate::patience::Patience;

/// How long an endpoint's event waits when enough others are at it.
const ANOTHER_TIME: Duration = Duration::from_secs(20);

/// Tells endpoints; shared by all jobs that are in hand.
pub struct WebhookHandler {
    /// The database.
    pub store: Store,
    /// Opens secrets.
    pub seal: SealKeys,
    /// Makes the requests.
    pub poster: Poster,
    /// When to try again.
    pub policy: RetryPolicy,
    /// How long an attempt belongs to its worker.
    pub lease: Duration,
    /// How long an endpoint may take nothing.
    pub disable_after: Duration,
    /// Who is spoken to.
    pub lines: Lines,
    /// Cancelled when no new work is to be begun.
    pub stopping: CancellationToken,
    /// Cancelled when work that was begun has had its time.
    pub overrun: CancellationToken,
}

impl WebhookHandler {
    /// Does what the job asks for, as far as the database agrees.
    pub async fn handle(&self, delivery: WebhookDeliveryId, generation: Generation) -> Verdict {
        let (since, metrics) = (Instant::now(), self.store.metrics());
        let claiming = trace::span("claim", SpanKind::Internal);
        let claimed = self.claim(delivery, generation).await;
        drop(claiming);
        let claimed = match claimed {
            Ok(Some(claimed)) => claimed,
            // Delivered, not due, in other hands or void: what there is to do is done elsewhere.
            Ok(None) => {
                metrics.claimed(JobKind::Webhook, ClaimResult::Nothing);
                return Verdict::Done;
            }
            Err(error) => {
                metrics.claimed(JobKind::Webhook, ClaimResult::Failed);
                tracing::warn!(webhook_delivery.id = %delivery, %error, "cannot claim; handed back");
                return Verdict::HandBack;
            }
        };
        metrics.claimed(JobKind::Webhook, ClaimResult::Claimed);
        failpoint::reach("worker.webhook_claimed").await;
        let mut telling = trace::span("webhook", SpanKind::Client);
        let outcome = self.attempt(&claimed).await;
        telling.set("outcome", || said(outcome.as_ref()));
        if !matches!(outcome, Some(WebhookOutcome::Taken { .. })) {
            telling.fail(said(outcome.as_ref()));
        }
        drop(telling);
        failpoint::reach("worker.webhook_ended").await;
        let reporting = trace::span("report", SpanKind::Internal);
        let ended = self.end(&claimed, outcome.as_ref(), since).await;
        drop(reporting);
        match ended {
            Ok(state) => {
                log(&claimed, outcome.as_ref(), since, state.as_ref());
                metrics.attempt(JobKind::Webhook, said(outcome.as_ref()), since.elapsed());
                Verdict::Done
            }
            Err(error) => {
                tracing::error!(
                    webhook_delivery.id = %delivery, %error,
                    "cannot report; after its lease the event is told again"
                );
                Verdict::HandBack
            }
        }
    }

    async fn claim(
        &self,
        delivery: WebhookDeliveryId,
        generation: Generation,
    ) -> Result<Option<ClaimedWebhook>, StoreError> {
        // Handing back at once would use up the broker's delivery limit in a minute.
        let until = Instant::now() + self.lease;
        Patience { until, unless: &self.stopping }
            .with("claim webhook", || self.store.claim_webhook(delivery, generation, self.lease))
            .await
    }

    /// `None`: the endpoint is spoken to often enough at this moment.
    async fn attempt(&self, claimed: &ClaimedWebhook) -> Option<WebhookOutcome> {
        let _line = self.lines.open(claimed.endpoint)?;
        let letter = match self.letter(claimed) {
            Ok(letter) => letter,
            Err(detail) => return Some(WebhookOutcome::Ours { detail }),
        };
        Some(tokio::select! {
            outcome = self.poster.post(letter) => outcome,
            () = self.overrun.cancelled() => WebhookOutcome::Ours {
                detail: "the worker was stopped before the endpoint answered".to_owned(),
            },
        })
    }

    fn letter(&self, claimed: &ClaimedWebhook) -> Result<Letter, String> {
        let open = |sealed: &Vec<u8>| WebhookSecret::open(&self.seal, sealed, claimed.endpoint);
        let secrets = claimed.sealed_secrets.iter().map(open).collect::<Result<_, _>>();
        Ok(Letter {
            id: claimed.delivery.id,
            at: self.store.clock().now(),
            url: claimed.url.clone(),
            body: claimed.body.clone(),
            secrets: secrets.map_err(|error| format!("the webhook's secret is {error}"))?,
        })
    }

    async fn end(
        &self,
        claimed: &ClaimedWebhook,
        outcome: Option<&WebhookOutcome>,
        since: Instant,
    ) -> Result<Option<WebhookDeliveryState>, StoreError> {
        let until = since + self.lease + self.lease / 4;
        Patience { until, unless: &self.overrun }
            .with("report webhook", || async {
                let now = self.store.clock().now();
                let Some(outcome) = outcome else {
                    let again = now + jittered(ANOTHER_TIME, &mut adapters::rng());
                    return self.store.put_off_webhook(claimed, again).await;
                };
                let attempts = claimed.delivery.attempts + 1;
                let (policy, asked_at) = (&self.policy, claimed.asked_at);
                let next =
                    outcome.next_attempt_at(policy, attempts, asked_at, now, &mut adapters::rng());
                self.store.report_webhook(claimed, outcome, next, self.disable_after).await
            })
            .await
    }
}

/// The endpoint's URL is not in here: it may hold a secret.
fn log(
    claimed: &ClaimedWebhook,
    outcome: Option<&WebhookOutcome>,
    since: Instant,
    state: Option<&WebhookDeliveryState>,
) {
    tracing::info!(
        webhook.id = %claimed.endpoint,
        webhook_delivery.id = %claimed.delivery.id,
        attempt = claimed.delivery.attempts + 1,
        outcome = said(outcome),
        status = state.map_or("not ours any more", |state| state.status().as_str()),
        ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        trace_id = trace::current().map(|context| context.trace_id()),
        "webhook attempt ended"
    );
}

fn said(outcome: Option<&WebhookOutcome>) -> &'static str {
    outcome.map_or("put_off", WebhookOutcome::as_str)
}

/// How often each endpoint is spoken to at this moment: a slow one must leave hands for the others.
pub struct Lines {
    most: usize,
    open: Arc<Mutex<HashMap<WebhookId, usize>>>,
}

/// Speaks to an endpoint until it is dropped.
struct Line {
    endpoint: WebhookId,
    open: Arc<Mutex<HashMap<WebhookId, usize>>>,
}

impl Lines {
    /// At most half of `hands` for one endpoint, but one at least.
    pub fn new(hands: u16) -> Self {
        Self { most: usize::from(hands / 2).max(1), open: Arc::default() }
    }

    fn open(&self, endpoint: WebhookId) -> Option<Line> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(endpoint).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Line { endpoint, open: Arc::clone(&self.open) })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.endpoint) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.endpoint);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_endpoint_gets_half_of_the_hands() {
        let lines = Lines::new(4);
        let [one, two] =
            [1_u8, 2].map(|n| format!("01890a5d-ac96-774b-bcce-b3020000000{n}").parse().unwrap());
        let held = [lines.open(one), lines.open(one)];
        assert!(held.iter().all(Option::is_some) && lines.open(one).is_none());
        assert!(lines.open(two).is_some(), "another endpoint is not held up");
        drop(held);
        assert!(lines.open(one).is_some());
        assert!(lines.open.lock().unwrap().is_empty(), "nothing is left of closed lines");
    }
}
