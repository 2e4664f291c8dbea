//! What the system knows of this process, by the names that Prometheus' own clients use.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// `USER_HZ`: what `/proc` counts CPU time in, on every system we release for.
const TICKS: f64 = 100.0;
/// The size of a page of memory, in bytes, on the same systems.
const PAGE: u64 = 4096;

pub(super) fn register(registry: &mut Registry) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    registry.register("welcomat_build", "The release that runs", Info::new(version.to_vec()));
    registry.register_collector(Box::new(Process));
}

/// Read anew at each scrape; what cannot be read is left out.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let Some(found) = Found::read() else { return Ok(()) };
        let cpu = ConstCounter::new(found.cpu_seconds);
        let help = "CPU time of this process in seconds.";
        let metric =
            encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?;
        cpu.encode(metric)?;
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Memory that is not swapped out.",
                found.resident_bytes,
            ),
            ("process_open_fds", "Open files and connections.", found.open_files),
            ("process_threads", "Threads.", found.threads),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

struct Found {
    cpu_seconds: f64,
    resident_bytes: u64,
    open_files: u64,
    threads: u64,
}

impl Found {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name, in parentheses, may hold anything. proc(5) counts from 1, and so from 3 after it.
        let fields: Vec<&str> = stat.get(stat.rfind(')')? + 2..)?.split(' ').collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let open = fs::read_dir("/proc/self/fd").ok()?.count();
        #[expect(clippy::cast_precision_loss, reason = "centuries of CPU time fit")]
        let cpu = (field(14)? + field(15)?) as f64 / TICKS;
        Some(Self {
            cpu_seconds: cpu,
            resident_bytes: field(24)? * PAGE,
            open_files: u64::try_from(open).ok()?,
            threads: field(20)?,
        })
    }
}
