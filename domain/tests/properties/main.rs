//! What holds for any input and any sequence of events, not only for the cases that somebody
//! thought of.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod checks;
mod machines;

use std::fs;
use std::path::Path;

use domain::outcome::Enhanced;
use domain::{Phase, Reply, SecretHash, SendOutcome};
use proptest::prelude::*;

/// Near enough to an address to get past the first look.
const NEARLY: &str = "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\"(),:;<>@ \r\n\u{e9}-]{0,70}@[a-zA-Z0-9.\u{fc}\u{4f8b}\u{3002}\u{df}_-]{1,40}(\\.[a-z\u{fc}]{1,8})?";
const LOCAL_AND_DOMAIN: &str = "[a-zA-Z0-9+_'-]{1,64}(\\.[a-z]{1,3})?@([a-z0-9\u{fc}\u{4f8b}-]{1,63}\\.){1,5}[a-zA-Z\u{e9}]{2,8}";

proptest! {
    #[test]
    fn any_text_is_an_address_or_none(text: String) {
        checks::address(&text);
    }

    #[test]
    fn what_is_nearly_an_address_is_one_or_none(text in NEARLY) {
        checks::address(&text);
    }

    #[test]
    fn what_looks_like_an_address_is_one_or_none(text in LOCAL_AND_DOMAIN) {
        checks::address(&text);
    }

    #[test]
    fn any_text_is_a_name_or_none(text: String, printable in "\\PC{0,80}") {
        checks::name(&text);
        checks::name(&printable);
    }

    #[test]
    fn any_bytes_are_a_job_or_none(bytes: Vec<u8>) {
        checks::job(&bytes);
    }

    #[test]
    fn any_bytes_are_a_logo_or_none(bytes: Vec<u8>, cut in 0..80_usize, at in 0..80_usize, byte: u8) {
        checks::logo(&bytes);
        for mut picture in seeds("logo") {
            picture.truncate(cut);
            if let Some(there) = picture.get_mut(at) {
                *there = byte;
            }
            checks::logo(&picture);
        }
    }

    #[test]
    fn a_job_of_another_kind_or_version_is_refused(kind in "[a-z]{0,8}", version: u32, id: u128) {
        let id = uuid::Uuid::from_u128(id);
        let bytes = format!(r#"{{"kind":"{kind}","version":{version},"id":"{id}","generation":1}}"#);
        checks::job(bytes.as_bytes());
        let known = kind == "email" && version == 1;
        prop_assert_eq!(domain::Job::decode(bytes.as_bytes()).is_ok(), known);
    }

    #[test]
    fn an_enhanced_code_is_read_back(text: String, code in "[0-9]{1,4}(\\.[0-9]{1,6}){1,3}( .*)?") {
        for text in [text, code] {
            if let Some(code) = Enhanced::parse(&text) {
                prop_assert_eq!(Enhanced::parse(&code.to_string()), Some(code));
            }
        }
    }

    #[test]
    fn a_typed_secret_is_the_same_however_it_is_typed(text in "[0-9A-HJKMNP-TV-Z]{26}") {
        let spread: String = text.chars().flat_map(|c| [c, '-', ' ']).collect();
        prop_assert!(SecretHash::of_typed(&text) == SecretHash::of_typed(&spread.to_lowercase()));
    }
}

/// Any code that three digits can say, with any enhanced code: one meaning, and success once only.
#[test]
fn every_reply_has_a_meaning() {
    let details = [0, 1, 2, 3, 6, 7, 10, 999, u16::MAX];
    let mut enhanced = vec![None];
    for class in [0, 2, 4, 5, u8::MAX] {
        for subject in [0, 1, 2, 7, u16::MAX] {
            enhanced.extend(details.map(|detail| Some(Enhanced(class, subject, detail))));
        }
    }
    for phase in PHASES {
        for code in 0..=999 {
            for &enhanced in &enhanced {
                let reply = Reply { code, enhanced };
                let outcome = SendOutcome::from_reply(phase, reply, String::new());
                let sent = phase == Phase::FinalDot && code == 250;
                assert_eq!(outcome == SendOutcome::Sent, sent, "{code} in {phase:?}");
                let permanent =
                    matches!(outcome, SendOutcome::NoSuchRecipient(_) | SendOutcome::Refused(_));
                assert!(
                    !permanent || code / 100 == 5,
                    "{code} {enhanced:?} in {phase:?} fails a mail"
                );
            }
        }
    }
}

/// What the fuzzers begin with, and what they have found.
#[test]
fn the_seeds_of_the_fuzzers_pass() {
    for bytes in seeds("address").chain(seeds("name")) {
        let text = String::from_utf8_lossy(&bytes);
        checks::address(&text);
        checks::name(&text);
    }
    seeds("job").for_each(|bytes| checks::job(&bytes));
    seeds("logo").for_each(|bytes| checks::logo(&bytes));
}

fn seeds(target: &str) -> impl Iterator<Item = Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap())
}

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
