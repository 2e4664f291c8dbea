//! A web server that publishes keys, or fails to in one of the ways that web servers have.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a request gets.
#[derive(Clone)]
pub enum Answer {
    /// 200 with this document.
    Document(String),
    /// The same, but only once [`KeyServer::release`] is called.
    Held(String),
    /// This status, with a document that must not be used.
    Status(u16, String),
    /// Another address, which has the document.
    Redirect(String),
    /// A document without end.
    Endless,
    /// A document of which a byte comes now and then.
    Dripping,
    /// The connection is closed.
    Nothing,
}

/// Runs until it is dropped.
pub struct KeyServer {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

struct State {
    answer: Mutex<Answer>,
    requests: Mutex<usize>,
    sent: AtomicU64,
    stopped: AtomicBool,
    arrived: Condvar,
    released: Mutex<bool>,
    let_go: Condvar,
}

impl KeyServer {
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            answer: Mutex::new(answer),
            requests: Mutex::new(0),
            sent: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            arrived: Condvar::new(),
            released: Mutex::new(false),
            let_go: Condvar::new(),
        });
        let shared = Arc::clone(&state);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                std::thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, state, accepting: Some(accepting) }
    }

    pub fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// What requests get from now on.
    pub fn answer(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// How many requests there have been.
    pub fn requests(&self) -> usize {
        *self.state.requests.lock().unwrap()
    }

    /// Blocks until there have been so many; asks for none itself.
    pub fn wait_for_requests(&self, count: usize) {
        let requests = self.state.requests.lock().unwrap();
        let patience = Duration::from_secs(10);
        let waited =
            self.state.arrived.wait_timeout_while(requests, patience, |seen| *seen < count);
        assert!(!waited.unwrap().1.timed_out(), "fewer than {count} requests");
    }

    /// How many bytes the clients have taken of [`Answer::Endless`], buffers included.
    pub fn sent(&self) -> u64 {
        self.state.sent.load(SeqCst)
    }

    /// Lets [`Answer::Held`] go.
    pub fn release(&self) {
        *self.state.released.lock().unwrap() = true;
        self.state.let_go.notify_all();
    }
}

impl State {
    fn serve(&self, mut stream: TcpStream) {
        read_request(&mut stream);
        *self.requests.lock().unwrap() += 1;
        self.arrived.notify_all();
        let answer = self.answer.lock().unwrap().clone();
        let document = |status: &str, body: &str| {
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        let whole = match answer {
            Answer::Document(body) => document("200 OK", &body),
            Answer::Held(body) => {
                let released = self.released.lock().unwrap();
                drop(self.let_go.wait_while(released, |released| !*released).unwrap());
                document("200 OK", &body)
            }
            Answer::Status(status, body) => document(&format!("{status} X"), &body),
            Answer::Redirect(to) => {
                format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
            }
            Answer::Endless => return self.pour(stream, &[b' '; 4096], Duration::ZERO),
            Answer::Dripping => return self.pour(stream, b" ", Duration::from_millis(100)),
            Answer::Nothing => return,
        };
        let _ = stream.write_all(whole.as_bytes());
    }

    /// Sends until the other side has had enough.
    fn pour(&self, mut stream: TcpStream, piece: &[u8], pause: Duration) {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
        while !self.stopped.load(SeqCst) && stream.write_all(piece).is_ok() {
            self.sent.fetch_add(piece.len() as u64, SeqCst);
            // Not a wait for something: this is how slow the server is.
            std::thread::sleep(pause);
        }
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.state.stopped.store(true, SeqCst);
        self.release();
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

fn read_request(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.extend(byte);
    }
}
