//! The real binaries against real servers, with a real crash now and then.
#![cfg_attr(not(feature = "long-faults"), expect(dead_code, reason = "some serves long `faults`"))]

mod crashes;
pub mod fleet;
pub mod history;
pub mod process;
mod rolling;
mod scaling;

use tokio::sync::Mutex;

/// Each of these tests keeps all cores busy; two at once would only wait for each other.
pub static TURN: Mutex<()> = Mutex::const_new(());
