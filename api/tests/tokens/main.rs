//! Tokens as whoever issues them meets us: which are accepted, which are refused and why, and how
//! their keys are found.

mod bearer;
mod key_server;
mod key_sets;
mod rotation;
mod session;
mod signing;
