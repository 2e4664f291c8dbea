//! One job about a mail that shows what a template makes: the way of `handle`, with one attempt.
//!
//! Somebody looks on: what stands in the way is what they want to know, so that nothing is put off.

use adapters::metrics::{ClaimResult, JobKind};
use adapters::store::{ClaimedTestMail, StoreError};
use domain::{SendOutcome, TestMailId};
use tokio::time::Instant;

use crate::handle::{Handler, Verdict};
use crate::patience::Patience;

impl Handler {
    /// Sends a test mail, unless that was done, is being done or came to nothing.
    pub async fn handle_test(&self, mail: TestMailId) -> Verdict {
        let (since, metrics) = (Instant::now(), self.store.metrics());
        let claimed = match self.claim_test(mail, since).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) => {
                metrics.claimed(JobKind::TestMail, ClaimResult::Nothing);
                return Verdict::Done;
            }
            Err(error) => {
                metrics.claimed(JobKind::TestMail, ClaimResult::Failed);
                tracing::warn!(test_mail.id = %mail, %error, "cannot claim; handed back");
                return Verdict::HandBack;
            }
        };
        metrics.claimed(JobKind::TestMail, ClaimResult::Claimed);
        let making = async { self.composer.test(&claimed, self.store.clock().now()) };
        let (ending, unreported) = self.deliver(since, making).await;
        let verdict = match self.report_test(&claimed, &ending.outcome, since).await {
            Ok(ours) => {
                let outcome = ending.outcome.as_str();
                tracing::info!(test_mail.id = %mail, outcome, ours, "test mail reported");
                metrics.attempt(JobKind::TestMail, outcome, since.elapsed());
                if let Some(trouble) = ending.outcome.trouble() {
                    metrics.smtp_trouble(trouble.phase, &ending.outcome);
                }
                Verdict::Done
            }
            Err(error) => {
                tracing::error!(
                    test_mail.id = %mail, %error,
                    "cannot report; after its lease the test mail counts as uncertain"
                );
                Verdict::HandBack
            }
        };
        drop(unreported);
        self.wake_if_recovered(&ending).await;
        verdict
    }

    async fn claim_test(
        &self,
        mail: TestMailId,
        since: Instant,
    ) -> Result<Option<ClaimedTestMail>, StoreError> {
        Patience { until: since + self.lease, unless: &self.stopping }
            .with("claim test mail", || self.store.claim_test_mail(mail, self.lease))
            .await
    }

    async fn report_test(
        &self,
        claimed: &ClaimedTestMail,
        outcome: &SendOutcome,
        since: Instant,
    ) -> Result<bool, StoreError> {
        let until = since + self.lease + self.lease / 4;
        Patience { until, unless: &self.overrun }
            .with("report test mail", || self.store.report_test_mail(claimed, outcome))
            .await
    }
}
