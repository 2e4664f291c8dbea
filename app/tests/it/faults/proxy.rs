//! A TCP proxy that misbehaves when told to, and counts how often it did.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How all connections are treated, open ones as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is wrong.
    Pass,
    /// Every connection is reset at once, as if nobody listened.
    Refuse,
    /// Nothing moves any more, and nothing is closed either.
    Blackhole,
    /// What the server says vanishes; what the client says arrives.
    Mute,
}

/// What happens once, to the first connection that it fits.
#[derive(Debug, Clone)]
pub enum Trap {
    /// Resets a new connection after so many bytes from the client.
    AfterBytes(usize),
    /// Lets these bytes of the client pass, swallows the next answer and resets the connection.
    LoseAnswerTo(&'static [u8]),
}

/// The proxy; it stops with the test.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    state: watch::Sender<State>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct State {
    mode: Mode,
    /// How often everything was cut.
    cuts: usize,
}

#[derive(Default)]
struct Shared {
    trap: Mutex<Option<Trap>>,
    sprung: AtomicUsize,
    connections: AtomicUsize,
    refused: AtomicUsize,
    swallowed: AtomicUsize,
}

impl Proxy {
    /// Leads to `server`, an address as `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let state = watch::Sender::new(State { mode: Mode::Pass, cuts: 0 });
        let accepting =
            tokio::spawn(accept(listener, server.to_owned(), shared.clone(), state.subscribe()));
        Self { address, shared, state, accepting }
    }

    /// Leads to the server that `url` names; gives the URL that leads here.
    pub async fn before(url: &str, default_port: u16) -> (Self, String) {
        let mut url = url::Url::parse(url).unwrap();
        let host = url.host_str().unwrap();
        let proxy = Self::to(&format!("{host}:{}", url.port().unwrap_or(default_port))).await;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(proxy.address.port())).unwrap();
        (proxy, url.into())
    }

    /// From now on, for all connections.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Resets all open connections; new ones are welcome.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Waits for the first connection that it fits; replaces one that waits still.
    pub fn set_trap(&self, trap: Trap) {
        *self.shared.trap.lock().unwrap() = Some(trap);
    }

    /// How many traps have sprung.
    pub fn sprung(&self) -> usize {
        self.shared.sprung.load(Ordering::SeqCst)
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections were refused or cut off by a mode.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }

    /// How many bytes vanished.
    pub fn swallowed(&self) -> usize {
        self.shared.swallowed.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: String,
    shared: Arc<Shared>,
    state: watch::Receiver<State>,
) {
    // Dropped with this task, and with it all connections.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(lead(client, server.clone(), shared.clone(), state.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn lead(
    client: TcpStream,
    server: String,
    shared: Arc<Shared>,
    mut state: watch::Receiver<State>,
) {
    // Both ends learn of it by a reset, not by an orderly end.
    client.set_zero_linger().unwrap();
    client.set_nodelay(true).unwrap();
    let cuts = state.borrow_and_update().cuts;
    let carried = state.clone();
    let carry = async {
        let wire = Wire { shared: &shared, state: carried };
        wire.wait().await;
        let Ok(server) = TcpStream::connect(server).await else { return };
        server.set_zero_linger().unwrap();
        server.set_nodelay(true).unwrap();
        let bytes = shared.take_bytes();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let answers = watch::Sender::new(Answers::Pass);
        let heard = answers.subscribe();
        tokio::select! {
            () = wire.carry_questions(from_client, to_server, bytes, &answers) => {}
            () = wire.carry_answers(from_server, to_client, heard) => {}
        }
    };
    tokio::select! {
        () = carry => {}
        _ = state.wait_for(|state| state.mode == Mode::Refuse || state.cuts != cuts) => {
            shared.refused.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// What becomes of the next answer on a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    Pass,
    LoseNext,
}

struct Wire<'a> {
    shared: &'a Shared,
    state: watch::Receiver<State>,
}

impl Wire<'_> {
    /// Ends when the connection is to be reset or has ended.
    async fn carry_questions(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut bytes: Option<usize>,
        answers: &watch::Sender<Answers>,
    ) {
        let mut buffer = vec![0; 64 * 1024];
        let mut seen = Vec::new();
        loop {
            let Some(read) = read(&mut from, &mut buffer).await else { return };
            let mut chunk = &buffer[..read];
            self.wait().await;
            if let Some(left) = &mut bytes {
                if *left <= chunk.len() {
                    chunk = &chunk[..*left];
                    let _ = to.write_all(chunk).await;
                    self.shared.sprung.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                *left -= chunk.len();
            }
            if self.shared.springs(&mut seen, chunk) {
                answers.send_replace(Answers::LoseNext);
            }
            if to.write_all(chunk).await.is_err() {
                return;
            }
        }
    }

    async fn carry_answers(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        answers: watch::Receiver<Answers>,
    ) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Some(read) = read(&mut from, &mut buffer).await else { return };
            self.wait().await;
            let mode = self.state.borrow().mode;
            if *answers.borrow() == Answers::LoseNext {
                self.shared.swallowed.fetch_add(read, Ordering::SeqCst);
                return;
            }
            if mode == Mode::Mute {
                self.shared.swallowed.fetch_add(read, Ordering::SeqCst);
                continue;
            }
            if to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    }

    /// Until the mode lets bytes pass.
    async fn wait(&self) {
        let mut state = self.state.clone();
        let _ = state.wait_for(|state| state.mode != Mode::Blackhole).await;
    }
}

impl Shared {
    /// How many bytes a new connection may carry.
    fn take_bytes(&self) -> Option<usize> {
        let mut trap = self.trap.lock().unwrap();
        let Some(Trap::AfterBytes(bytes)) = *trap else { return None };
        *trap = None;
        Some(bytes)
    }

    /// Whether the trap springs at what the client has said up to the end of `chunk`.
    fn springs(&self, seen: &mut Vec<u8>, chunk: &[u8]) -> bool {
        let mut trap = self.trap.lock().unwrap();
        let Some(Trap::LoseAnswerTo(pattern)) = *trap else {
            seen.clear();
            return false;
        };
        seen.extend_from_slice(chunk);
        let found = seen.windows(pattern.len()).any(|window| window == pattern);
        // The pattern may be cut in two: what may be its beginning stays.
        seen.drain(..seen.len().saturating_sub(pattern.len() - 1));
        if found {
            *trap = None;
            self.sprung.fetch_add(1, Ordering::SeqCst);
        }
        found
    }
}

/// `None` at the end.
async fn read(from: &mut OwnedReadHalf, buffer: &mut [u8]) -> Option<usize> {
    from.read(buffer).await.ok().filter(|read| *read > 0)
}
