//! Any text is a name that is safe to show, or none.
#![no_main]

#[path = "../../domain/tests/properties/checks.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::name(text));
