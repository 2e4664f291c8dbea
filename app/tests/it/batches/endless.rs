//! A file of a gigabyte, announced or without an end: refused as soon as it can be, and nothing is kept.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{KEY, Stack, TestApp};

on_both_stacks!(a_gigabyte_is_refused_before_it_has_come);

const GIGABYTE: usize = 1 << 30;
const LIMIT: &str = "262144";

async fn a_gigabyte_is_refused_before_it_has_come(stack: Stack) {
    let env = [("WELCOMAT_BATCHES_BODY_LIMIT_BYTES", LIMIT)];
    let app = TestApp::start_with_settings(stack, &env).await;
    let announced = upload(&app, &format!("Content-Length: {GIGABYTE}"), "email\n").await;
    // Lines that are no rows: nothing but the length can stop them.
    let piece = "\n".repeat(64 << 10);
    let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
    let endless = upload(&app, "Transfer-Encoding: chunked", &chunk).await;
    for answer in [announced, endless] {
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("body_too_large"), "{answer}");
    }
    let list = app.get(&format!("/v1/organizations/{}/batches", app.organization)).await;
    assert_eq!(list["data"], json!([]));
}

/// Sends these bytes again and again until there is an answer, which must be before a gigabyte is sent.
async fn upload(app: &TestApp, length: &str, bytes: &str) -> String {
    let address = app.url.strip_prefix("http://").unwrap();
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let head = format!(
        "POST /v1/organizations/{}/batches HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {KEY}\r\nContent-Type: text/csv\r\n{length}\r\n\r\n",
        app.organization
    );
    writer.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 16 << 10];
    let mut sent = 0;
    let read = loop {
        tokio::select! {
            // An answer that is there counts before room for more.
            biased;
            read = reader.read(&mut answer) => break read.unwrap(),
            written = writer.write_all(bytes.as_bytes()) => {
                if written.is_err() {
                    break reader.read(&mut answer).await.unwrap();
                }
            }
        }
        sent += bytes.len();
        assert!(sent < GIGABYTE, "there is no answer");
    };
    answer.truncate(read);
    String::from_utf8(answer).unwrap()
}
