//! What happens to the product while it is measured; each scene has a product of its own.

pub mod accept;
pub mod bulk;
pub mod drain;
pub mod fair;
pub mod idle;
pub mod outage;
pub mod scale;

use std::time::Duration;

/// Connections of the closed loop.
pub const CLIENTS: usize = 64;
/// How long anything may take at most.
pub const PATIENCE: Duration = Duration::from_mins(2);
