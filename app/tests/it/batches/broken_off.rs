//! A body that breaks off leaves nothing, whatever had arrived of it.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CSV, finished, taken};
use crate::database::count;
use crate::harness::{KEY, Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(a_batch_that_breaks_off_never_happened);

async fn a_batch_that_breaks_off_never_happened(stack: Stack) {
    let app = TestApp::start(stack).await;
    // More than one chunk of rows.
    let rows: Vec<_> = (0..1200).map(|number| format!("n{number}@example.com\n")).collect();
    let rows = rows.concat();
    let path = format!("/v1/organizations/{}/batches", app.organization);
    let mut stream = TcpStream::connect(app.client.server()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: {CSV}\r\n\
         Content-Length: 1000000\r\n\r\nemail\n{rows}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    eventually("rows are kept already", async || {
        (count(&app, "batch_row").await >= 500).then_some(())
    })
    .await;
    // Nobody sees it, and nobody works on it.
    assert_eq!(app.get(&path).await["data"], json!([]));
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    drop(stream);
    // Another batch would have its turn after it.
    let whole = taken(&app, CSV, "email\nann@example.com\n").await;
    finished(&app, &whole).await;
    assert_eq!(app.get(&app.invitations()).await["data"].as_array().unwrap().len(), 1);
    app.clock.advance(Duration::from_mins(21));
    eventually("what broke off is swept away", async || {
        (count(&app, "batch_row").await == 1).then_some(())
    })
    .await;
    assert_eq!(count(&app, "batch").await, 1);
}
