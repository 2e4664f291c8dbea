//! The sink's process: listens, and takes orders on its standard input.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::conversation::converse;
use super::tls::acceptor;
use crate::Result;

/// How many mails are kept to be looked at.
const KEPT: usize = 4;

/// What all conversations share.
pub struct Shared {
    delay_us: AtomicU64,
    tally: Mutex<Tally>,
}

struct Tally {
    since: Instant,
    count: usize,
    first: Duration,
    last: Duration,
    kept: VecDeque<Vec<u8>>,
}

impl Shared {
    /// How long a mail takes now.
    pub fn delay(&self) -> Duration {
        Duration::from_micros(self.delay_us.load(Ordering::Relaxed))
    }

    /// A mail is complete.
    pub fn took(&self, mail: &[u8]) {
        let mut tally = self.tally();
        tally.last = tally.since.elapsed();
        if tally.count == 0 {
            tally.first = tally.last;
        }
        tally.count += 1;
        // The buffer of the oldest is used again.
        let mut buffer = if tally.kept.len() < KEPT { None } else { tally.kept.pop_front() };
        let buffer = buffer.get_or_insert_default();
        buffer.clear();
        buffer.extend_from_slice(mail);
        let buffer = std::mem::take(buffer);
        tally.kept.push_back(buffer);
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until its standard input ends.
pub fn serve() -> Result<()> {
    // One thread: it takes tens of thousands of mails in a second, and leaves the rest to others.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let shared = Arc::new(Shared {
        delay_us: AtomicU64::new(0),
        tally: Mutex::new(Tally::new(VecDeque::new())),
    });
    let (handle, orders) = (runtime.handle().clone(), Arc::clone(&shared));
    let (done, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        done.send(obey(&handle, &orders).map_err(|error| error.to_string()))
    });
    Ok(runtime.block_on(ended)??)
}

fn obey(runtime: &Handle, shared: &Arc<Shared>) -> Result<()> {
    let (mut address, mut listening) = (None, None);
    for order in std::io::stdin().lock().lines() {
        let order = order?;
        let answer = match order.split_once(' ').unwrap_or((&order, "")) {
            ("open", _) => {
                let (at, task) = listen(runtime, address, shared, None)?;
                (address, listening) = (Some(at), Some(task));
                json!(at.to_string())
            }
            ("secure", _) => {
                // It listens until the end: nobody closes it.
                let (at, _) = listen(runtime, None, shared, Some(acceptor()?))?;
                json!(at.to_string())
            }
            ("close", _) => {
                if let Some(task) = listening.take() {
                    task.abort();
                    drop(runtime.block_on(task));
                }
                Value::Null
            }
            ("delay", micros) => {
                shared.delay_us.store(micros.parse()?, Ordering::Relaxed);
                Value::Null
            }
            ("reset", _) => {
                let mut tally = shared.tally();
                let kept = std::mem::take(&mut tally.kept);
                *tally = Tally::new(kept);
                Value::Null
            }
            ("taken", _) => {
                let tally = shared.tally();
                let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                let (first, last) = (micros(tally.first), micros(tally.last));
                json!({"count": tally.count, "first_us": first, "last_us": last})
            }
            ("last", _) => {
                json!(shared.tally().kept.back().map(|mail| String::from_utf8_lossy(mail)))
            }
            _ => return Err(format!("the sink does not know the order {order}").into()),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

impl Tally {
    fn new(kept: VecDeque<Vec<u8>>) -> Self {
        let zero = Duration::ZERO;
        Self { since: Instant::now(), count: 0, first: zero, last: zero, kept }
    }
}

fn listen(
    runtime: &Handle,
    address: Option<SocketAddr>,
    shared: &Arc<Shared>,
    tls: Option<TlsAcceptor>,
) -> Result<(SocketAddr, JoinHandle<()>)> {
    let _inside = runtime.enter();
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))))?;
    let listener = socket.listen(1024)?;
    let address = listener.local_addr()?;
    Ok((address, tokio::spawn(accept(listener, Arc::clone(shared), tls))))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tls: Option<TlsAcceptor>) {
    // Dropped with this task, and with it all conversations.
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        conversations.spawn(async move { drop(begin(stream, &shared, tls).await) });
        while conversations.try_join_next().is_some() {}
    }
}

async fn begin(stream: TcpStream, shared: &Shared, tls: Option<TlsAcceptor>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => converse(tls.accept(stream).await?, shared).await,
        None => converse(stream, shared).await,
    }
}
