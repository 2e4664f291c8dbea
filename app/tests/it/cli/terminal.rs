//! What a terminal changes: tables that fit, colours, a spinner; and how the program is stopped.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use super::recorder::{INVITATION, ORGANIZATION, USER, invitation, invited, reply};
use super::{Call, Recorder, Said, welcomat_at};
use crate::servers::eventually;

/// The two ends of a pseudo-terminal.
struct Terminal {
    screen: File,
    device: OwnedFd,
}

impl Terminal {
    fn new(columns: u16) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let device = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&device, size).unwrap();
        Self { screen: screen.into(), device }
    }

    fn end(&self) -> Stdio {
        self.device.try_clone().unwrap().into()
    }

    /// What is on the screen once nobody writes to it any more.
    fn read(self) -> String {
        let Self { mut screen, device } = self;
        drop(device);
        let mut seen = Vec::new();
        // Linux ends a terminal that nobody holds open with an error.
        let _ = screen.read_to_end(&mut seen);
        String::from_utf8(seen).unwrap().replace("\r\n", "\n")
    }
}

/// Runs with standard output on a terminal.
fn on_terminal(columns: u16, mut call: Call) -> Said {
    let terminal = Terminal::new(columns);
    call.command.stdin(Stdio::null()).stdout(terminal.end()).stderr(Stdio::piped());
    let child = call.command.spawn().unwrap();
    // The command keeps an end of the terminal open as long as it lives.
    drop(call);
    let out = terminal.read();
    let output = child.wait_with_output().unwrap();
    Said { out, ..Said::from(output) }
}

fn list() -> Value {
    let row = |email: &str, status: &str| {
        json!({
            "id": INVITATION, "email": email, "role": "member", "status": "pending",
            "created_at": "2026-01-02T03:04:05Z", "delivery": {"status": status},
        })
    };
    let long = "a-very-long-address-that-no-terminal-has-room-for@example.com";
    json!({"data": [row("ann@example.com", "sent"), row(long, "failed")], "next_cursor": null})
}

fn call(arguments: &str) -> Call {
    let server = Recorder::says(200, &list());
    let arguments = format!("invitations list --organization {ORGANIZATION} {arguments}");
    welcomat_at(&server.url, &arguments).env("TERM", "xterm-256color")
}

#[test]
fn a_terminal_gets_a_table_that_fits_and_a_pipe_gets_json() {
    let said = on_terminal(100, call("--color never"));
    insta::assert_snapshot!(said.out);
    assert!(said.out.lines().all(|line| line.len() <= 100), "{}", said.out);
    assert_eq!(call("").run().json(), list());
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    for (call, coloured) in [
        (call(""), true),
        (call("").env("NO_COLOR", "1"), false),
        (call("").env("NO_COLOR", ""), true),
        (call("").env("TERM", "dumb"), false),
        (call("--color never"), false),
        (call("--color always").env("NO_COLOR", "1"), true),
        (call("--output json"), false),
        (call("--output yaml"), false),
        (call("--quiet"), false),
    ] {
        let arguments = format!("{:?}", call.command);
        let said = on_terminal(200, call);
        assert_eq!(said.out.contains("\u{1b}[31mfailed\u{1b}[39m"), coloured, "{arguments}");
        assert_eq!(said.out.contains('\u{1b}'), coloured, "{arguments}: {:?}", said.out);
    }
    assert!(!call("--output table").run().good().contains('\u{1b}'));
}

#[test]
fn json_has_many_lines_on_a_terminal_and_one_in_a_pipe() {
    let shown = on_terminal(80, call("--output json")).out;
    assert!(shown.lines().count() > 10, "{shown}");
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), list());
    assert_eq!(call("--output json").run().good().lines().count(), 1);
}

#[test]
fn a_person_who_waits_sees_a_spinner() {
    let queued = || invitation("queued", None);
    let server = Recorder::start(vec![invited(), queued(), queued(), invitation("sent", None)]);
    let mut call = welcomat_at(&server.url, "invite-user email: ann@example.com --wait");
    let terminal = Terminal::new(80);
    call.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(terminal.end());
    let mut child = call.command.spawn().unwrap();
    drop(call);
    let seen = terminal.read();
    assert!(child.wait().unwrap().success());
    assert!(seen.contains("\r\u{1b}[2K| the mail is queued ("), "{seen:?}");
    assert!(seen.contains("\r\u{1b}[2Kwelcomat: the mail is sent, after "), "{seen:?}");
}

#[test]
fn a_person_who_waits_for_a_batch_sees_a_bar() {
    let batch = |status: &str, waiting: u32| {
        let rows = json!({ "waiting": waiting, "created": 4 - waiting });
        reply(200, &json!({ "id": INVITATION, "status": status, "total": 4, "rows": rows }))
    };
    let server = Recorder::start(vec![batch("working", 4), batch("working", 2), batch("done", 0)]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    std::fs::write(&file, "email\nann@example.com\n").unwrap();
    let arguments =
        format!("batches create {} --wait --organization {ORGANIZATION}", file.display());
    let mut call = welcomat_at(&server.url, &arguments);
    let terminal = Terminal::new(80);
    call.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(terminal.end());
    let mut child = call.command.spawn().unwrap();
    drop(call);
    let seen = terminal.read();
    assert!(child.wait().unwrap().success(), "{seen:?}");
    let bar = |full: usize, done: u32| {
        format!("[{}{}] {done} of 4 rows are done (", "#".repeat(full), "-".repeat(30 - full))
    };
    assert!(seen.contains(&format!("\r\u{1b}[2K| {}", bar(0, 0))), "{seen:?}");
    assert!(seen.contains(&bar(15, 2)), "{seen:?}");
    assert!(seen.contains("\r\u{1b}[2Kwelcomat: 4 rows are done, after "), "{seen:?}");
    let longest = seen.split('\r').map(|line| line.chars().count()).max();
    assert!(longest.is_some_and(|longest| longest <= 80), "all of it fits: {seen:?}");
    assert_eq!(server.asked()[0].body, "email\nann@example.com\n");
}

#[tokio::test]
async fn ctrl_c_is_exit_code_130() {
    let server = Recorder::start(vec![invited(), invitation("queued", None)]);
    let mut call = welcomat_at(&server.url, "invite-user email: ann@example.com --wait");
    call.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = call.command.spawn().unwrap();
    eventually("it waits", async || (server.asked().len() > 1).then_some(())).await;
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{said:?}");
    assert!(said.out.ends_with("}\n") && said.out.contains(USER), "whole or not at all: {said:?}");
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let rows: Vec<_> = (0..5000).map(|id| json!({"id": id, "name": "x".repeat(100)})).collect();
    let server = Recorder::says(200, &json!({"data": rows, "next_cursor": null}));
    for call in ["organizations list --output table", "organizations list", "completions bash"] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut call = welcomat_at(&server.url, call);
        call.command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let child = call.command.spawn().unwrap();
        drop((reader, call));
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!((said.code, said.err.as_str()), (0, ""));
    }
}

#[tokio::test]
async fn input_that_never_comes_is_asked_for() {
    let mut call = welcomat_at("http://127.0.0.1:1", "invite-user email: ann@example.com");
    let (reader, writer) = std::io::pipe().unwrap();
    call.command.stdin(reader).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = call.command.spawn().unwrap();
    drop(call);
    let mut words = [0; 32];
    child.stderr.as_mut().unwrap().read_exact(&mut words).unwrap();
    assert_eq!(String::from_utf8_lossy(&words), "welcomat: waiting for JSON on st");
    drop(writer);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
