//! The command line as a client: the real program against the real product, and against a server
//! that records what it is asked where the product has no such answer.

mod doctor;
mod errors;
mod help;
mod imported;
mod input;
mod invitee;
mod operations;
mod operator;
mod output;
mod product;
mod profiles;
mod recorder;
mod starting;
mod terminal;
mod tls;
mod waiting;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use recorder::Recorder;

/// A key that must not be seen anywhere.
const KEY: &str = "wlc_key0key0key0key0key0key0";

/// What the program said and how it ended.
#[derive(Debug)]
pub struct Said {
    code: i32,
    pub out: String,
    err: String,
}

/// A call of the program, with nothing of the environment that tests run in.
pub struct Call {
    command: Command,
    input: Option<String>,
}

/// `welcomat` with these arguments, split at blanks, and no settings.
pub fn welcomat(arguments: &str) -> Call {
    let mut command = Command::new(env!("CARGO_BIN_EXE_welcomat"));
    command.env_clear().env("HOME", "/nonexistent").args(arguments.split_whitespace());
    Call { command, input: None }
}

/// The same for a server and with a key.
fn welcomat_at(url: &str, arguments: &str) -> Call {
    welcomat(arguments).env("WELCOMAT_URL", url).env("WELCOMAT_API_KEY", KEY)
}

impl Call {
    fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    pub fn run(mut self) -> Said {
        let pipe = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(pipe).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        if let Some(text) = self.input {
            // It may stop reading before the end.
            let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        }
        Said::from(child.wait_with_output().unwrap())
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("it was not killed");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Said {
    /// Its standard output, if it ended well.
    fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What a program says that ends because of a mistake.
    pub fn last_line(&self) -> &str {
        self.err.lines().last().unwrap_or_default()
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }
}
