//! One process of the product: started, signalled by its id, gone when the test ends.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A process that does not outlive the test.
pub struct Process(Child);

impl Process {
    /// Starts a program that was built beside `welcomat`.
    pub fn start(name: &str, env: &[(String, String)]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_welcomat")).with_file_name(name);
        assert!(
            program.exists(),
            "{name} is not built; run `make test`, which builds all programs"
        );
        // Nothing but these settings: what the developer has set must not matter.
        let child = Command::new(program)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL, as a crash; returns when it is gone.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGSTOP: it stands still, and its connections stay open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM, without waiting for the end.
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGTERM, and the process must end well.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// What it takes from the machine, as `/proc` says.
    pub fn footprint(&self) -> Footprint {
        let proc = Path::new("/proc").join(self.id().to_string());
        let status = std::fs::read_to_string(proc.join("status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib = resident.trim().trim_end_matches(" kB").parse().unwrap();
        let descriptors = std::fs::read_dir(proc.join("fd")).unwrap().count();
        Footprint { kib, descriptors }
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.0.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }
}

/// How much of the machine a process holds.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    /// Memory.
    pub kib: usize,
    /// Open files and sockets.
    pub descriptors: usize,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
