//! Any text is an address that can be sent to, or none.
#![no_main]

#[path = "../../domain/tests/properties/checks.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::address(text));
