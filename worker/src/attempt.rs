//! One attempt, between its claim and its report: the mail is made ahead of its turn, and holds a
//! connection only while it is sent.

use std::sync::Arc;
use std::time::Duration;

use adapters::mailer::Mail;
use adapters::store::Claimed;
use adapters::trace::{self, Span, SpanKind};
use domain::{Phase, SendOutcome, Trouble};
use tokio::time::Instant;

use crate::breaker::Lesson;
use crate::connections::{Lent, Unreported};
use crate::domains::Turn;
use crate::gate::{Admission, Pass};
use crate::handle::Handler;
use crate::report::{Ending, Pause};

/// An attempt that is ours until its lease ends.
pub struct Attempt {
    /// What the database says about it.
    pub claimed: Arc<Claimed>,
    /// When the lease began, at the latest.
    pub since: Instant,
}

impl Handler {
    /// Makes the mail and sends it; whatever happens becomes the end of the attempt.
    pub async fn attempt(&self, attempt: &Attempt) -> (Ending, Option<Unreported<'_>>) {
        let domain = attempt.claimed.mail.email.domain();
        let turn = self.domains.ask(domain, Instant::now(), &mut adapters::rng());
        match turn {
            Turn::Now(_place) => self.deliver(attempt.since, self.prepare(attempt)).await,
            Turn::In(pause) => (put_off(pause), None),
        }
    }

    /// Sends a mail that is made meanwhile, for an attempt whose lease began at `since`.
    pub async fn deliver(
        &self,
        since: Instant,
        making: impl Future<Output = Result<Mail, SendOutcome>>,
    ) -> (Ending, Option<Unreported<'_>>) {
        let ready = async {
            let room = self.connections.room(self.wait_until(since));
            let unreported = self.in_time(room).await.map_err(Ending::of)?;
            Ok((self.ready(since, making).await?, unreported))
        };
        match ready.await {
            Ok(((mail, lent, pass), unreported)) => {
                (self.send(since, &mail, lent, pass).await, Some(unreported))
            }
            Err(ending) => (ending, None),
        }
    }

    /// A mail, a connection and the leave to use it; an end if there is one before that.
    async fn ready(
        &self,
        since: Instant,
        making: impl Future<Output = Result<Mail, SendOutcome>>,
    ) -> Result<(Mail, Lent<'_>, Pass<'_>), Ending> {
        let pass = admitted(self.gate.admit())?;
        // Trouble before SMTP teaches nothing about the server: the pass is dropped unused.
        let span = trace::span("make mail", SpanKind::Internal);
        let mail = making.await.map_err(Ending::of)?;
        drop(span);
        let waiting = trace::span("wait for a connection", SpanKind::Internal);
        let lent = self.connections.lend(self.wait_until(since));
        let lent = self.in_time(lent).await.map_err(Ending::of)?;
        drop(waiting);
        Ok((mail, lent, admitted(pass.confirm())?))
    }

    /// What is waited for, unless the worker is stopped for good before it comes.
    async fn in_time<T>(&self, wanted: impl Future<Output = Option<T>>) -> Result<T, SendOutcome> {
        tokio::select! {
            biased;
            () = self.overrun.cancelled() => {
                Err(no_connection("the worker was stopped before the mail was sent"))
            }
            came = wanted => {
                came.ok_or_else(|| no_connection("no connection to the mail server came free in time"))
            }
        }
    }

    /// Sends, unless the worker is stopped for good meanwhile.
    async fn send(&self, since: Instant, mail: &Mail, lent: Lent<'_>, pass: Pass<'_>) -> Ending {
        let mut span = trace::span("smtp", SpanKind::Client);
        let outcome = tokio::select! {
            biased;
            outcome = span.within(lent.send(mail, self.dot_deadline(since))) => outcome,
            () = self.overrun.cancelled() => {
                span.fail("cut off");
                return Ending::of(cut_off());
            }
        };
        tell(&mut span, &outcome);
        drop(span);
        let (pause, recovered) = match pass.learn(&outcome) {
            Lesson::Nothing => (None, false),
            Lesson::Postpone(pause) => (Some(Pause::Breaker(pause)), false),
            Lesson::Recovered => (None, true),
        };
        Ending { outcome, pause, recovered }
    }

    /// After this moment nothing is begun: not so much time would be left to use a connection.
    fn wait_until(&self, since: Instant) -> Instant {
        since + self.lease / 8
    }

    /// After this moment the mail is not completed: when its answer came, the lease might be over.
    fn dot_deadline(&self, since: Instant) -> Instant {
        since + self.lease / 4
    }
}

fn admitted(admission: Admission<'_>) -> Result<Pass<'_>, Ending> {
    match admission {
        Admission::Go(pass) => Ok(pass),
        Admission::Postpone { trouble, pause } => {
            let outcome = SendOutcome::Ours(trouble);
            Err(Ending { outcome, pause: Some(Pause::Breaker(pause)), recovered: false })
        }
    }
}

/// Not because of the mail, nor of the mail server: so many others go to the same domain.
fn put_off(pause: Duration) -> Ending {
    let detail = "the limits of one recipient domain are reached (worker.domain_at_once, \
                  worker.domain_per_minute); the mail waits for its turn";
    let trouble = Trouble { phase: Phase::Connect, reply: None, detail: detail.to_owned() };
    let (outcome, pause) = (SendOutcome::Crowded(trouble), Some(Pause::Domain(pause)));
    Ending { outcome, pause, recovered: false }
}

/// Nothing is wrong with the mail, and nothing is known against the server.
fn no_connection(why: &str) -> SendOutcome {
    SendOutcome::Ours(Trouble { phase: Phase::Connect, reply: None, detail: why.to_owned() })
}

/// Codes and phases only: what a server says may quote an address.
fn tell(span: &mut Span, outcome: &SendOutcome) {
    span.set("outcome", || outcome.as_str());
    let Some(trouble) = outcome.trouble() else { return };
    span.set("smtp.phase", || trouble.phase.as_str());
    if let Some(reply) = &trouble.reply {
        span.set("smtp.reply.code", || i64::from(reply.code));
    }
    span.fail(outcome.as_str());
}

/// The mailer alone knows whether the final dot was out; to us it may have been.
fn cut_off() -> SendOutcome {
    let detail = "the worker was stopped before the answer of the mail server arrived".to_owned();
    SendOutcome::Uncertain(Trouble { phase: Phase::FinalDot, reply: None, detail })
}
