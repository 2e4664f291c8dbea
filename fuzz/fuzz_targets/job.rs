//! Any bytes from the broker are a job, or go to the dead letters.
#![no_main]

#[path = "../../domain/tests/properties/checks.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::job(bytes));
