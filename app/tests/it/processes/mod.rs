//! The real binaries against real servers, with a real crash now and then.

mod crashes;
mod fleet;
mod scaling;

use tokio::sync::Mutex;

/// Each of these tests keeps all cores busy; two at once would only wait for each other.
static TURN: Mutex<()> = Mutex::const_new(());
