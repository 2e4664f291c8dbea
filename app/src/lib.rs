//! Puts the pieces of Welcomat together; the program `welcomat` and the end-to-end tests use it.

pub mod http;
pub mod parts;
pub mod service;

/// What can go wrong at the start; shown as one sentence and nothing else.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
