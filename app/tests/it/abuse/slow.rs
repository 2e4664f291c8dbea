//! Clients that take their time: the process cuts them off and serves everybody else meanwhile.

use std::time::Duration;

use app::http::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{connect, until_closed};
use crate::harness::{KEY, Stack, TestApp, block_on};
use crate::servers::PATIENCE;

const SLOW_CLIENTS: usize = 60;
/// A pause between two bytes: what a slow client does, not what a test waits for.
const TRICKLE: Duration = Duration::from_millis(50);

fn head(path: &str, framing: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\n{framing}\r\n\r\n"
    )
}

/// Writes a byte now and then until the server has had enough; gives what it said.
async fn trickle(stream: &mut TcpStream, byte: &[u8]) -> String {
    let (mut reading, mut writing) = stream.split();
    let mut said = vec![0; 4096];
    let endless = async {
        while writing.write_all(byte).await.is_ok() {
            // Not a wait for something: this is how slow the client is.
            sleep(TRICKLE).await;
        }
        std::future::pending::<()>().await;
    };
    let answered = tokio::time::timeout(PATIENCE, reading.read(&mut said));
    tokio::select! {
        () = endless => unreachable!("it waits for ever"),
        read = answered => {
            let read = read.expect("the server has enough in the end").unwrap_or(0);
            String::from_utf8_lossy(&said[..read]).into_owned()
        }
    }
}

async fn still_serves(client: &Client) {
    assert_eq!(client.get("/v1/me").await.unwrap().status, 200);
}

#[test]
fn a_head_that_never_ends_is_cut_off() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let mut slow = Vec::new();
        for _ in 0..SLOW_CLIENTS {
            let mut stream = connect(&app).await;
            stream.write_all(b"GET /v1/me HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
            slow.push(stream);
        }
        still_serves(&app.client).await;
        for stream in &mut slow {
            let said = trickle(stream, b"a").await;
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
        }
        still_serves(&app.client).await;
    });
}

#[test]
fn a_head_without_bounds_is_cut_off() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let mut stream = connect(&app).await;
        let line = format!("X-Long: {}\r\n", "a".repeat(8000));
        let mut written = stream.write_all(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n").await;
        for _ in 0..2000 {
            if written.is_err() {
                break;
            }
            written = stream.write_all(line.as_bytes()).await;
        }
        let said = until_closed(&mut stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
        still_serves(&app.client).await;
    });
}

#[test]
fn a_body_that_never_ends_is_answered_without_it() {
    block_on(async {
        // Half of it is for the body.
        let hurry = [("WELCOMAT_HTTP_REQUEST_TIMEOUT", "3s")];
        let app = TestApp::start_with_settings(Stack::Embedded, &hurry).await;
        let public = "/v1/invitations/accept".to_owned();
        let contract = "/iam/v1/users/invite".to_owned();
        for path in [app.invitations(), public, contract] {
            for (framing, byte) in [
                ("Content-Length: 1000", &b" "[..]),
                ("Transfer-Encoding: chunked", &b"1\r\n \r\n"[..]),
            ] {
                let mut stream = connect(&app).await;
                stream.write_all(head(&path, framing).as_bytes()).await.unwrap();
                let said = trickle(&mut stream, byte).await;
                assert!(
                    ["408", "400", "504"].contains(&&said[9..12]),
                    "{path} with {framing}: {said}"
                );
            }
        }
        still_serves(&app.client).await;
    });
}

#[test]
fn a_body_without_bounds_is_refused_before_it_is_read() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let mut stream = connect(&app).await;
        let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
        stream
            .write_all(head(&app.invitations(), "Transfer-Encoding: chunked").as_bytes())
            .await
            .unwrap();
        let said = trickle(&mut stream, chunk.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
        still_serves(&app.client).await;
    });
}
