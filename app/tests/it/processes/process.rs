//! One process of the product: started, signalled by its id, gone when the test ends.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::servers::eventually;

/// A variable for [`Process::start`]: how many blocks of 512 bytes a file of it may have.
pub const FILE_LIMIT: &str = "FILE_LIMIT";
/// Not a setting of the product: where a test wants to read the log.
pub const LOG_FILE: &str = "TEST_LOG_FILE";

/// A process that does not outlive the test.
pub struct Process(Child);

impl Process {
    /// Starts a program that was built beside `welcomat`. What [`LOG_FILE`] names among `env` gets
    /// its log, which otherwise goes where the test's own output goes.
    pub fn start(name: &str, env: &[(String, String)]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_welcomat")).with_file_name(name);
        assert!(
            program.exists(),
            "{name} is not built; run `make test`, which builds all programs"
        );
        // A write beyond the limit fails instead of killing the process; without one, it is just a shell.
        let script =
            r#"trap '' XFSZ; ulimit -S -f "${FILE_LIMIT:-unlimited}"; unset FILE_LIMIT; exec "$0""#;
        // Nothing but these settings: what the developer has set must not matter.
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(env))
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

    /// SIGCONT: it goes on, if it stood still.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Takes [`FILE_LIMIT`] away again.
    pub fn lift_file_limit(&self) {
        let id = self.0.id().to_string();
        let done = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &id]).status();
        assert!(done.unwrap().success());
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

fn log(env: &[(String, String)]) -> Stdio {
    let Some((_, path)) = env.iter().rev().find(|(name, _)| name == LOG_FILE) else {
        return Stdio::inherit();
    };
    OpenOptions::new().append(true).create(true).open(path).unwrap().into()
}

/// Waits until a line of this log has all these words.
pub async fn until_logged(log: &Path, words: &[&str]) {
    eventually(&format!("the log has {words:?}"), async || {
        let log = std::fs::read_to_string(log).unwrap_or_default();
        log.lines().any(|line| words.iter().all(|word| line.contains(word))).then_some(())
    })
    .await;
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
