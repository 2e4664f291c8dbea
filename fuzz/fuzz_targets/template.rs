//! Any template that an organization may write: taken, or told what is wrong and where.
#![no_main]

#[path = "../../adapters/tests/support/fuzzed.rs"]
#[expect(dead_code, reason = "each target takes one of them")]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::template(text));
