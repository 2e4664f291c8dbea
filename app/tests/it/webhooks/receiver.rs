//! An endpoint that remembers every request, and answers as a test wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::servers::eventually;

/// What one request is answered with.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This status, and nothing else.
    Status(u16),
    /// These header lines after the status, each with its end.
    With(u16, String),
    /// Nothing, and the connection stays open.
    Silence,
    /// 200, and then bytes without an end.
    Flood,
    /// One byte after the other of an answer that does not end.
    Drip,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    /// The header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// The value of a header line that must be there once.
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(own, _)| own == name);
        let (_, value) = found.next().unwrap_or_else(|| panic!("no {name}: {self:?}"));
        assert!(found.next().is_none(), "one {name}");
        value
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The type of its event.
    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

/// The endpoint; it stops with the test.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    replies: Mutex<VecDeque<Reply>>,
    /// What is said when no other reply is planned.
    usual: Mutex<Option<Reply>>,
    flooded: AtomicU64,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks?team=7", self.address)
    }

    /// Answers the next requests so.
    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.replies.lock().unwrap().extend(replies);
    }

    /// Answers every request so for which nothing else is planned; with 204 if that is `None`.
    pub fn always(&self, reply: Option<Reply>) {
        *self.shared.usual.lock().unwrap() = reply;
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The requests about events of this type.
    pub fn of(&self, kind: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.kind() == kind).collect()
    }

    /// Waits until there are so many requests about events of this type.
    pub async fn until(&self, kind: &str, count: usize) -> Vec<Request> {
        eventually(&format!("{count} requests about {kind}"), async || {
            let found = self.of(kind);
            (found.len() >= count).then_some(found)
        })
        .await
    }

    /// How many bytes of floods were taken off our hands, system buffers included.
    pub fn flooded(&self) -> u64 {
        self.shared.flooded.load(Ordering::Relaxed)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        connections.spawn(async move { serve(stream, &shared).await });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await?;
    let planned = shared.replies.lock().unwrap().pop_front();
    let usual = || shared.usual.lock().unwrap().clone();
    let reply = planned.or_else(usual).unwrap_or(Reply::Status(204));
    shared.requests.lock().unwrap().push(request);
    let stream = stream.get_mut();
    let head = |status: u16, lines: &str| {
        format!("HTTP/1.1 {status} So\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n")
    };
    match reply {
        Reply::Status(status) => stream.write_all(head(status, "").as_bytes()).await.ok(),
        Reply::With(status, lines) => stream.write_all(head(status, &lines).as_bytes()).await.ok(),
        Reply::Silence => std::future::pending().await,
        Reply::Flood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.ok()?;
            loop {
                stream.write_all(&[b'x'; 8192]).await.ok()?;
                shared.flooded.fetch_add(8192, Ordering::Relaxed);
            }
        }
        Reply::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'a')) {
                stream.write_all(&[*byte]).await.ok()?;
                // Not a wait for something: this is how slow the endpoint is.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            None
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.strip_prefix("POST ")?.split(' ').next()?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { path, headers, body: String::from_utf8(body).unwrap() })
}
