//! skeleton

pub mod broker;
