//! What a mail server takes at best: the same mail over raw connections, commands in one packet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{CONNECTIONS, LONG, REST, TURNS};
use crate::Result;
use crate::samples::Samples;
use crate::sink::Sink;
use crate::statistics::{Latencies, number};

const ENVELOPE: &[u8] =
    b"MAIL FROM:<invitations@localhost.localdomain>\r\nRCPT TO:<b1000000@example.com>\r\nDATA\r\n";

/// Sends on sixteen connections, then on one, at rest.
pub async fn measure(sink: &mut Sink, mail: &[u8], samples: &mut Samples) -> Result<()> {
    let mail = Arc::new([mail, b".\r\n"].concat());
    let address = sink.address();
    sink.reset()?;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mail = Arc::clone(&mail);
        running.spawn(async move { send_for(address, &mail, LONG, Duration::ZERO).await });
    }
    let mut sent = 0;
    while let Some(ended) = running.join_next().await {
        sent += ended??.len();
    }
    samples.set("limit.smtp_pipelined_per_s", number(sent) / start.elapsed().as_secs_f64());
    sink.has_taken(sent)?;

    let alone = send_for(address, &mail, REST * u32::try_from(TURNS)?, REST).await?;
    samples.set("limit.smtp_conversation_ms", Latencies::new(alone).percentile(50));
    Ok(())
}

/// How long each mail took, with a rest before each.
async fn send_for(
    sink: SocketAddr,
    mail: &[u8],
    time: Duration,
    rest: Duration,
) -> Result<Vec<Duration>> {
    let mut stream = BufReader::new(TcpStream::connect(sink).await?);
    stream.get_ref().set_nodelay(true)?;
    let mut line = String::new();
    expect(&mut stream, &mut line, "220").await?;
    stream.write_all(b"EHLO bench.example.com\r\n").await?;
    expect(&mut stream, &mut line, "250").await?;
    let start = Instant::now();
    let mut taken = Vec::new();
    while start.elapsed() < time {
        if !rest.is_zero() {
            sleep(rest).await;
        }
        let begin = Instant::now();
        stream.write_all(ENVELOPE).await?;
        for code in ["250", "250", "354"] {
            expect(&mut stream, &mut line, code).await?;
        }
        stream.write_all(mail).await?;
        expect(&mut stream, &mut line, "250").await?;
        taken.push(begin.elapsed());
    }
    Ok(taken)
}

/// Reads one answer, all its lines.
async fn expect(stream: &mut BufReader<TcpStream>, line: &mut String, code: &str) -> Result<()> {
    loop {
        line.clear();
        stream.read_line(line).await?;
        if !line.starts_with(code) {
            return Err(format!("the sink says {line:?} instead of {code}").into());
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}
