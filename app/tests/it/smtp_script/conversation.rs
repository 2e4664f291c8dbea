//! One conversation of the scripted server.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Act, At, Message, Pipelining, Shared, Tls};
use crate::mail::TestMail;

const TLS_FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls");

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<Box<dyn Stream>> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.tcp()
    }
}

struct Conversation {
    shared: Arc<Shared>,
    number: usize,
    stream: BufReader<Box<dyn Stream>>,
    encrypted: bool,
    recipients: Vec<String>,
    /// The answer that is still owed, once this connection is one behind.
    owed: Option<String>,
    one_behind: bool,
}

/// Speaks until the client, or the script, ends it.
pub(super) async fn run(stream: TcpStream, shared: Arc<Shared>) {
    let number = shared.note(|journal| {
        journal.connections += 1;
        journal.connections
    });
    stream.set_nodelay(true).unwrap();
    let mut conversation = Conversation {
        shared,
        number,
        stream: BufReader::new(Box::new(stream)),
        encrypted: false,
        recipients: Vec::new(),
        owed: None,
        one_behind: false,
    };
    if conversation.act(At::Greeting, "220 script ESMTP").await.is_some() {
        while let Some(after) = conversation.step().await {
            match after {
                After::Command => {}
                After::StartTls => {
                    let Some(encrypted) = conversation.encrypt().await else { return };
                    conversation = encrypted;
                }
            }
        }
    }
}

enum After {
    Command,
    StartTls,
}

