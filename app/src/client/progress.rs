//! What a person sees while the program waits: one line that changes, or a line for each change.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How fast the line turns on a terminal.
const FRAME: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
/// How wide a bar is, so that all of it fits into 80 columns.
const BAR: usize = 30;
/// Back to the start of the line, which is cleared.
const CLEAR: &str = "\r\u{1b}[2K";

/// Shows how something goes on, on standard error.
pub struct Progress {
    shown: Shown,
    start: Instant,
    said: String,
    frames: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Lines,
    Spinner,
}

impl Progress {
    /// Starts the watch.
    pub fn new(quiet: bool) -> Self {
        let shown = match (quiet, stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Spinner,
            (false, false) => Shown::Lines,
        };
        Self { shown, start: Instant::now(), said: String::new(), frames: 0 }
    }

    /// How long it has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Shows how much of something is done until the next state, for `pause`: as a bar on a terminal, else
    /// a line for each tenth.
    pub fn part(&mut self, done: u64, total: u64, what: &str, pause: Duration) {
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100).min(100);
        if self.shown == Shown::Spinner {
            let full = usize::try_from(percent).unwrap_or_default() * BAR / 100;
            let bar = ["#".repeat(full), "-".repeat(BAR - full)].concat();
            return self.rest(&format!("[{bar}] {done} of {total} {what}"), pause);
        }
        self.rest(&format!("{} % of {total} {what}", percent / 10 * 10), pause);
    }

    /// Shows this state until the next, for `pause`.
    pub fn rest(&mut self, state: &str, pause: Duration) {
        if self.shown == Shown::Spinner {
            let end = Instant::now() + pause;
            while let Some(left) = end.checked_duration_since(Instant::now()) {
                let frame = FRAMES[self.frames % FRAMES.len()];
                let seconds = self.start.elapsed().as_secs();
                let _ = write!(stderr(), "{CLEAR}{frame} {state} ({seconds} s)");
                self.frames += 1;
                std::thread::sleep(left.min(FRAME));
            }
            return;
        }
        if self.shown == Shown::Lines && self.said != state {
            let _ = writeln!(stderr(), "welcomat: {state}");
            state.clone_into(&mut self.said);
        }
        std::thread::sleep(pause);
    }

    /// Makes room for what is said next.
    pub fn end(&self) {
        if self.shown == Shown::Spinner {
            let _ = write!(stderr(), "{CLEAR}");
        }
    }
}
