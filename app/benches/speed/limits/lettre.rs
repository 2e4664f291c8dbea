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
use crate::mail::MailMaker;
use crate::samples::Samples;
use crate::sink::Sink;
use crate::statistics::number;

/// Sends on sixteen connections: the same mail again and again, then each one rendered and built for
/// itself, as a worker has to.
pub async fn measure(sink: &mut Sink, mails: &Arc<MailMaker>, samples: &mut Samples) -> Result<()> {
    let raw: Arc<[u8]> = mails.make()?.raw().into();
    let same = run(sink, move || Ok(Arc::clone(&raw))).await?;
    samples.set("limit.lettre_per_s", same);
    let mails = Arc::clone(mails);
    let made = run(sink, move || mails.make().map(|mail| mail.raw().into())).await?;
    samples.set("limit.lettre_made_per_s", made);
    Ok(())
}

async fn run<M>(sink: &mut Sink, mail: M) -> Result<f64>
where
    M: Fn() -> Result<Arc<[u8]>> + Clone + Send + 'static,
{
    sink.reset()?;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CONNECTIONS {
        running.spawn(send_until(sink.address(), start + LONG, mail.clone()));
    }
    let mut sent = 0;
    while let Some(ended) = running.join_next().await {
        sent += ended??;
    }
    let rate = number(sent) / start.elapsed().as_secs_f64();
    sink.has_taken(sent)?;
    Ok(rate)
}

async fn send_until(
    sink: SocketAddr,
    end: Instant,
    mail: impl Fn() -> Result<Arc<[u8]>>,
) -> Result<usize> {
    let from = "invitations@localhost.localdomain".parse()?;
    let envelope = Envelope::new(Some(from), vec!["b1000000@example.com".parse()?])?;
    let stream = TcpStream::connect(sink).await?;
    stream.set_nodelay(true)?;
    let hello = ClientId::Domain("bench.example.com".to_owned());
    let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
    let mut connection = connecting.await?;
    let mut sent = 0;
    while Instant::now() < end {
        connection.send(&envelope, &mail()?).await?;
        sent += 1;
    }
    Ok(sent)
}
