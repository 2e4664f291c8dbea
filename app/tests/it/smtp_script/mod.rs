//! An SMTP server that does what a test scripts, phase by phase, and remembers what it saw.
//!
//! It takes what [`SmtpSink`] takes, into the same mailbox. When the test ends it holds every
//! message against three promises: exactly one recipient, whom the mail itself names; no log-in in
//! clear where the client was told to demand TLS; and one command at a time unless more are welcome.
#![cfg_attr(not(feature = "long-faults"), expect(dead_code, reason = "some faults take longer"))]

mod conversation;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::smtp_sink::{Mailbox, SmtpSink};

/// The moments at which a script can step in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Reset,
    Mail,
    Rcpt,
    Data,
    /// After the first line of the message.
    Body,
    /// The message is complete: it counts as taken unless the answer says otherwise.
    Dot,
    /// After the answer to the dot.
    Between,
}

/// What happens instead of the usual answer.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// This answer; a message that ends in it is not taken.
    Say(&'static str),
    /// The same, and then the connection ends.
    Leave(&'static str),
    /// The usual answer, so late.
    Late(Duration),
    /// The usual answer, but not before the test calls [`SmtpScript::release`].
    Hold,
    /// No answer at all; the connection stays.
    Silence,
    /// No answer; the connection ends in an orderly way.
    Close,
    /// No answer; the connection is reset.
    Break,
    /// An answer of ever more lines.
    EndlessLines,
    /// An answer of one line that never ends.
    EndlessLine,
    /// The usual answer, one byte after each pause.
    Trickle(Duration),
    /// From here on this connection gives each answer only when the next command has come.
    OneBehind,
}

/// When something happens, and to whom.
#[derive(Debug, Clone)]
pub struct Rule {
    at: At,
    act: Act,
    to: Option<String>,
    left: usize,
}

impl Rule {
    /// To everybody, again and again.
    pub const fn new(at: At, act: Act) -> Self {
        Self { at, act, to: None, left: usize::MAX }
    }

    /// Only to `n<number>@example.com`; there is a recipient from [`At::Rcpt`] on.
    pub fn to(mut self, number: usize) -> Self {
        self.to = Some(format!("n{number}@example.com"));
        self
    }

    /// Only so often.
    pub const fn times(mut self, times: usize) -> Self {
        self.left = times;
        self
    }
}

/// What the server does about TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Offers none, and takes log-ins in clear.
    None,
    /// Offers none to clients that demand it: a log-in is a broken promise.
    Stripped,
    /// Offers STARTTLS, with a certificate for 127.0.0.1.
    Offered,
}

/// What the server does about several commands at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipelining {
    /// Offers nothing: whoever sends them all the same breaks a promise.
    None,
    Offered,
    /// Offers it, and throws away whatever it has read beyond the command that it answers.
    Lost,
}

/// A message whose final dot arrived.
#[derive(Debug, Clone)]
pub struct Message {
    /// Whether the client could read a 250.
    pub told: bool,
}

/// What the server saw.
#[derive(Debug, Default)]
pub struct Journal {
    pub connections: usize,
    /// Each with the number of its connection.
    pub commands: Vec<(usize, String)>,
    /// How many of them came in one piece with the one before.
    pub pipelined: usize,
    /// Messages that were begun, with a dot or without.
    pub begun: usize,
    pub messages: Vec<Message>,
    /// Rules that were followed.
    fired: Vec<At>,
    broken_promises: Vec<String>,
}

/// The server; it stops with the test.
pub struct SmtpScript {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    rules: watch::Sender<Vec<Rule>>,
    tls: Mutex<Tls>,
    pipelining: Mutex<Pipelining>,
    journal: Mutex<Journal>,
    mailbox: Mailbox,
}

impl SmtpScript {
    /// Starts beside `sink`; what it takes is among the sink's mails.
    pub async fn beside(sink: &SmtpSink) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rules: watch::Sender::default(),
            tls: Mutex::new(Tls::None),
            pipelining: Mutex::new(Pipelining::None),
            journal: Mutex::default(),
            mailbox: sink.mailbox(),
        });
        let serving = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, serving }
    }

    /// For `mail.url`, without TLS.
    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// For `mail.url`, with a log-in and these options.
    pub fn url_with(&self, log_in: &str, options: &str) -> String {
        format!("smtp://{log_in}@{}?{options}", self.address)
    }

    /// From now on; of several rules that fit, the first counts.
    pub fn add(&self, rule: Rule) {
        self.shared.rules.send_modify(|rules| rules.push(rule));
    }

    /// Forgets the rules for this moment; what is held there goes on.
    pub fn release(&self, at: At) {
        self.shared.rules.send_modify(|rules| rules.retain(|rule| rule.at != at));
    }

    /// Forgets all rules.
    pub fn heal(&self) {
        self.shared.rules.send_modify(Vec::clear);
    }

    pub fn set_tls(&self, tls: Tls) {
        *self.shared.tls.lock().unwrap() = tls;
    }

    pub fn set_pipelining(&self, pipelining: Pipelining) {
        *self.shared.pipelining.lock().unwrap() = pipelining;
    }

    pub fn journal<T>(&self, read: impl FnOnce(&Journal) -> T) -> T {
        read(&self.shared.journal.lock().unwrap())
    }

    /// How often a rule for this moment was followed.
    pub fn fired(&self, at: At) -> usize {
        self.journal(|journal| journal.fired.iter().filter(|fired| **fired == at).count())
    }
}

impl Drop for SmtpScript {
    fn drop(&mut self) {
        self.serving.abort();
        if !std::thread::panicking() {
            let broken = self.journal(|journal| journal.broken_promises.clone());
            assert!(broken.is_empty(), "{broken:?}");
        }
    }
}

impl Shared {
    /// What is scripted for this moment, and takes one turn off it.
    fn next(&self, at: At, recipient: Option<&str>) -> Option<Act> {
        let mut act = None;
        self.rules.send_if_modified(|rules| {
            let fits = |rule: &&mut Rule| {
                let meant = rule.to.as_deref().is_none_or(|to| recipient == Some(to));
                rule.at == at && meant && rule.left > 0
            };
            if let Some(rule) = rules.iter_mut().find(fits) {
                rule.left -= 1;
                act = Some(rule.act);
            }
            false
        });
        if act.is_some() {
            self.note(|journal| journal.fired.push(at));
        }
        act
    }

    fn note<T>(&self, write: impl FnOnce(&mut Journal) -> T) -> T {
        write(&mut self.journal.lock().unwrap())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and with it all conversations.
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        conversations.spawn(conversation::run(stream, shared.clone()));
        while conversations.try_join_next().is_some() {}
    }
}
