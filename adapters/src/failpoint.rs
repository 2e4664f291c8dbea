//! Places where a test lets a process die, stop, stumble or wait; nothing in any other build.
//!
//! With the feature `failpoints`, `FAULT_POINT=name=action` names what happens there:
//!
//! | Action | What happens |
//! |---|---|
//! | `abort` | the process dies at once, as with SIGKILL |
//! | `stop` | the process stands still until SIGCONT |
//! | `panic` | the task panics |
//! | `sleep:MS` | the task waits so many milliseconds |
//! | `misbehave` | the caller does the wrong thing that stands beside the fail point |
//!
//! `name=action@3` happens the third time the place is reached, and only then; without a number, the
//! first time. Several are separated by commas. Each one that happens appends its name as a line to
//! the file `FAULT_JOURNAL`, so that a test can tell that its fault was real.
//!
//! `FAULT_CLOCK=±SECONDS` lets the machine's clock be wrong by so much; its line is `clock`.

#[cfg(feature = "failpoints")]
pub use armed::{clock_error, reach};

/// True if the caller is to misbehave, which it never is here.
#[cfg(not(feature = "failpoints"))]
pub fn reach(_name: &'static str) -> std::future::Ready<bool> {
    std::future::ready(false)
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use chrono::TimeDelta;

    struct FailPoint {
        name: String,
        action: Action,
        /// How often the place is passed before it happens.
        passes: AtomicU32,
    }

    enum Action {
        Abort,
        Stop,
        Panic,
        Sleep(Duration),
        Misbehave,
    }

    static ARMED: LazyLock<Vec<FailPoint>> = LazyLock::new(|| {
        let wanted = variable("FAULT_POINT").unwrap_or_default();
        wanted.split(',').filter(|one| !one.is_empty()).map(parse).collect()
    });

    /// Does what the test asked for at this place; true if the caller is to misbehave.
    ///
    /// # Panics
    /// If the test asked for that, or for something that does not exist.
    pub async fn reach(name: &'static str) -> bool {
        let Some(point) = ARMED.iter().find(|point| point.name == name) else { return false };
        // One before zero is the largest number: it happens once.
        if point.passes.fetch_sub(1, Ordering::Relaxed) != 1 {
            return false;
        }
        note(name);
        match point.action {
            Action::Abort => std::process::abort(),
            Action::Stop => {
                let signalled = rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::STOP,
                );
                assert!(signalled.is_ok(), "a process may stop itself");
                // Another thread may take the signal: this one must not run on meanwhile.
                std::thread::sleep(Duration::from_millis(200));
            }
            Action::Panic => panic!("the fail point {name}"),
            Action::Sleep(time) => tokio::time::sleep(time).await,
            Action::Misbehave => return true,
        }
        false
    }

    /// How wrong the clock of this machine is.
    pub fn clock_error() -> TimeDelta {
        let Some(seconds) = variable("FAULT_CLOCK") else { return TimeDelta::zero() };
        note("clock");
        let error = seconds.parse().ok().and_then(TimeDelta::try_seconds);
        let Some(error) = error else { panic!("FAULT_CLOCK is a number of seconds") };
        error
    }

    fn note(name: &str) {
        let Some(path) = variable("FAULT_JOURNAL") else { return };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "{name}"));
        assert!(written.is_ok(), "FAULT_JOURNAL cannot be written");
    }

    fn parse(text: &str) -> FailPoint {
        let wrong = || -> ! { panic!("FAULT_POINT does not understand {text:?}") };
        let Some((name, rest)) = text.split_once('=') else { wrong() };
        let (action, passes) = rest.split_once('@').unwrap_or((rest, "1"));
        let Ok(passes) = passes.parse() else { wrong() };
        let action = match action.split_once(':').unwrap_or((action, "")) {
            ("abort", "") => Action::Abort,
            ("stop", "") => Action::Stop,
            ("panic", "") => Action::Panic,
            ("misbehave", "") => Action::Misbehave,
            ("sleep", ms) => match ms.parse() {
                Ok(ms) => Action::Sleep(Duration::from_millis(ms)),
                Err(_) => wrong(),
            },
            _ => wrong(),
        };
        FailPoint { name: name.to_owned(), action, passes: AtomicU32::new(passes) }
    }

    #[expect(clippy::disallowed_methods, reason = "not a setting of the product: a test sets it")]
    fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
