//! From a claimed delivery to a finished mail: its secret is opened, its text rendered.

use adapters::mailer::Mail;
use adapters::secret::{Owner, Secret};
use domain::{Phase, SendOutcome, Trouble};

use crate::attempt::Attempt;
use crate::handle::Handler;

impl Handler {
    /// Makes the mail, or says how the attempt ended without one.
    pub async fn prepare(&self, attempt: &Attempt) -> Result<Mail, SendOutcome> {
        let delivery = &attempt.claimed.delivery;
        let owner = Owner { invitation: delivery.invitation, generation: delivery.generation };
        let secret = Secret::open(&self.seal, &attempt.claimed.sealed, owner);
        let secret = secret.map_err(|error| ours(error.to_string()))?;
        let own = self.templates.of(&self.store, &attempt.claimed).await;
        let own = own.map_err(|error| ours(error.to_string()))?;
        let date = self.store.clock().now();
        let mail = self.composer.compose(&attempt.claimed, own.as_deref(), &secret, date)?;
        if self.overrun.is_cancelled() {
            return Err(ours("the worker was stopped before the mail was sent".to_owned()));
        }
        Ok(mail)
    }
}

/// Trouble on our side of the mail server: it fails no mail and uses up no attempt.
fn ours(detail: String) -> SendOutcome {
    SendOutcome::Ours(Trouble { phase: Phase::Render, reply: None, detail })
}
