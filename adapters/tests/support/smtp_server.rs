//! An SMTP server that does what a test scripts, and remembers what it saw.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// The moments at which a script can step in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Greeting,
    Ehlo,
    Auth,
    Rset,
    Mail,
    Rcpt,
    Data,
    /// After 354, before the first line of the message is read.
    Body,
    Dot,
    /// After the answer to the dot.
    Done,
}

/// What happens instead of the usual answer.
#[derive(Clone)]
pub enum Act {
    Say(&'static str),
    /// Never answers, but stays.
    Hang,
    Close,
    /// Answers once the test says so.
    Late(Arc<Notify>, &'static str),
    /// The usual, so that a later step can be scripted.
    Usual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    StartTls,
    Implicit,
}

/// What the server says and does about several commands at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipelining {
    /// Does not offer it.
    None,
    Offered,
    /// Offers it, and throws away whatever it has read beyond the command that it answers.
    Lost,
}

/// A mail that was answered with 250.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub connection: usize,
    pub from: String,
    pub to: String,
    pub raw: String,
}

#[derive(Default)]
pub struct Journal {
    pub connections: usize,
    pub commands: Vec<String>,
    /// How many commands came with each other, in one piece.
    pub pieces: Vec<usize>,
    pub accepted: Vec<Accepted>,
}

pub struct SmtpServer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Vec<(At, VecDeque<Act>)>>,
    journal: Mutex<Journal>,
    encryption: Encryption,
    pipelining: Pipelining,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

enum End {
    Closed,
    StartTls(BufReader<Box<dyn Stream>>),
}

impl SmtpServer {
    pub async fn start(encryption: Encryption, script: &[(At, Act)]) -> Self {
        Self::start_with(encryption, Pipelining::None, script).await
    }

    pub async fn start_with(
        encryption: Encryption,
        pipelining: Pipelining,
        script: &[(At, Act)],
    ) -> Self {
        let mut steps: Vec<(At, VecDeque<Act>)> = Vec::new();
        for (at, act) in script {
            match steps.iter_mut().find(|(known, _)| known == at) {
                Some((_, acts)) => acts.push_back(act.clone()),
                None => steps.push((*at, VecDeque::from([act.clone()]))),
            }
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Mutex::new(steps);
        let shared = Arc::new(Shared { script, journal: Mutex::default(), encryption, pipelining });
        let server = Self { address, shared: shared.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(shared.clone(), stream));
            }
        });
        server
    }

    pub fn journal<T>(&self, read: impl FnOnce(&Journal) -> T) -> T {
        read(&self.shared.journal.lock().unwrap())
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let connection = {
        let mut journal = shared.journal.lock().unwrap();
        journal.connections += 1;
        journal.connections
    };
    let mut encrypted = shared.encryption == Encryption::Implicit;
    let stream: Box<dyn Stream> = if encrypted {
        match acceptor().accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        }
    } else {
        Box::new(stream)
    };
    let mut stream = BufReader::new(stream);
    if shared.act(At::Greeting, "220 test ESMTP", &mut stream).await.is_none() {
        return;
    }
    loop {
        match converse(&shared, connection, stream, encrypted).await {
            Some(End::StartTls(plain)) => {
                let Ok(tls) = acceptor().accept(plain.into_inner()).await else { return };
                stream = BufReader::new(Box::new(tls));
                encrypted = true;
            }
            Some(End::Closed) | None => return,
        }
    }
}

/// `None` when the script or the client ends the conversation.
async fn converse(
    shared: &Shared,
    connection: usize,
    mut stream: BufReader<Box<dyn Stream>>,
    encrypted: bool,
) -> Option<End> {
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        let behind_another = !stream.buffer().is_empty();
        let line = read_line(&mut stream).await?;
        shared.note(&line, behind_another);
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                let offer = match (shared.encryption, encrypted, shared.pipelining) {
                    (Encryption::StartTls, false, _) => "250-test\r\n250 STARTTLS",
                    (_, _, Pipelining::None) => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
                    _ => "250-test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN",
                };
                shared.act(At::Ehlo, offer, &mut stream).await?;
            }
            "STARTTLS" => {
                say(&mut stream, "220 go").await?;
                return Some(End::StartTls(stream));
            }
            "AUTH" => {
                shared.act(At::Auth, "235 2.7.0 welcome", &mut stream).await?;
            }
            "RSET" => {
                shared.act(At::Rset, "250 flushed", &mut stream).await?;
            }
            "MAIL" => {
                from = line;
                shared.act(At::Mail, "250 2.1.0 ok", &mut stream).await?;
            }
            "RCPT" => {
                to = line;
                shared.act(At::Rcpt, "250 2.1.5 ok", &mut stream).await?;
            }
            "DATA" => {
                let reply = shared.act(At::Data, "354 go", &mut stream).await?;
                if !reply.starts_with("354") {
                    continue;
                }
                shared.act(At::Body, "", &mut stream).await?;
                let raw = read_message(&mut stream).await?;
                let mail = Accepted { connection, from: from.clone(), to: to.clone(), raw };
                // Written down first: the client may look as soon as it has the answer.
                let next = shared.peek(At::Dot);
                if !matches!(next, Some(Act::Close | Act::Hang | Act::Say(_) | Act::Late(..))) {
                    shared.journal.lock().unwrap().accepted.push(mail);
                }
                shared.act(At::Dot, "250 2.0.0 queued", &mut stream).await?;
                shared.act(At::Done, "", &mut stream).await?;
            }
            "QUIT" => return Some(End::Closed),
            _ => say(&mut stream, "500 5.5.2 what?").await?,
        }
        if shared.pipelining == Pipelining::Lost {
            let read_ahead = stream.buffer().len();
            stream.consume(read_ahead);
        }
    }
}

impl Shared {
    fn note(&self, line: &str, behind_another: bool) {
        let mut journal = self.journal.lock().unwrap();
        journal.commands.push(line.to_owned());
        match journal.pieces.last_mut() {
            Some(count) if behind_another => *count += 1,
            _ => journal.pieces.push(1),
        }
    }

    fn peek(&self, at: At) -> Option<Act> {
        let script = self.script.lock().unwrap();
        script.iter().find(|(known, _)| *known == at)?.1.front().cloned()
    }

    fn next(&self, at: At) -> Act {
        let mut script = self.script.lock().unwrap();
        let acts = script.iter_mut().find(|(known, _)| *known == at);
        acts.and_then(|(_, acts)| acts.pop_front()).unwrap_or(Act::Usual)
    }

    /// Does what is scripted; gives what was said.
    async fn act(
        &self,
        at: At,
        usual: &'static str,
        stream: &mut BufReader<Box<dyn Stream>>,
    ) -> Option<&'static str> {
        let reply = match self.next(at) {
            Act::Usual => usual,
            Act::Say(reply) => reply,
            Act::Close => return None,
            Act::Hang => {
                while read_line(stream).await.is_some() {}
                return None;
            }
            Act::Late(now, reply) => {
                now.notified().await;
                reply
            }
        };
        if !reply.is_empty() {
            say(stream, reply).await?;
        }
        Some(reply)
    }
}

async fn say(stream: &mut BufReader<Box<dyn Stream>>, reply: &str) -> Option<()> {
    stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn read_line(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.ok().filter(|read| *read > 0)?;
    Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

async fn read_message(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
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

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
