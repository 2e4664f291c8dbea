//! Whatever a mail provider, or whoever is mistaken for one, tells of a mail; and any bounce mail.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| api::fuzzing::feedback(bytes));
