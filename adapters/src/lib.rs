//! skeleton

pub mod templates;
