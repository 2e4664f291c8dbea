//! The mail server of the benchmark: a process of its own that takes every mail, after a delay that
//! can be set, and counts.

mod conversation;
mod server;
mod tls;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use self::server::serve;
use crate::Result;
use crate::processes::Process;

/// Our end of the process.
pub struct Sink {
    process: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    address: SocketAddr,
}

/// What came since the last reset.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Mails.
    pub count: usize,
    /// When the first and the last were complete, since the reset.
    pub first: Duration,
    pub last: Duration,
}

impl Sink {
    /// Starts the process.
    pub fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--role=sink").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let orders = orders.ok_or("the sink has no standard input")?;
        let answers = BufReader::new(answers.ok_or("the sink has no standard output")?);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut sink = Self { process: Process::of("sink", child), orders, answers, address };
        let address = sink.order("open")?;
        sink.address = address.as_str().ok_or("the sink tells no address")?.parse()?;
        Ok(sink)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// As the product is told.
    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// As the product is told where it is to speak TLS; listens there from now on.
    pub fn secure_url(&mut self) -> Result<String> {
        let address = self.order("secure")?;
        let address = address.as_str().ok_or("the sink tells no address")?;
        Ok(format!("smtps://{address}?ca={}", tls::AUTHORITY))
    }

    /// The process, to measure it.
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// How long each mail takes from now on.
    pub fn delay(&mut self, delay: Duration) -> Result<()> {
        self.order(&format!("delay {}", delay.as_micros())).map(drop)
    }

    /// Counts anew.
    pub fn reset(&mut self) -> Result<()> {
        self.order("reset").map(drop)
    }

    /// Hangs up and listens no more, or listens again.
    pub fn close(&mut self) -> Result<()> {
        self.order("close").map(drop)
    }

    /// Listens again where it did before.
    pub fn open(&mut self) -> Result<()> {
        self.order("open").map(drop)
    }

    /// What has come so far.
    pub fn taken(&mut self) -> Result<Taken> {
        let answer = self.order("taken")?;
        let time = |name: &str| Duration::from_micros(answer[name].as_u64().unwrap_or_default());
        let count = usize::try_from(answer["count"].as_u64().unwrap_or_default())?;
        Ok(Taken { count, first: time("first_us"), last: time("last_us") })
    }

    /// An error unless exactly so many mails have come since the reset.
    pub fn has_taken(&mut self, count: usize) -> Result<()> {
        match self.taken()?.count {
            came if came == count => Ok(()),
            came => Err(format!("{count} mails were sent and {came} came").into()),
        }
    }

    /// The last mail, as it came.
    pub fn last(&mut self) -> Result<String> {
        Ok(self.order("last")?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until so many mails have come since the reset; an error after `patience`.
    pub async fn until(&mut self, count: usize, patience: Duration) -> Result<Taken> {
        let start = Instant::now();
        loop {
            let taken = self.taken()?;
            if taken.count >= count {
                return Ok(taken);
            }
            if start.elapsed() > patience {
                let came = taken.count;
                return Err(format!("only {came} of {count} mails came in {patience:?}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn order(&mut self, order: &str) -> Result<Value> {
        writeln!(self.orders, "{order}")?;
        self.orders.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line).map_err(|_| "the sink has ended")?)
    }
}
