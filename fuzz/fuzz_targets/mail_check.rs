//! Any mail that is looked at before anybody gets it: its links, and how it will look elsewhere.
#![no_main]

#[path = "../../adapters/tests/support/fuzzed.rs"]
#[expect(dead_code, reason = "each target takes one of them")]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::mail_check(text));
