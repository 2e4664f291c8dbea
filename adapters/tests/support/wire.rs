//! A relay in front of a server that shows what somebody on the wire would have read.

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes on one connection; a second one is refused.
pub struct Wire {
    pub port: u16,
    written: JoinHandle<Vec<u8>>,
}

impl Wire {
    /// Leads to that port of this machine.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let written = tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            drop(listener);
            relay(client, TcpStream::connect(("127.0.0.1", server)).await.unwrap()).await
        });
        Self { port, written }
    }

    /// All that the client wrote, once it has hung up: none of it can still be under way.
    pub async fn written(self) -> Vec<u8> {
        self.written.await.unwrap()
    }
}

async fn relay(client: TcpStream, server: TcpStream) -> Vec<u8> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // Either side may hang up first, and that is no trouble of the relay.
    let answers = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await.ok() });
    let mut written = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = from_client.read(&mut chunk).await {
        written.extend_from_slice(&chunk[..count]);
        if to_server.write_all(&chunk[..count]).await.is_err() {
            break;
        }
    }
    answers.abort();
    written
}
