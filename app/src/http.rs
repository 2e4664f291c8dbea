//! The little HTTP/1.1 that a client of this service needs: one request, one answer, no TLS.
//!
//! For the demo and the tests, which talk to 127.0.0.1; a client library would be the largest
//! dependency of the program.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(1);

/// Speaks to one server, as the holder of one key.
#[derive(Debug, Clone)]
pub struct Client {
    server: SocketAddr,
    key: Option<String>,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client for the server at this address.
    pub const fn new(server: SocketAddr, key: Option<String>) -> Self {
        Self { server, key }
    }

    /// The address of the server.
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// The same server, as the holder of another key or of none.
    #[must_use]
    pub fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], b"").await
    }

    /// `POST` of a JSON value.
    pub async fn post(&self, path: &str, body: &Value) -> io::Result<Answer> {
        let headers = [("Content-Type", "application/json")];
        self.send("POST", path, &headers, body.to_string().as_bytes()).await
    }

    /// Any request, over a connection of its own.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), format!("Host: {}", self.server)];
        lines.extend(self.key.as_ref().map(|key| format!("Authorization: Bearer {key}")));
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(format!("Content-Length: {}", body.len()));
        lines.push("Connection: close\r\n\r\n".to_owned());
        let request = [lines.join("\r\n").as_bytes(), body].concat();
        let bytes = timeout(PATIENCE, exchange(self.server, &request)).await??;
        parse(&bytes, method == "HEAD")
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))
    }
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

async fn exchange(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    // A server may refuse a long body before it has read it: the answer says more than the error.
    let sent = stream.write_all(request).await;
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes).await {
        Err(error) if bytes.is_empty() => Err(error),
        _ if bytes.is_empty() => sent.and(Err(ErrorKind::UnexpectedEof.into())),
        _ => Ok(bytes),
    }
}

fn parse(bytes: &[u8], head_only: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    let body = bytes.get(end + 4..)?;
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    answer.body = match length {
        _ if head_only => Vec::new(),
        // Shorter: the connection broke.
        Some(length) => body.get(..length)?.to_vec(),
        None if answer.header("transfer-encoding").is_some() => unchunk(body)?,
        None => body.to_vec(),
    };
    Some(answer)
}

fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = body.windows(2).position(|window| window == b"\r\n")?;
        let length = std::str::from_utf8(body.get(..line)?).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        let start = line + 2;
        whole.extend_from_slice(body.get(start..start + length)?);
        body = body.get(start + length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_answer_with_a_length_in_chunks_and_without_a_body() {
        let sized = b"HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}";
        let answer = parse(sized, false).unwrap();
        assert_eq!((answer.status, answer.header("location")), (201, Some("/x")));
        assert_eq!(answer.body, b"{}");
        let chunks =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        assert_eq!(parse(chunks, false).unwrap().body, b"abc");
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
        assert_eq!(parse(head, true).unwrap().body, b"");
    }

    #[test]
    fn a_broken_answer_is_none() {
        for broken in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"]
        {
            assert!(parse(broken.as_bytes(), false).is_none(), "{broken:?}");
        }
    }
}
