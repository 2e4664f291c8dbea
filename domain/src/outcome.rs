//! How one attempt to send a mail ended, and the one table that decides what an SMTP reply means.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The server answered exactly 250 to the final dot: it has taken responsibility
    /// (RFC 5321 §4.2.5).
    Sent,
    /// The server says that the mailbox does not exist: no use in trying it again, ever.
    NoSuchRecipient(Trouble),
    /// The server refuses this mail for good; the address may be fine.
    Refused(Trouble),
    /// The mail could not be made from its template.
    Unrenderable(Trouble),
    /// The template of the mail's organization cannot make it: it waits until that is mended.
    Parked(Trouble),
    /// Not now: try again later.
    Deferred(Trouble),
    /// The mail may or may not have been taken: the answer to the final dot was lost.
    Uncertain(Trouble),
    /// The trouble is ours (connection, TLS, log-in, sender): it says nothing about this mail.
    Ours(Trouble),
    /// So many others go to the same domain at this moment: it waits for its turn.
    Crowded(Trouble),
}

/// What went wrong, and where in the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// How far the conversation had come.
    pub phase: Phase,
    /// What the server said, if it said something.
    pub reply: Option<Reply>,
    /// One sentence for the person who reads the timeline; no secret, no address.
    pub detail: String,
}

/// A reply of an SMTP server (RFC 5321 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The enhanced status code, such as `5.1.1` (RFC 3463), if there was one.
    pub enhanced: Option<Enhanced>,
}

/// An enhanced status code: class, subject, detail (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enhanced(pub u8, pub u16, pub u16);

/// The steps of an attempt, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(example = "recipient")]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The template is rendered and the message built.
    Render,
    /// The TCP connection is made.
    Connect,
    /// TLS is negotiated, at once or after STARTTLS.
    Tls,
    /// The server's greeting is awaited.
    Greeting,
    /// EHLO is answered.
    Hello,
    /// AUTH is answered.
    Auth,
    /// MAIL FROM is answered.
    MailFrom,
    /// RCPT TO is answered.
    Recipient,
    /// DATA is answered.
    Data,
    /// The message is being written; the final dot is not.
    Body,
    /// The final dot is out.
    FinalDot,
}

impl Phase {
    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Render => "render",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::Auth => "auth",
            Self::MailFrom => "mail_from",
            Self::Recipient => "recipient",
            Self::Data => "data",
            Self::Body => "body",
            Self::FinalDot => "final_dot",
        }
    }
}

impl SendOutcome {
    /// Decides what a server's reply means that ended the conversation in `phase`.
    ///
    /// Not for replies that let the conversation go on. A success where none is due (for example
    /// 354 to the final dot) means that the two sides are out of step: nothing it says is believed.
    pub fn from_reply(phase: Phase, reply: Reply, detail: String) -> Self {
        if phase == Phase::FinalDot && reply.code == 250 {
            return Self::Sent;
        }
        let class = reply.code / 100;
        let mailbox_is_gone = reply.enhanced.is_some_and(Enhanced::says_mailbox_is_gone);
        // 421 closes the channel (RFC 5321 §3.8): it is about the server, not about this mail.
        let closing = reply.code == 421;
        let trouble = Trouble { phase, reply: Some(reply), detail };
        match phase {
            Phase::Render => Self::Unrenderable(trouble),
            Phase::Connect | Phase::Tls | Phase::Greeting | Phase::Hello | Phase::Auth => {
                Self::Ours(trouble)
            }
            _ if closing => Self::Ours(trouble),
            Phase::MailFrom if class == 4 => Self::Deferred(trouble),
            Phase::MailFrom => Self::Ours(trouble),
            Phase::Recipient if class == 5 && mailbox_is_gone => Self::NoSuchRecipient(trouble),
            Phase::Recipient | Phase::Data | Phase::FinalDot
                if class == 5 && trouble.says_mailbox_is_full() =>
            {
                Self::Deferred(trouble)
            }
            Phase::Recipient | Phase::Data | Phase::FinalDot if class == 5 => {
                Self::Refused(trouble)
            }
            Phase::FinalDot if class == 4 => Self::Deferred(trouble),
            Phase::FinalDot => Self::Uncertain(trouble),
            Phase::Recipient | Phase::Data | Phase::Body => Self::Deferred(trouble),
        }
    }

    /// Decides what a lost connection, a timeout or garbage in `phase` means.
    pub fn from_broken_conversation(phase: Phase, detail: String) -> Self {
        let trouble = Trouble { phase, reply: None, detail };
        match phase {
            Phase::Render => Self::Unrenderable(trouble),
            Phase::Connect | Phase::Tls | Phase::Greeting | Phase::Hello | Phase::Auth => {
                Self::Ours(trouble)
            }
            Phase::MailFrom | Phase::Recipient | Phase::Data | Phase::Body => {
                Self::Deferred(trouble)
            }
            Phase::FinalDot => Self::Uncertain(trouble),
        }
    }

    /// What went wrong; `None` if nothing did.
    pub const fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Sent => None,
            Self::NoSuchRecipient(trouble)
            | Self::Refused(trouble)
            | Self::Unrenderable(trouble)
            | Self::Parked(trouble)
            | Self::Deferred(trouble)
            | Self::Uncertain(trouble)
            | Self::Ours(trouble)
            | Self::Crowded(trouble) => Some(trouble),
        }
    }

    /// The word in the database, on the wire and in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NoSuchRecipient(_) => "no_such_recipient",
            Self::Refused(_) => "refused",
            Self::Unrenderable(_) => "unrenderable",
            Self::Parked(_) => "parked",
            Self::Deferred(_) => "deferred",
            Self::Uncertain(_) => "uncertain",
            Self::Ours(_) => "ours",
            Self::Crowded(_) => "crowded",
        }
    }
}

impl Trouble {
    /// 5.2.2 (RFC 3463): a full mailbox is emptied some day, whatever the first digit says.
    fn says_mailbox_is_full(&self) -> bool {
        let enhanced = self.reply.as_ref().and_then(|reply| reply.enhanced);
        enhanced.is_some_and(|Enhanced(_, subject, detail)| (subject, detail) == (2, 2))
    }
}

impl Enhanced {
    /// 5.1.1, 5.1.2, 5.1.3, 5.1.6, 5.1.10 (RFC 7505) and 5.2.1: the address is bad or disabled.
    pub fn says_mailbox_is_gone(self) -> bool {
        matches!(self, Self(5, 1, 1 | 2 | 3 | 6 | 10) | Self(5, 2, 1))
    }

    /// Finds an enhanced status code at the start of a reply's text.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        let mut parts = word.split('.');
        let class = parts.next()?.parse().ok()?;
        let subject = parts.next()?.parse().ok()?;
        let detail = parts.next()?.parse().ok()?;
        let known_class = matches!(class, 2 | 4 | 5);
        (parts.next().is_none() && known_class).then_some(Self(class, subject, detail))
    }
}

impl std::fmt::Display for Enhanced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}
