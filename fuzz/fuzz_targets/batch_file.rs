//! Whatever somebody uploads as a file of people to invite.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| api::fuzzing::batch_file(bytes));
