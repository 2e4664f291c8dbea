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

/// How long a limit is measured.
pub const LONG: Duration = Duration::from_secs(2);
