//! What the mail library's own connection sends, once TCP does not hold its packets back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{CONNECTIONS, LONG};
use crate::Result;
use crate::samples::Samples;
use crate::statistics::number;

/// Sends on sixteen connections.
pub async fn measure(sink: SocketAddr, mail: &[u8], samples: &mut Samples) -> Result<()> {
    let mail: Arc<[u8]> = mail.into();
    let from = "invitations@localhost.localdomain".parse()?;
    let envelope = Envelope::new(Some(from), vec!["b1000000@example.com".parse()?])?;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mail, envelope) = (Arc::clone(&mail), envelope.clone());
        running.spawn(async move {
            let stream = TcpStream::connect(sink).await?;
            stream.set_nodelay(true)?;
            let hello = ClientId::Domain("bench.example.com".to_owned());
            let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
            let mut connection = connecting.await?;
            let mut sent = 0;
            while start.elapsed() < LONG {
                connection.send(&envelope, &mail).await?;
                sent += 1;
            }
            Ok::<usize, crate::Failure>(sent)
        });
    }
    let mut sent = 0;
    while let Some(ended) = running.join_next().await {
        sent += ended??;
    }
    samples.set("limit.lettre_per_s", number(sent) / start.elapsed().as_secs_f64());
    Ok(())
}
