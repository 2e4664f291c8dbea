//! RSET, MAIL, RCPT and DATA: in one write where the server offers PIPELINING (RFC 2920), else one
//! after the other.
//!
//! However they are written, each answer is read in its turn and judged as that of its own phase,
//! and the first one that does not let us go on ends the conversation. A refused recipient whose
//! DATA is answered with 354 all the same would have to be sent an empty message (RFC 2920 §3.1):
//! hanging up says it better.

use std::time::Duration;

use domain::Phase;
use tokio::time::Instant;

use super::connect::Server;
use super::dialogue::{Answer, Dialogue};
use super::message::Mail;
use super::smtp::{Stop, within};

/// What comes before a mail's own commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: the connection is new.
    Nothing,
    /// RSET: the connection has served another mail.
    Reset,
}

struct Step {
    phase: Phase,
    limit: Duration,
    command: String,
    wanted: Wanted,
}

#[derive(Clone, Copy)]
enum Wanted {
    /// 250 to RSET, which has no bearing on the mail.
    Clean,
    Success,
    /// 354.
    Message,
}

/// Brings the conversation to where the server waits for the message (354).
pub(super) async fn announce(
    server: &Server,
    dialogue: &mut Dialogue,
    before: Before,
    mail: &Mail,
    last: Instant,
) -> Result<(), Stop> {
    let steps = steps(server, before, mail);
    let commands: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    let pipelined = dialogue.pipelining && server.trust.is_given();
    for (number, step) in steps.iter().enumerate() {
        let due = match (pipelined, number) {
            (true, 0) => &commands[..],
            (true, _) => &[],
            (false, _) => &commands[number..=number],
        };
        let exchange = async {
            if !due.is_empty() {
                dialogue.ask(due).await?;
            }
            dialogue.answer().await
        };
        let answer = within(step.phase, step.limit, last, exchange).await;
        let judged = answer.and_then(|answer| step.judge(answer));
        // A warm connection may be gone before its first answer, which says nothing about the rest.
        let telling = number > 0 || before == Before::Nothing;
        if pipelined && telling && judged.as_ref().is_err_and(Stop::is_out_of_step) {
            server.trust.withdraw();
        }
        judged?;
    }
    Ok(())
}

fn steps(server: &Server, before: Before, mail: &Mail) -> Vec<Step> {
    let timeouts = &server.timeouts;
    let step = |phase, limit, command, wanted| Step { phase, limit, command, wanted };
    let from = format!("MAIL FROM:<{}>", mail.envelope_from);
    let to = format!("RCPT TO:<{}>", mail.parts.to.envelope());
    let reset = step(Phase::MailFrom, timeouts.command, "RSET".to_owned(), Wanted::Clean);
    let mut steps = Vec::with_capacity(4);
    steps.extend((before == Before::Reset).then_some(reset));
    steps.extend([
        step(Phase::MailFrom, timeouts.command, from, Wanted::Success),
        step(Phase::Recipient, timeouts.command, to, Wanted::Success),
        step(Phase::Data, timeouts.data, "DATA".to_owned(), Wanted::Message),
    ]);
    steps
}

impl Step {
    fn judge(&self, answer: Answer) -> Result<(), Stop> {
        match self.wanted {
            Wanted::Clean if answer.code == 250 => Ok(()),
            Wanted::Clean => Err(Stop::broken(self.phase, "the server does not take RSET")),
            Wanted::Success if answer.is_positive() => Ok(()),
            Wanted::Message if answer.code == 354 => Ok(()),
            Wanted::Success | Wanted::Message => Err(Stop::Answer(self.phase, answer)),
        }
    }
}
