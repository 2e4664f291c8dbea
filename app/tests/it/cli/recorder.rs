//! A small HTTP server: it gives prepared answers, one a request, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

pub const ORGANIZATION: &str = "01890a5d-0000-7000-8000-000000000001";
pub const INVITATION: &str = "01890a5d-0000-7000-8000-000000000002";
pub const USER: &str = "01890a5d-0000-7000-8000-000000000003";

/// A prepared answer.
#[derive(Clone)]
pub enum Reply {
    /// Status, further header lines, body.
    Says(u16, &'static str, String),
    /// Reads the request and closes the connection.
    HangsUp,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method and target.
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The server; it lives as long as the test process.
pub struct Recorder {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    /// Answers in this order; the last answer again and again.
    pub fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        std::thread::spawn(move || {
            let mut replies = replies.into_iter().peekable();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(asked) = read(&stream) else { continue };
                kept.lock().unwrap().push(asked);
                let reply = replies.peek().cloned().unwrap();
                if replies.len() > 1 {
                    replies.next();
                }
                if let Reply::Says(status, headers, body) = reply {
                    let length = body.len();
                    let _ = write!(
                        stream,
                        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}\
                         Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                    );
                }
            }
        });
        Self { url, asked }
    }

    /// Answers everything so.
    pub fn says(status: u16, body: &Value) -> Self {
        Self::start(vec![reply(status, body)])
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The only request.
    pub fn asked_once(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

pub fn reply(status: u16, body: &Value) -> Reply {
    Reply::Says(status, "", body.to_string())
}

/// What `POST /iam/v1/users/invite` answers.
pub fn invited() -> Reply {
    let body = json!({
        "message": "User invited.",
        "user": {
            "id": USER, "email": "ann@example.com", "firstName": "Ann", "displayName": "Ann",
            "jobTitle": "Sales / Marketing", "roleId": "member",
            "organizationId": ORGANIZATION, "status": "invited",
        },
    });
    let headers = "X-Invitation-Id: 01890a5d-0000-7000-8000-000000000002\r\n\
                   X-Email-Status: queued\r\n";
    Reply::Says(201, headers, body.to_string())
}

/// What the invitation's `GET` answers while its mail stands so.
pub fn invitation(delivery: &str, detail: Option<&str>) -> Reply {
    let delivery = json!({ "status": delivery, "detail": detail, "attempts": 1 });
    reply(200, &json!({ "id": INVITATION, "status": "pending", "delivery": delivery }))
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0).trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let value = |name| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let body = if value("transfer-encoding").is_some() {
        read_chunks(&mut reader)?
    } else {
        let mut body = vec![0; value("content-length").map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        body
    };
    Some(Asked { line, headers, body: String::from_utf8(body).unwrap() })
}

/// A body whose length is not said before (RFC 9112 §7.1).
fn read_chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size + "\r\n".len()];
        reader.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk[..size]);
        if size == 0 {
            return Some(body);
        }
    }
}
