//! The load generator: people who wait for their answer, and people who do not wait for each other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Result;
use crate::http::Connection;
use crate::statistics::{Latencies, number};

/// What is asked for, again and again.
pub trait Ask: Send + Sync + 'static {
    /// The bytes of the next request, which no earlier one had.
    fn request(&self, into: &mut Vec<u8>);
    /// The status that means that it was granted.
    fn granted(&self) -> u16;
}

/// When a closed loop ends.
#[derive(Debug, Clone, Copy)]
pub struct Until {
    /// No request begins later than this.
    pub time: Duration,
    /// Nor are there more than so many.
    pub count: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Requests that were granted.
    pub granted: usize,
    /// Those that were not, and what the first of them was answered.
    pub refused: usize,
    pub refusal: Option<String>,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Of what was granted.
    pub latencies: Latencies,
}

impl Outcome {
    /// Granted requests in a second.
    pub fn rate(&self) -> f64 {
        number(self.granted) / self.seconds
    }
}

/// A closed loop: each of so many connections sends its next request when it has its answer.
pub async fn closed<A: Ask>(
    server: SocketAddr,
    ask: &Arc<A>,
    connections: usize,
    until: Until,
) -> Result<Outcome> {
    let taken = Arc::new(AtomicUsize::new(0));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(server).await?);
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for mut connection in open {
        let (ask, taken) = (Arc::clone(ask), Arc::clone(&taken));
        running.spawn(async move {
            let mut log = Log::default();
            let mut request = Vec::new();
            while start.elapsed() < until.time
                && taken.fetch_add(1, Ordering::Relaxed) < until.count
            {
                log.ask(&mut connection, &*ask, &mut request, Instant::now()).await?;
            }
            Ok(log)
        });
    }
    gather(running, start).await
}

/// An open loop: requests begin at a fixed rate, whether or not earlier ones were answered.
///
/// A request that has to wait for a connection counts from when it was due: a server that stalls
/// cannot hide that from those who would have come meanwhile.
pub async fn open<A: Ask>(
    server: SocketAddr,
    ask: &Arc<A>,
    per_second: u32,
    time: Duration,
) -> Result<Outcome> {
    const CONNECTIONS: u32 = 64;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for first in 0..CONNECTIONS {
        let ask = Arc::clone(ask);
        running.spawn(async move {
            let mut connection = Connection::open(server).await?;
            let (mut log, mut request) = (Log::default(), Vec::new());
            for turn in 0.. {
                let due =
                    start + Duration::from_secs(1) * (first + turn * CONNECTIONS) / per_second;
                if due >= start + time {
                    break;
                }
                // Our own timer is a millisecond late at times: that is not the server's fault.
                let since = if due > Instant::now() {
                    sleep_until(due).await;
                    Instant::now()
                } else {
                    due
                };
                log.ask(&mut connection, &*ask, &mut request, since).await?;
            }
            Ok(log)
        });
    }
    gather(running, start).await
}

#[derive(Default)]
struct Log {
    granted: Vec<Duration>,
    refused: usize,
    refusal: Option<String>,
}

impl Log {
    async fn ask(
        &mut self,
        connection: &mut Connection,
        ask: &impl Ask,
        request: &mut Vec<u8>,
        since: Instant,
    ) -> io::Result<()> {
        request.clear();
        ask.request(request);
        let status = connection.exchange(request).await?;
        if status == ask.granted() {
            self.granted.push(since.elapsed());
        } else {
            self.refused += 1;
            let body = || format!("{status} {}", String::from_utf8_lossy(connection.body()));
            self.refusal.get_or_insert_with(body);
        }
        Ok(())
    }
}

async fn gather(mut running: JoinSet<io::Result<Log>>, start: Instant) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut latencies = Vec::new();
    while let Some(ended) = running.join_next().await {
        let log = ended??;
        latencies.extend(log.granted);
        outcome.refused += log.refused;
        outcome.refusal = outcome.refusal.or(log.refusal);
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.granted = latencies.len();
    outcome.latencies = Latencies::new(latencies);
    Ok(outcome)
}
