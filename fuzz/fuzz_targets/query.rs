//! Any query of the list of invitations, its cursor included, and any `Idempotency-Key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| api::fuzzing::query(text));
