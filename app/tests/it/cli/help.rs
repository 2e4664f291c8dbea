//! Help, manual pages and completions, which are all made from one description.

use insta::assert_snapshot;

use super::welcomat;

/// Every command that talks to a server, or is about the command line itself.
pub const COMMANDS: [&str; 84] = [
    "",
    "invite-user",
    "invitations",
    "invitations list",
    "invitations get",
    "invitations create",
    "invitations resend",
    "invitations reschedule",
    "invitations change-address",
    "invitations extend",
    "invitations revoke",
    "invitations accept",
    "invitations decline",
    "batches",
    "batches create",
    "batches list",
    "batches get",
    "batches rows",
    "batches retry",
    "batches cancel",
    "deliveries",
    "deliveries list",
    "deliveries get",
    "organizations",
    "organizations list",
    "organizations get",
    "organizations create",
    "organizations update",
    "policy",
    "policy get",
    "policy set",
    "branding",
    "branding get",
    "branding set",
    "branding clear",
    "members",
    "members list",
    "members remove",
    "me",
    "me invitations",
    "keys",
    "keys list",
    "keys create",
    "keys revoke",
    "suppressions",
    "suppressions list",
    "suppressions add",
    "suppressions lift",
    "people",
    "people export",
    "people erase",
    "bounces",
    "bounces read",
    "webhooks",
    "webhooks list",
    "webhooks get",
    "webhooks create",
    "webhooks update",
    "webhooks delete",
    "webhooks rotate-secret",
    "webhooks test",
    "webhooks log",
    "webhooks replay",
    "templates",
    "templates list",
    "templates get",
    "templates save",
    "templates preview",
    "templates test",
    "templates test-status",
    "templates versions",
    "templates rollback",
    "templates delete",
    "templates retry",
    "inbox",
    "inbox list",
    "inbox get",
    "inbox delete",
    "dead-letters",
    "dead-letters list",
    "dead-letters redrive",
    "dead-letters discard",
    "completions",
    "man",
];

#[test]
fn every_command_explains_itself_with_examples() {
    for command in COMMANDS {
        let help = welcomat(&format!("{command} --help")).run().good();
        assert!(help.contains("\nExamples:\n  welcomat"), "{command}: {help}");
        let name = format!("help {command}").trim().replace(' ', "_");
        assert_snapshot!(name, help);
    }
}

#[test]
fn there_are_manual_pages_for_all() {
    let page = welcomat("man").run().good();
    assert_snapshot!("man", page.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("man1");
    welcomat("man --dir").arg(to.to_str().unwrap()).run().good();
    for command in COMMANDS {
        let name = format!("welcomat {command}").trim().replace(' ', "-");
        let page = std::fs::read_to_string(to.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH EXAMPLES\n.nf\n"), "{name}");
    }
    let said = welcomat("man --dir /dev/null/x").run();
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the manual cannot be written"), "{said:?}");
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = welcomat(&format!("completions {shell}")).run().good();
        for word in ["invite-user", "dead-letters", "job-title"] {
            assert!(script.contains(word), "{shell} completes {word}");
        }
        // Elvish and PowerShell complete no values.
        let plain = script.replace('\\', "");
        let values = ["bash", "zsh", "fish"].contains(&shell);
        assert_eq!(plain.contains("Legal / Purchasing"), values, "{shell}");
    }
}
