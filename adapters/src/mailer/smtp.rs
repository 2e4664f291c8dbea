//! One mail over one connection (RFC 5321 §3.3), and when to use it again.

use std::io;
use std::time::Duration;

use domain::{Phase, SendOutcome};
use tokio::time::{Instant, timeout, timeout_at};

use super::connect::{Limits, Server, expect};
use super::detail;
use super::dialogue::{self, Answer, Dialogue, Written};
use super::envelope::{Before, announce};
use super::message::Mail;
use crate::certificate;
use crate::failpoint;
use crate::trace::{self, SpanKind};

/// A connection whose last mail ended with 250; nothing is unanswered on it.
pub(super) struct Warm {
    dialogue: Dialogue,
    made: Instant,
    used: Instant,
    mails: u32,
}

/// Why an attempt ended before its 250.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server answered something that does not let us go on.
    Answer(Phase, Answer),
    /// No answer, or none that can be understood.
    Broken(Phase, String),
    /// No answer in time; one that comes later belongs to nobody.
    TooSlow(Phase),
    /// The attempt's own time ran out; nothing is known against the server.
    OutOfTime(Phase),
}

/// Sends `mail`; hands the connection back only if nothing is in doubt.
pub(super) async fn send(
    server: &Server,
    warm: Option<Warm>,
    mail: &Mail,
    last: Instant,
) -> (SendOutcome, Option<Warm>) {
    match attempt(server, warm, mail, last).await {
        Ok((answer, mut warm)) => {
            warm.mails += 1;
            warm.used = Instant::now();
            let detail = String::new();
            (SendOutcome::from_reply(Phase::FinalDot, answer.reply(), detail), Some(warm))
        }
        Err(stop) => (stop.outcome(server, mail), None),
    }
}

async fn attempt(
    server: &Server,
    warm: Option<Warm>,
    mail: &Mail,
    last: Instant,
) -> Result<(Answer, Warm), Stop> {
    if last <= Instant::now() {
        return Err(Stop::OutOfTime(Phase::MailFrom));
    }
    let mut warm = match reopened(server, warm, mail, last).await? {
        Some(warm) => warm,
        None => fresh(server, mail, last).await?,
    };
    let answer = transfer(server, &mut warm.dialogue, mail, last).await?;
    Ok((answer, warm))
}

/// A new connection that waits for the message.
async fn fresh(server: &Server, mail: &Mail, last: Instant) -> Result<Warm, Stop> {
    let dialogue = server.connect(last).await?;
    let now = Instant::now();
    let mut warm = Warm { dialogue, made: now, used: now, mails: 0 };
    announce(server, &mut warm.dialogue, Before::Nothing, mail, last).await?;
    Ok(warm)
}

