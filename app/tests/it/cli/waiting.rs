//! `--wait`: the exit code says whether the mail went out.

use serde_json::json;

use super::recorder::{INVITATION, ORGANIZATION, Reply, invitation, invited, reply};
use super::{Recorder, Said, welcomat_at};

const INVITE: &str = "invite-user email: ann@example.com";

fn invite(wait: &str, after: Vec<Reply>) -> (Recorder, Said) {
    let server = Recorder::start([vec![invited()], after].concat());
    let said = welcomat_at(&server.url, &format!("{INVITE} {wait}")).run();
    (server, said)
}

#[test]
fn waits_until_the_mail_is_sent() {
    let on_its_way = ["queued", "sending", "retrying", "uncertain", "sent"];
    let (server, said) = invite("--wait", on_its_way.map(|s| invitation(s, None)).into());
    assert_eq!(said.code, 0, "{said:?}");
    let asked = server.asked();
    assert_eq!(asked.len(), 6);
    let path = format!("GET /v1/organizations/{ORGANIZATION}/invitations/{INVITATION}");
    assert!(asked.iter().skip(1).all(|asked| asked.line == path), "{asked:?}");
    for line in ["the mail is queued\n", "the mail is retrying\n", "the mail is sent, after "] {
        assert!(said.err.contains(line), "{}", said.err);
    }
    assert!(!said.err.contains(['\r', '\u{1b}']), "no spinner in a pipe: {:?}", said.err);
    assert_eq!(said.out.lines().count(), 1, "the answer and nothing else: {}", said.out);
}

#[test]
fn a_mail_that_is_not_sent_is_exit_code_6() {
    for (wait, delivery, words) in [
        ("--wait", "failed", "the mail is failed: no such mailbox"),
        ("--wait", "suppressed", "the mail is suppressed"),
        ("--wait", "cancelled", "the mail is cancelled"),
        ("--wait=300ms", "retrying", "the mail is not sent yet, after "),
        ("--wait=300ms", "queued", "it is queued: no such mailbox"),
        ("--wait=300ms", "a-new-word", "the mail is a-new-word"),
    ] {
        let (_, said) = invite(wait, vec![invitation(delivery, Some("no such mailbox"))]);
        assert_eq!(said.code, 6, "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
        assert!(said.err.contains("hint: `welcomat deliveries get"), "{said:?}");
        assert!(said.out.contains("ann@example.com"), "the answer is there: {said:?}");
    }
}

#[test]
fn trouble_while_waiting_ends_the_wait_only_if_it_is_ours() {
    let busy = reply(503, &json!({"detail": "busy"}));
    let (_, said) = invite("--wait", vec![busy, Reply::HangsUp, invitation("sent", None)]);
    assert_eq!(said.code, 0, "{said:?}");
    let (_, said) = invite("--wait", vec![reply(404, &json!({"detail": "Nothing here."}))]);
    assert_eq!(said.code, 4, "{said:?}");
}

#[test]
fn nobody_waits_for_a_mail_that_is_not_meant_to_be() {
    let Reply::Says(status, headers, body) = invited() else { panic!("it answers") };
    let skipped = headers.replace("queued", "skipped").leak();
    for (headers, words) in [
        (&*skipped, "the server sends no mail for this invitation"),
        ("", "the answer does not name the invitation"),
    ] {
        let server = Recorder::start(vec![Reply::Says(status, headers, body.clone())]);
        let call = |more: &str| welcomat_at(&server.url, &format!("{INVITE} {more}")).run();
        assert_eq!(call("").code, 0);
        let said = call("--wait");
        assert!(said.code == 6 && said.err.contains(words), "{said:?}");
    }
}

#[test]
fn quiet_says_nothing_while_it_waits() {
    let (_, said) = invite("--wait --quiet", vec![invitation("sent", None)]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(said.out, format!("{INVITATION}\n"));
}

#[test]
fn resend_waits_as_well() {
    let server = Recorder::start(vec![invitation("queued", None), invitation("sent", None)]);
    let call = format!("invitations resend {INVITATION} --organization {ORGANIZATION} --wait=5s");
    let said = welcomat_at(&server.url, &call).run();
    assert_eq!(said.code, 0, "{said:?}");
    let lines: Vec<_> = server.asked().into_iter().map(|asked| asked.line).collect();
    let path = format!("/v1/organizations/{ORGANIZATION}/invitations/{INVITATION}");
    assert_eq!(lines, [format!("POST {path}/resend"), format!("GET {path}")]);
}