impl Conversation {
    /// One command; `None` at the end.
    async fn step(&mut self) -> Option<After> {
        let behind_another = !self.stream.buffer().is_empty();
        let line = self.read_line().await?;
        let line = line.trim_end();
        let pipelining = *self.shared.pipelining.lock().unwrap();
        self.shared.note(|journal| {
            journal.commands.push((self.number, line.to_owned()));
            journal.pipelined += usize::from(behind_another);
            if behind_another && pipelining == Pipelining::None {
                journal.broken_promises.push(format!("not waited for: {line}"));
            }
        });
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let tls = *self.shared.tls.lock().unwrap();
        match verb.as_str() {
            "EHLO" => {
                let offer = match tls {
                    Tls::Offered if !self.encrypted => "250-script\r\n250 STARTTLS",
                    _ if pipelining != Pipelining::None => {
                        "250-script\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN"
                    }
                    _ => "250-script\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
                };
                self.act(At::Ehlo, offer).await?;
            }
            "STARTTLS" if tls == Tls::Offered => {
                let said = self.act(At::StartTls, "220 go").await?;
                if said.starts_with("220") {
                    return Some(After::StartTls);
                }
            }
            "AUTH" => {
                if tls != Tls::None && !self.encrypted {
                    self.shared.note(|j| j.broken_promises.push(format!("in clear: {line}")));
                }
                self.act(At::Auth, "235 2.7.0 welcome").await?;
            }
            "RSET" => drop(self.act(At::Reset, "250 2.0.0 flushed").await?),
            "MAIL" => {
                self.recipients.clear();
                self.act(At::Mail, "250 2.1.0 ok").await?;
            }
            "RCPT" => {
                self.recipients.push(line.split(['<', '>']).nth(1)?.to_owned());
                self.act(At::Rcpt, "250 2.1.5 ok").await?;
            }
            "DATA" => self.data().await?,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return None;
            }
            _ => self.say("500 5.5.2 what?").await?,
        }
        if pipelining == Pipelining::Lost {
            let read_ahead = self.stream.buffer().len();
            self.stream.consume(read_ahead);
        }
        Some(After::Command)
    }

    async fn data(&mut self) -> Option<()> {
        let said = self.act(At::Data, "354 go on").await?;
        if !said.starts_with("354") {
            return Some(());
        }
        self.shared.note(|journal| journal.begun += 1);
        let mut raw = self.read_line().await?;
        self.act(At::Body, "").await?;
        loop {
            let line = self.read_line().await?;
            if line == ".\r\n" {
                break;
            }
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        // The answer to the dot was given before it came: this server has thrown the message away.
        let answered_already = said.contains('\n');
        self.dot(&raw, answered_already).await
    }

    async fn dot(&mut self, raw: &str, answered_already: bool) -> Option<()> {
        let to = self.recipients.last().cloned().unwrap_or_default();
        let act = self.shared.next(At::Dot, Some(&to));
        let refused =
            matches!(act, Some(Act::Say(_) | Act::Leave(_) | Act::EndlessLines | Act::EndlessLine));
        let taken = !refused && !answered_already;
        let mail = TestMail::received(&to, raw);
        let at = self.shared.note(|journal| {
            if self.recipients.len() != 1 || !names(&mail, &to) {
                journal.broken_promises.push(format!("{:?}: {raw}", self.recipients));
            }
            journal.messages.push(Message { told: false });
            journal.messages.len() - 1
        });
        if taken {
            // Kept first: the client may look as soon as it has the answer.
            self.shared.mailbox.put(mail);
        }
        if answered_already {
            return None;
        }
        let said = self.perform(At::Dot, act, "250 2.0.0 taken").await?;
        if said.starts_with("250 ") && !self.one_behind {
            self.shared.note(|journal| journal.messages[at].told = true);
        }
        self.act(At::Between, "").await.map(drop)
    }

    /// What is scripted, or the usual; gives what was said, or `None` at the end.
    async fn act(&mut self, at: At, usual: &str) -> Option<String> {
        let act = self.shared.next(at, self.recipients.last().map(String::as_str));
        self.perform(at, act, usual).await
    }

    async fn perform(&mut self, at: At, act: Option<Act>, usual: &str) -> Option<String> {
        let mut answer = usual;
        match act {
            None => {}
            Some(Act::Say(other)) => answer = other,
            Some(Act::Leave(last)) => {
                self.say(last).await?;
                return None;
            }
            // Here and in `trickle` the time is what the client is tested with.
            Some(Act::Late(time)) => sleep(time).await,
            Some(Act::Hold) => self.released(at).await?,
            Some(Act::Silence) => {
                while self.read_line().await.is_some() {}
                return None;
            }
            Some(Act::Close) => return None,
            Some(Act::Break) => {
                self.stream.get_ref().tcp().set_zero_linger().unwrap();
                return None;
            }
            Some(Act::EndlessLines) => return self.babble("250-more\r\n").await,
            Some(Act::EndlessLine) => return self.babble("250 and on and on ").await,
            Some(Act::Trickle(pause)) => {
                self.trickle(usual, pause).await?;
                return Some(usual.to_owned());
            }
            Some(Act::OneBehind) => self.one_behind = true,
        }
        if !answer.is_empty() {
            self.say(answer).await?;
        }
        Some(answer.to_owned())
    }

    async fn released(&self, at: At) -> Option<()> {
        let mut rules = self.shared.rules.subscribe();
        let none = |rules: &Vec<super::Rule>| !rules.iter().any(|rule| rule.at == at);
        rules.wait_for(none).await.ok().map(drop)
    }

    async fn babble(&mut self, words: &str) -> Option<String> {
        loop {
            self.write(words.repeat(100).as_bytes()).await?;
        }
    }

    async fn trickle(&mut self, answer: &str, pause: Duration) -> Option<()> {
        for byte in format!("{answer}\r\n").bytes() {
            // The time itself is what the client is tested with.
            sleep(pause).await;
            self.write(&[byte]).await?;
        }
        Some(())
    }

    async fn say(&mut self, answer: &str) -> Option<()> {
        let mut answer = format!("{answer}\r\n");
        if self.one_behind {
            let Some(due) = self.owed.replace(answer) else { return Some(()) };
            answer = due;
        }
        self.write(answer.as_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).await.ok()?;
        self.stream.flush().await.ok()
    }

    async fn read_line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        Some(line)
    }

    async fn encrypt(self) -> Option<Self> {
        let stream = acceptor().accept(self.stream.into_inner()).await.ok()?;
        Some(Self { stream: BufReader::new(Box::new(stream)), encrypted: true, ..self })
    }
}

/// Whether the mail's own head names this recipient.
fn names(mail: &TestMail, to: &str) -> bool {
    let head = mail.source.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().any(|line| line.starts_with("To:") && line.contains(to))
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(format!("{TLS_FILES}/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{TLS_FILES}/key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
