//! Tokens as whoever issues them meets us: which are accepted, which are refused and why, and how
//! their keys are found.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod bearer;
mod key_server;
mod key_sets;
mod rotation;
mod session;
mod signing;
