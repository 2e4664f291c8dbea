//! The real binaries against real servers, with a real crash now and then.
#![cfg_attr(not(feature = "long-faults"), expect(dead_code, reason = "some serves long `faults`"))]

mod certificates;
mod crashes;
pub mod fleet;
pub mod history;
pub mod process;
pub mod record;
mod rolling;
mod scaling;
mod versions;

use tokio::sync::Semaphore;

/// Each of these tests has processes of its own, which work for a while and then wait for a crash to be
/// noticed: two at once use the time, more would only be in each other's way. Those that take long use
/// all there is.
pub static TURN: Semaphore =
    Semaphore::const_new(if cfg!(feature = "long-faults") { 1 } else { 2 });
