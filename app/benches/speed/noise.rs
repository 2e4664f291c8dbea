//! How quiet the machine was: without that, a figure says nothing.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::Result;
use crate::processes::cpu_of_us;
use crate::product::World;
use crate::samples::Samples;
use crate::statistics::number;

/// What the loop hashes: about a quarter of a second.
const LOOP_BYTES: usize = 64 * 1024;
const LOOP_TURNS: usize = 2000;
const LISTENING: Duration = Duration::from_millis(700);
const SYNCING: Duration = Duration::from_millis(500);

/// Does what is always the same, and looks how long it takes; nothing of ours must run meanwhile.
pub fn calibrate(folder: &Path, samples: &mut Samples) -> Result<()> {
    samples.set("noise.loop_ms", fixed_loop());
    samples.set("noise.fdatasync_per_s", fdatasyncs(folder)?);
    let before = Stat::now();
    std::thread::sleep(LISTENING);
    let (foreign, _) = Stat::now().since(&before);
    samples.set("noise.busy_while_idle", foreign);
    samples.set("noise.load", load());
    Ok(())
}

/// What others do with the machine while we measure.
pub struct Others {
    before: Stat,
    ours: f64,
}

impl Others {
    /// From now on; no product may run.
    pub fn watch(world: &World) -> Self {
        Self { before: Stat::now(), ours: ours(world) }
    }

    /// Until now: cores that were busy for others, and the share of time that the hypervisor took.
    pub fn note(&self, world: &World, samples: &mut Samples) {
        let now = Stat::now();
        let (busy, steal) = now.since(&self.before);
        let seconds = (now.at - self.before.at).as_secs_f64();
        let others = busy - (ours(world) - self.ours) / seconds;
        samples.set("noise.other_cores", others.max(0.0));
        samples.set("noise.steal", steal);
    }
}

/// CPU seconds so far of all that this benchmark has started; servers in containers are not seen.
fn ours(world: &World) -> f64 {
    let servers = world.servers.as_ref();
    let servers = servers.map_or(0.0, |all| all.postgres.cpu() + all.rabbitmq.cpu());
    cpu_of_us() + world.sink.process().cpu() + servers
}

fn fixed_loop() -> f64 {
    let block = vec![0x5a_u8; LOOP_BYTES];
    let start = Instant::now();
    let mut hash = Sha256::new();
    for _ in 0..LOOP_TURNS {
        hash.update(&block);
    }
    std::hint::black_box(hash.finalize());
    start.elapsed().as_secs_f64() * 1000.0
}

/// As a database writes its log: 8 KB, and again when they are on the disk.
fn fdatasyncs(folder: &Path) -> Result<f64> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    let page = [0x5a_u8; 8192];
    let (mut done, start) = (0, Instant::now());
    while start.elapsed() < SYNCING {
        file.write_all(&page)?;
        file.sync_data()?;
        done += 1;
    }
    let rate = number(done) / start.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

/// CPU time of the whole machine so far, in ticks.
struct Stat {
    at: Instant,
    busy: f64,
    steal: f64,
    all: f64,
}

impl Stat {
    fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<f64> =
            line.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
        let of = |at: usize| ticks.get(at).copied().unwrap_or_default();
        // user nice system idle iowait irq softirq steal; guest time is in user already.
        let busy = of(0) + of(1) + of(2) + of(5) + of(6);
        Self { at: Instant::now(), busy, steal: of(7), all: ticks.iter().take(8).sum() }
    }

    /// Busy cores, and the share of time that was stolen.
    fn since(&self, earlier: &Self) -> (f64, f64) {
        let seconds = (self.at - earlier.at).as_secs_f64();
        let all = (self.all - earlier.all).max(1.0);
        ((self.busy - earlier.busy) / 100.0 / seconds, (self.steal - earlier.steal) / all)
    }
}
