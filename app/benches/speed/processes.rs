//! Processes: started, measured by `/proc`, gone when the benchmark ends.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;

/// `USER_HZ`: what `/proc` counts CPU time in, on every system we release for.
const TICKS: f64 = 100.0;

/// A process that does not outlive the benchmark.
pub struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts the product under one of its three names, with nothing but these settings: one file, as
    /// a release and the image have it.
    pub fn start(
        name: &'static str,
        arguments: &[&str],
        settings: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let log = fs::OpenOptions::new().append(true).create(true).open(log)?;
        let child = Command::new(env!("CARGO_BIN_EXE_welcomat"))
            .arg0(name)
            .args(arguments)
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self { name, child })
    }

    /// One that was started elsewhere.
    pub const fn of(name: &'static str, child: Child) -> Self {
        Self { name, child }
    }

    /// What it is.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// SIGTERM, and waits.
    pub fn stop(mut self) -> Result<()> {
        let id = Pid::from_raw(self.child.id().try_into()?).ok_or("the process has no id")?;
        kill_process(id, Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// CPU seconds so far.
    pub fn cpu(&self) -> f64 {
        cpu_of(self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// CPU seconds of one process so far; 0 if it has ended.
pub fn cpu_of(id: u32) -> f64 {
    Stat::of(id).map_or(0.0, |stat| stat.own)
}

/// CPU seconds of a process, of its children, and of those that it has waited for.
pub fn cpu_of_family(id: u32) -> f64 {
    let Some(stat) = Stat::of(id) else { return 0.0 };
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let children = children.unwrap_or_default();
    let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
    stat.own + stat.waited_for + ids.map(cpu_of).sum::<f64>()
}

/// CPU seconds of all processes of a session.
pub fn cpu_of_session(id: u32) -> f64 {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let stats = ids.filter_map(Stat::of).filter(|stat| stat.session == id);
    stats.map(|stat| stat.own + stat.waited_for).sum()
}

/// CPU seconds of this process and of all that it has started and waited for.
pub fn cpu_of_us() -> f64 {
    Stat::of(std::process::id()).map_or(0.0, |stat| stat.own + stat.waited_for)
}

/// Memory in MB: what is the process's own, and its share of what it shares. 0 if it has ended.
pub fn pss_mb(id: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = pss.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

struct Stat {
    session: u32,
    own: f64,
    waited_for: f64,
}

impl Stat {
    fn of(id: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
        let seconds = |at: usize| fields.get(at)?.parse::<f64>().ok().map(|ticks| ticks / TICKS);
        Some(Self {
            session: fields.get(3)?.parse().ok()?,
            own: seconds(11)? + seconds(12)?,
            waited_for: seconds(13)? + seconds(14)?,
        })
    }
}
