//! One mail over one connection, command by command (RFC 5321 §3.3), and when to use it again.

use std::io;
use std::time::Duration;

use domain::{Phase, SendOutcome};
use tokio::time::{Instant, timeout_at};

use super::connect::{Server, expect};
use super::detail;
use super::dialogue::{Answer, Dialogue};
use super::message::Mail;
use crate::failpoint;

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

/// A new connection with this mail's MAIL accepted.
async fn fresh(server: &Server, mail: &Mail, last: Instant) -> Result<Warm, Stop> {
    let dialogue = server.connect(last).await?;
    let now = Instant::now();
    let mut warm = Warm { dialogue, made: now, used: now, mails: 0 };
    mail_from(server, &mut warm.dialogue, mail, last).await?;
    Ok(warm)
}

/// A warm connection with this mail's MAIL accepted; `None` asks for a fresh one.
///
/// Servers close idle connections when they like, so silence or 421 up to here is no news:
/// nothing of the mail has been taken, and a fresh connection will tell.
async fn reopened(
    server: &Server,
    warm: Option<Warm>,
    mail: &Mail,
    last: Instant,
) -> Result<Option<Warm>, Stop> {
    let Some(mut warm) = warm else { return Ok(None) };
    let limits = &server.limits;
    let worn = warm.mails >= limits.mails
        || warm.used.elapsed() >= limits.idle
        || warm.made.elapsed() >= limits.age;
    if worn {
        warm.quit().await;
        return Ok(None);
    }
    let wait = warm.dialogue.command("RSET");
    let reset = within(Phase::MailFrom, server.timeouts.command, last, wait).await;
    if !reset.is_ok_and(|answer| answer.code == 250) {
        return Ok(None);
    }
    match mail_from(server, &mut warm.dialogue, mail, last).await {
        Ok(()) => Ok(Some(warm)),
        Err(Stop::Answer(phase, answer)) if answer.code != 421 => Err(Stop::Answer(phase, answer)),
        Err(_) => Ok(None),
    }
}

async fn mail_from(
    server: &Server,
    dialogue: &mut Dialogue,
    mail: &Mail,
    last: Instant,
) -> Result<(), Stop> {
    let command = format!("MAIL FROM:<{}>", mail.envelope_from);
    let wait = dialogue.command(&command);
    positive(Phase::MailFrom, within(Phase::MailFrom, server.timeouts.command, last, wait).await?)
}

/// RCPT, DATA, the body and its dot; `Ok` is exactly 250 to the dot.
async fn transfer(
    server: &Server,
    dialogue: &mut Dialogue,
    mail: &Mail,
    last: Instant,
) -> Result<Answer, Stop> {
    let timeouts = &server.timeouts;
    let command = format!("RCPT TO:<{}>", mail.parts.to.envelope());
    let wait = dialogue.command(&command);
    positive(Phase::Recipient, within(Phase::Recipient, timeouts.command, last, wait).await?)?;
    let answer = within(Phase::Data, timeouts.data, last, dialogue.command("DATA")).await?;
    expect(Phase::Data, 354, answer)?;
    within(Phase::Body, timeouts.body, last, dialogue.body(&mail.raw)).await?;
    // A server that answers before the dot has given up, or is a reply ahead of us: in both cases
    // its next reply could not be trusted.
    if dialogue.has_something_to_say().map_err(|error| Stop::io(Phase::Body, &error))? {
        let answer = within(Phase::Body, timeouts.command, last, dialogue.answer()).await?;
        return Err(Stop::Answer(Phase::Body, answer));
    }
    failpoint::reach("mailer.before_dot").await;
    // The last moment at which the mail can still be stopped.
    if last <= Instant::now() {
        return Err(Stop::OutOfTime(Phase::Body));
    }
    let dot = async {
        dialogue.final_dot().await?;
        dialogue.answer().await
    };
    let answer = match tokio::time::timeout(timeouts.final_dot, dot).await {
        Ok(answer) => answer.map_err(|error| Stop::io(Phase::FinalDot, &error))?,
        Err(_) => return Err(Stop::too_slow(Phase::FinalDot)),
    };
    expect(Phase::FinalDot, 250, answer)
}

fn positive(phase: Phase, answer: Answer) -> Result<(), Stop> {
    if answer.is_positive() { Ok(()) } else { Err(Stop::Answer(phase, answer)) }
}

/// Waits for one step, but no longer than the step or the attempt may take.
pub(super) async fn within<T>(
    phase: Phase,
    limit: Duration,
    last: Instant,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, Stop> {
    let step_ends = Instant::now() + limit;
    match timeout_at(step_ends.min(last), step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Stop::io(phase, &error)),
        Err(_) if last < step_ends => Err(Stop::OutOfTime(phase)),
        Err(_) => Err(Stop::too_slow(phase)),
    }
}

impl Warm {
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
        Self::Broken(phase, format!("{}: {error}", trouble_in(phase)))
    }

    fn too_slow(phase: Phase) -> Self {
        Self::Broken(phase, format!("{}: the server took too long", trouble_in(phase)))
    }

    fn outcome(self, server: &Server, mail: &Mail) -> SendOutcome {
        let local = mail.parts.to.envelope();
        let local = local.split('@').next().unwrap_or_default();
        let mut hidden = server.secrets();
        hidden.push(local);
        match self {
            Self::Answer(phase, answer) => {
                let reply = answer.reply();
                let said = detail::clean(&answer.text(), &hidden);
                let detail =
                    format!("{}: the server said {}: {said}", trouble_in(phase), reply.code);
                SendOutcome::from_reply(phase, reply, detail::capped(&detail))
            }
            Self::Broken(phase, detail) => {
                SendOutcome::from_broken_conversation(phase, detail::clean(&detail, &hidden))
            }
            Self::OutOfTime(phase) => {
                // Not the server's fault, whatever we were waiting for: never `Ours`.
                let detail = "the time for this attempt ran out before the mail was complete";
                let phase = phase.max(Phase::MailFrom);
                SendOutcome::from_broken_conversation(phase, detail.to_owned())
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
