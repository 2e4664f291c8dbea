//! The command line: bounce mails handed in, suppressed addresses looked after.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::dsn::bounce;
use super::{DSN_SECRET, World};
use crate::harness::{KEY, Stack, block_on, text};

/// Runs `welcomat` against the product; gives its exit code and what it said.
fn welcomat(world: &World, arguments: &[&str], secret: &str, input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_welcomat"))
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("WELCOMAT_URL", &world.app.url)
        .env("WELCOMAT_API_KEY", KEY)
        .env("WELCOMAT_FEEDBACK_DSN_SECRET", secret)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not read all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn a_maildir_is_read_once() {
    block_on(async {
        let world = World::start(Stack::Embedded).await;
        let (invitation, mark) = world.sent("ann@example.com").await;
        let folder = tempfile::tempdir().unwrap();
        let (new, cur) = (folder.path().join("new"), folder.path().join("cur"));
        std::fs::create_dir(&new).unwrap();
        std::fs::create_dir(&cur).unwrap();
        std::fs::write(new.join("1.a"), bounce(&mark, "x@example.org", "failed", "5.1.1")).unwrap();
        std::fs::write(new.join("2.b"), "Subject: away\r\n\r\nI am away.\r\n").unwrap();
        let maildir = folder.path().to_str().unwrap();
        let read = ["bounces", "read", maildir];

        let (code, said) = welcomat(&world, &read, "a-secret-that-is-wrong", "");
        assert_eq!(code, 4, "{said}");
        assert_eq!(std::fs::read_dir(&new).unwrap().count(), 2, "what was not heard stays new");

        for (mails, changed) in [(2, 1), (0, 0)] {
            let (code, said) = welcomat(&world, &read, DSN_SECRET, "");
            let said: Value = serde_json::from_str(&said).unwrap();
            assert_eq!((code, said), (0, json!({ "mails": mails, "changed": changed })));
        }
        assert!(cur.join("1.a:2,S").exists() && cur.join("2.b:2,S").exists());
        assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "bounced");
        assert_eq!(welcomat(&world, &["bounces", "read", "/dev/null"], DSN_SECRET, "").0, 2);

        // The timeline tells when it was sent, and when it came back.
        let id = invitation.rsplit('/').next().unwrap();
        let (_, told) = welcomat(&world, &["deliveries", "get", id, "-o", "table"], DSN_SECRET, "");
        let words = ["queued", "sent", "bounced", "hard_bounce: smtp; 550"];
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    });
}

#[test]
fn one_mail_comes_from_standard_input() {
    block_on(async {
        let world = World::start(Stack::Embedded).await;
        let (invitation, mark) = world.sent("ann@example.com").await;
        let mail = bounce(&mark, "x@example.org", "failed", "5.1.1");
        let (code, said) = welcomat(&world, &["bounces", "read", "-"], DSN_SECRET, &mail);
        assert_eq!(code, 0, "{said}");
        assert_eq!(world.app.get(&invitation).await["delivery"]["status"], "bounced");
    });
}

#[test]
fn addresses_are_listed_added_and_lifted() {
    block_on(async {
        let world = World::start(Stack::Embedded).await;
        let run = |arguments: &[&str]| welcomat(&world, arguments, DSN_SECRET, "");
        let (code, added) = run(&["suppressions", "add", "Ann@example.com"]);
        let added: Value = serde_json::from_str(&added).unwrap();
        assert_eq!((code, text(&added["reason"])), (0, "by_hand".to_owned()));
        assert_eq!(run(&["suppressions", "list", "-q"]), (0, "ann@example.com\n".to_owned()));
        assert_eq!(run(&["suppressions", "lift", "ann@example.com"]).0, 0);
        assert_eq!(run(&["suppressions", "list", "-q"]), (0, String::new()));
        assert_eq!(run(&["suppressions", "lift", "ann@example.com"]).0, 4);
    });
}
