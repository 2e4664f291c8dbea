//! Any body of a request to invite, read by the native API and by each of the four contracts.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| api::fuzzing::create_body(text));
