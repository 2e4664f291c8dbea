//! An SMTP server that takes every mail, unless a test tells it otherwise.
#![cfg_attr(not(feature = "long-faults"), expect(dead_code, reason = "the soak alone has weather"))]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::mail::TestMail;

/// The mails that were taken, whoever took them.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<TestMail>>>);

impl Mailbox {
    pub fn put(&self, mail: TestMail) {
        self.0.lock().unwrap().push(mail);
    }

    pub fn mails(&self) -> Vec<TestMail> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// The server; it stops with the test.
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    mails: Mailbox,
    /// What is said to RCPT TO instead of 250, by recipient.
    refusals: Mutex<HashMap<String, &'static str>>,
    /// While true, mails are taken but the answer to the final dot is held back.
    holding: watch::Sender<bool>,
    weather: Mutex<Option<Weather>>,
    /// What came with MAIL FROM, one for each mail that was begun.
    senders: Mutex<Vec<String>>,
    doubts: AtomicUsize,
}

/// Trouble by chance: so many percent of the mails meet it.
pub struct Weather {
    dice: StdRng,
    deferred: u32,
    dropped: u32,
}

/// What the weather does to one mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Luck {
    Fair,
    DeferRecipient,
    DeferMail,
    DropBeforeDot,
    DropAfterDot,
}

impl SmtpSink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mails: Mailbox::default(),
            refusals: Mutex::default(),
            holding: watch::Sender::new(false),
            weather: Mutex::default(),
            senders: Mutex::default(),
            doubts: AtomicUsize::new(0),
        });
        let serving = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, serving }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// The mails so far, in the order of their arrival.
    pub fn mails(&self) -> Vec<TestMail> {
        self.shared.mails.mails()
    }

    /// The envelope senders so far.
    pub fn senders(&self) -> Vec<String> {
        self.shared.senders.lock().unwrap().clone()
    }

    /// How many mails there are so far.
    pub fn count(&self) -> usize {
        self.shared.mails.count()
    }

    /// Where another server puts mails that are to count as this one's.
    #[cfg(feature = "failpoints")]
    pub fn mailbox(&self) -> Mailbox {
        self.shared.mails.clone()
    }

    /// From now on this recipient is answered with `reply`.
    pub fn refuse(&self, recipient: &str, reply: &'static str) {
        self.shared.refusals.lock().unwrap().insert(recipient.to_owned(), reply);
    }

    /// Takes everybody's mail again.
    pub fn forgive(&self) {
        self.shared.refusals.lock().unwrap().clear();
    }

    /// From now on, or no longer, chance has its say; the same seed throws the same dice.
    pub fn set_weather(&self, weather: Option<Weather>) {
        *self.shared.weather.lock().unwrap() = weather;
    }

    /// How many mails were taken without an answer, by bad weather.
    pub fn doubts(&self) -> usize {
        self.shared.doubts.load(Ordering::SeqCst)
    }

    /// Takes mails from now on without saying so, or says so.
    pub fn hold(&self, hold: bool) {
        self.shared.holding.send_replace(hold);
    }

    /// Vanishes: open connections break, new ones are refused.
    pub async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Comes back at the same address.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serving = tokio::spawn(accept(listener, self.shared.clone()));
    }
}

impl Weather {
    /// Percentages of mails that are put off with a 4xx, and whose connection breaks.
    pub fn new(seed: u64, deferred: u32, dropped: u32) -> Self {
        Self { dice: StdRng::seed_from_u64(seed), deferred, dropped }
    }

    fn luck(&mut self) -> Luck {
        let first_half = self.dice.random_bool(0.5);
        match (self.dice.random_range(0..100), first_half) {
            (n, true) if n < self.deferred => Luck::DeferRecipient,
            (n, false) if n < self.deferred => Luck::DeferMail,
            (n, true) if n < self.deferred + self.dropped => Luck::DropBeforeDot,
            (n, false) if n < self.deferred + self.dropped => Luck::DropAfterDot,
            _ => Luck::Fair,
        }
    }
}

impl Shared {
    fn luck(&self) -> Luck {
        self.weather.lock().unwrap().as_mut().map_or(Luck::Fair, Weather::luck)
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and with it all conversations.
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        conversations.spawn(converse(stream, shared.clone()));
    }
}

/// `None` when the client has gone.
async fn converse(stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 sink ESMTP").await?;
    let mut recipient = String::new();
    let mut luck = Luck::Fair;
    loop {
        let line = read_line(&mut stream).await?;
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say(&mut stream, "250-sink\r\n250-PIPELINING\r\n250 8BITMIME").await?,
            "MAIL" => {
                luck = shared.luck();
                let sender = line.split(['<', '>']).nth(1)?.to_owned();
                shared.senders.lock().unwrap().push(sender);
                say(&mut stream, "250 2.0.0 ok").await?;
            }
            "RSET" | "NOOP" => say(&mut stream, "250 2.0.0 ok").await?,
            "RCPT" if luck == Luck::DeferRecipient => {
                say(&mut stream, "450 4.2.0 not now").await?;
            }
            "RCPT" => {
                recipient = line.split(['<', '>']).nth(1)?.to_owned();
                let refusal = shared.refusals.lock().unwrap().get(&recipient).copied();
                say(&mut stream, refusal.unwrap_or("250 2.1.5 ok")).await?;
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                if luck == Luck::DropBeforeDot {
                    return None;
                }
                let raw = read_message(&mut stream).await?;
                if luck == Luck::DeferMail {
                    say(&mut stream, "451 4.3.0 not now").await?;
                    continue;
                }
                shared.mails.put(TestMail::received(&recipient, &raw));
                if luck == Luck::DropAfterDot {
                    shared.doubts.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
                shared.holding.subscribe().wait_for(|holding| !holding).await.ok()?;
                say(&mut stream, "250 2.0.0 taken").await?;
            }
            "QUIT" => return say(&mut stream, "221 2.0.0 bye").await,
            _ => say(&mut stream, "500 5.5.2 what?").await?,
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, reply: &str) -> Option<()> {
    stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    Some(line.trim_end().to_owned())
}

async fn read_message(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        if line == ".\r\n" {
            return Some(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
