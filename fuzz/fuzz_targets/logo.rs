//! Any bytes are a logo that pages can show, or none.
#![no_main]

#[path = "../../domain/tests/properties/checks.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::logo(bytes));