/// A warm connection that waits for the message; `None` asks for a fresh one.
///
/// Servers close idle connections when they like, so silence or 421 before MAIL is accepted is no
/// news: nothing of the mail has been taken, and a fresh connection will tell.
async fn reopened(
    server: &Server,
    warm: Option<Warm>,
    mail: &Mail,
    last: Instant,
) -> Result<Option<Warm>, Stop> {
    let Some(mut warm) = warm else { return Ok(None) };
    if warm.is_worn(&server.limits) {
        warm.quit().await;
        return Ok(None);
    }
    match announce(server, &mut warm.dialogue, Before::Reset, mail, last).await {
        Ok(()) => Ok(Some(warm)),
        Err(stop) if stop.is_no_news() => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// The message with its dot; `Ok` is exactly 250 to it.
async fn transfer(
    server: &Server,
    dialogue: &mut Dialogue,
    mail: &Mail,
    last: Instant,
) -> Result<Answer, Stop> {
    let timeouts = &server.timeouts;
    let whole = dialogue::whole(&mail.raw);
    failpoint::reach("mailer.before_dot").await;
    // Up to the last byte of the dot the mail can still be stopped.
    match within(Phase::Body, timeouts.body, last, dialogue.message(&whole, last)).await? {
        Written::Whole => {}
        Written::Interrupted => {
            let answer = within(Phase::Body, timeouts.command, last, dialogue.answer()).await?;
            return Err(Stop::Answer(Phase::Body, answer));
        }
        Written::TooLate => return Err(Stop::OutOfTime(Phase::Body)),
    }
    // From here on only the answer counts, and whoever has no answer does not know.
    let _span = trace::span(Phase::FinalDot.as_str(), SpanKind::Internal);
    let answer = match timeout(timeouts.final_dot, dialogue.verdict()).await {
        Ok(answer) => answer.map_err(|error| Stop::io(Phase::FinalDot, &error))?,
        Err(_) => return Err(Stop::TooSlow(Phase::FinalDot)),
    };
    expect(Phase::FinalDot, 250, answer)
}

/// Waits for one step, but no longer than the step or the attempt may take.
pub(super) async fn within<T>(
    phase: Phase,
    limit: Duration,
    last: Instant,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, Stop> {
    let mut span = trace::span(phase.as_str(), SpanKind::Internal);
    let step_ends = Instant::now() + limit;
    let why = match timeout_at(step_ends.min(last), step).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => Stop::io(phase, &error),
        Err(_) if last < step_ends => Stop::OutOfTime(phase),
        Err(_) => Stop::TooSlow(phase),
    };
    span.fail("no answer");
    Err(why)
}

impl Warm {
    /// Whether it is time for another one.
    pub(super) fn is_worn(&self, limits: &Limits) -> bool {
        self.mails >= limits.mails
            || self.used.elapsed() >= limits.idle
            || self.made.elapsed() >= limits.age
    }

    /// Says good-bye without waiting for the answer.
    pub(super) async fn quit(mut self) {
        // Whether it arrives does not matter: the connection is dropped either way.
        let _ = tokio::time::timeout(Duration::from_millis(200), self.dialogue.quit()).await;
    }
}

impl Stop {
    pub(super) fn broken(phase: Phase, detail: &str) -> Self {
        Self::Broken(phase, detail.to_owned())
    }

    pub(super) fn io(phase: Phase, error: &io::Error) -> Self {
        let why = certificate::trouble(certificate::Server::Mail, error);
        let why = why.unwrap_or_else(|| error.to_string());
        Self::Broken(phase, format!("{}: {why}", trouble_in(phase)))
    }

    /// Whether the server lost its place in the conversation, or the conversation itself.
    pub(super) const fn is_out_of_step(&self) -> bool {
        match self {
            // A success, but not the one that was due.
            Self::Answer(_, answer) => answer.code < 400,
            Self::Broken(..) | Self::TooSlow(_) => true,
            Self::OutOfTime(_) => false,
        }
    }

    /// Whether a warm connection may end so although nothing is wrong.
    fn is_no_news(&self) -> bool {
        match self {
            Self::Answer(phase, answer) => *phase == Phase::MailFrom && answer.code == 421,
            Self::Broken(phase, _) | Self::TooSlow(phase) => *phase == Phase::MailFrom,
            Self::OutOfTime(_) => false,
        }
    }

    fn outcome(self, server: &Server, mail: &Mail) -> SendOutcome {
        let local = mail.parts.to.envelope();
        let local = local.split('@').next().unwrap_or_default();
        let mut hidden = server.secrets();
        hidden.push(local);
        let detail = self.told(&hidden);
        match self {
            Self::Answer(phase, answer) => SendOutcome::from_reply(phase, answer.reply(), detail),
            Self::Broken(phase, _) | Self::TooSlow(phase) => {
                SendOutcome::from_broken_conversation(phase, detail)
            }
            // Not the server's fault, whatever we were waiting for: never `Ours`.
            Self::OutOfTime(phase) => {
                SendOutcome::from_broken_conversation(phase.max(Phase::MailFrom), detail)
            }
        }
    }

    /// The same for people, in one sentence that does not show what is `hidden`.
    pub(super) fn told(&self, hidden: &[&str]) -> String {
        match self {
            Self::Answer(phase, answer) => {
                let (code, said) = (answer.code, detail::clean(&answer.text(), hidden));
                detail::capped(&format!("{}: the server said {code}: {said}", trouble_in(*phase)))
            }
            Self::Broken(_, detail) => detail::clean(detail, hidden),
            Self::TooSlow(phase) => format!("{}: the server took too long", trouble_in(*phase)),
            Self::OutOfTime(_) => {
                "the time for this attempt ran out before the mail was complete".to_owned()
            }
        }
    }
}

const fn trouble_in(phase: Phase) -> &'static str {
    match phase {
        Phase::Render => "rendering",
        Phase::Connect => "connecting",
        Phase::Tls => "starting TLS",
        Phase::Greeting => "waiting for the greeting",
        Phase::Hello => "EHLO",
        Phase::Auth => "logging in",
        Phase::MailFrom => "MAIL FROM",
        Phase::Recipient => "RCPT TO",
        Phase::Data => "DATA",
        Phase::Body => "writing the message",
        Phase::FinalDot => "after the message",
    }
}
