//! What this machine can do at best, measured in the same round as the product.

pub mod lettre;
pub mod pgbench;
pub mod publish;
pub mod smtp;
pub mod sqlite;
mod statements;

use std::time::Duration;

/// Connections to the mail server, as many as a worker has by default.
pub const CONNECTIONS: usize = 16;

/// How often a limit of an idle system is measured, as the product is.
pub const TURNS: usize = 40;
/// Between two of them, as between two invitations: whatever has rested is slower than in a loop.
pub const REST: Duration = Duration::from_millis(25);

/// How long a limit is measured.
pub const LONG: Duration = Duration::from_secs(2);
