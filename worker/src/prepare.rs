//! From a claimed delivery to a finished mail: its secret is found or made, its text rendered.

use std::sync::Arc;

use adapters::mailer::Mail;
use adapters::secret::{Owner, Secret};
use domain::{Phase, SendOutcome, Trouble};

use crate::attempt::Attempt;
use crate::handle::Handler;
use crate::patience::Patience;

impl Handler {
    /// Makes the mail, or says how the attempt ended without one.
    pub async fn prepare(&self, attempt: &Attempt) -> Result<Mail, SendOutcome> {
        let secret = self.secret(attempt).await?;
        let (claimed, date) = (Arc::clone(&attempt.claimed), self.store.clock().now());
        let mail = Arc::clone(&self.composer).compose(claimed, secret, date).await?;
        if self.overrun.is_cancelled() {
            return Err(ours("the worker was stopped before the mail was sent".to_owned()));
        }
        Ok(mail)
    }

    async fn secret(&self, attempt: &Attempt) -> Result<Secret, SendOutcome> {
        let claimed = &attempt.claimed;
        let (invitation, generation) = (claimed.delivery.invitation, claimed.delivery.generation);
        let owner = Owner { invitation, generation };
        if let Some(sealed) = &claimed.sealed {
            return Secret::open(&self.seal, sealed, owner).map_err(|e| ours(e.to_string()));
        }
        let fresh = Secret::generate(claimed.mail.credential, &mut adapters::rng());
        let fresh = fresh.stored(&self.seal, owner, &mut adapters::rng());
        let keep = || self.store.keep_secret(invitation, generation, fresh.clone());
        let until = self.dot_deadline(attempt);
        match (Patience { until, unless: &self.overrun }).with("keep secret", keep).await {
            // Another worker's may have been first: only what is stored is sent.
            Ok(Some(winner)) => {
                Secret::open(&self.seal, &winner, owner).map_err(|e| ours(e.to_string()))
            }
            Ok(None) => Err(ours("the invitation changed before its mail was sent".to_owned())),
            Err(error) => {
                tracing::warn!(delivery.id = %claimed.delivery.id, %error, "cannot keep a secret");
                Err(ours("the database did not keep the invitation's secret".to_owned()))
            }
        }
    }
}

/// Trouble on our side of the mail server: it fails no mail and uses up no attempt.
fn ours(detail: String) -> SendOutcome {
    SendOutcome::Ours(Trouble { phase: Phase::Render, reply: None, detail })
}
