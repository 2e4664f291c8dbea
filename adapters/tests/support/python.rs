//! Asks the scripts in `deploy/test` what Python's mail libraries make of a mail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the scripts are.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/test")
}

/// What the script prints about `mail`.
pub fn ask(script: &str, arguments: &[&str], mail: &[u8]) -> String {
    let mut child = Command::new(variable("TEST_PYTHON"))
        .arg(scripts().join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(mail).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} fails: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// What `deploy/test/with-servers` has put into the environment.
#[expect(clippy::disallowed_methods, reason = "the test servers have no other way in")]
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `make test`, which starts the servers for the tests")
    })
}
