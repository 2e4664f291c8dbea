//! What each kind of reply means in each phase of the SMTP conversation.

use domain::outcome::Enhanced;
use domain::{Phase, Reply, SendOutcome};

/// The columns are replies; `broken` is a lost connection, a timeout or garbage.
/// `gone` is 550 5.1.1, `full` 552 5.2.2. A reply that lets the conversation go on (220, 334, 354 and
/// 250 where they are due) is not asked about; here it stands for one that came out of step.
const TABLE: &str = "
phase       250          354          421    450        451_4.7.1  452_4.2.2  550                gone                full         554_5.7.1    broken
render      unrenderable unrenderable unrenderable unrenderable unrenderable unrenderable unrenderable unrenderable unrenderable unrenderable unrenderable
connect     ours         ours         ours   ours       ours       ours       ours               ours                ours         ours         ours
tls         ours         ours         ours   ours       ours       ours       ours               ours                ours         ours         ours
greeting    ours         ours         ours   ours       ours       ours       ours               ours                ours         ours         ours
hello       ours         ours         ours   ours       ours       ours       ours               ours                ours         ours         ours
auth        ours         ours         ours   ours       ours       ours       ours               ours                ours         ours         ours
mail_from   ours         ours         ours   deferred   deferred   deferred   ours               ours                ours         ours         deferred
recipient   deferred     deferred     ours   deferred   deferred   deferred   refused            no_such_recipient   deferred     refused      deferred
data        deferred     deferred     ours   deferred   deferred   deferred   refused            refused             deferred     refused      deferred
body        deferred     deferred     ours   deferred   deferred   deferred   deferred           deferred            deferred     deferred     deferred
final_dot   sent         uncertain    ours   deferred   deferred   deferred   refused            refused             deferred     refused      uncertain
";

const PHASES: [Phase; 11] = [
    Phase::Render,
    Phase::Connect,
    Phase::Tls,
    Phase::Greeting,
    Phase::Hello,
    Phase::Auth,
    Phase::MailFrom,
    Phase::Recipient,
    Phase::Data,
    Phase::Body,
    Phase::FinalDot,
];

#[test]
fn every_reply_in_every_phase_means_what_the_table_says() {
    let mut rows = TABLE.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let replies = rows.next().unwrap().split_off(1);
    let mut differences = Vec::new();
    let mut phases = PHASES.iter();
    for row in rows {
        let phase = *phases.next().unwrap();
        assert_eq!(row[0], phase.as_str(), "the rows follow the conversation");
        assert_eq!(row.len(), replies.len() + 1, "{phase:?} has a cell for each reply");
        for (name, expected) in replies.iter().zip(&row[1..]) {
            let outcome = outcome(phase, name);
            if outcome.as_str() != *expected {
                differences
                    .push(format!("{name} in {phase:?}: {}, not {expected}", outcome.as_str()));
            }
            let told = outcome.trouble().map(|trouble| (trouble.phase, trouble.detail.as_str()));
            let silent = matches!(outcome, SendOutcome::Sent);
            assert_eq!(told, (!silent).then_some((phase, "why")), "{name} in {phase:?}");
        }
    }
    assert!(phases.next().is_none(), "every phase has a row");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn only_250_after_the_final_dot_is_sent() {
    for phase in PHASES {
        for code in 200..600 {
            let reply = Reply { code, enhanced: None };
            let outcome = SendOutcome::from_reply(phase, reply, String::new());
            let sent = phase == Phase::FinalDot && code == 250;
            assert_eq!(outcome == SendOutcome::Sent, sent, "{code} in {phase:?}");
        }
    }
}

#[test]
fn only_an_address_that_is_bad_for_good_suppresses_it() {
    let cases = [
        ("5.1.0", false),
        ("5.1.1", true),
        ("5.1.2", true),
        ("5.1.3", true),
        ("5.1.6", true),
        ("5.1.7", false),
        ("5.1.8", false),
        ("5.1.10", true),
        ("5.2.1", true),
        ("5.2.3", false),
        ("5.4.1", false),
        ("5.7.1", false),
        ("4.1.1", false),
    ];
    for (code, expected) in cases {
        let reply = Reply { code: 550, enhanced: Enhanced::parse(code) };
        let outcome = SendOutcome::from_reply(Phase::Recipient, reply, String::new());
        assert_eq!(matches!(outcome, SendOutcome::NoSuchRecipient(_)), expected, "550 {code}");
    }
}

#[test]
fn reads_an_enhanced_status_code_where_there_is_one() {
    let cases = [
        ("5.1.1 No such user", Some(Enhanced(5, 1, 1))),
        ("  4.7.1 Greylisted", Some(Enhanced(4, 7, 1))),
        ("2.0.0", Some(Enhanced(2, 0, 0))),
        ("5.1.10 Null MX", Some(Enhanced(5, 1, 10))),
        ("", None),
        ("No such user", None),
        ("5.1 odd", None),
        ("5.1.1.1 odd", None),
        ("3.1.1 odd", None),
        ("5.1.x odd", None),
        ("5.1.70000 odd", None),
        ("10.0.0.1 is blocked", None),
        ("User 5.1.1", None),
    ];
    for (text, expected) in cases {
        assert_eq!(Enhanced::parse(text), expected, "{text:?}");
    }
    assert_eq!(Enhanced(5, 1, 10).to_string(), "5.1.10");
}

fn outcome(phase: Phase, name: &str) -> SendOutcome {
    let (code, enhanced) = match name {
        "broken" => return SendOutcome::from_broken_conversation(phase, "why".to_owned()),
        "gone" => ("550", Some("5.1.1")),
        "full" => ("552", Some("5.2.2")),
        other => other.split_once('_').map_or((other, None), |(code, text)| (code, Some(text))),
    };
    let code = code.parse().unwrap_or_default();
    let reply = Reply { code, enhanced: enhanced.and_then(Enhanced::parse) };
    SendOutcome::from_reply(phase, reply, "why".to_owned())
}
