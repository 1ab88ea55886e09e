//! The handles of one environment, and the calls from outside.

mod endpoint;
mod entry;
mod exit;
mod handles;
mod handover;
mod options;
#[expect(
    clippy::module_inception,
    reason = "the folder has the name of what it is about"
)]
mod reactor;
mod runtimes;
mod shared;
mod stats;
mod streams;
mod transfer;
mod turns;
mod unregistered;

pub use reactor::Reactor;
pub use runtimes::Sleep;
pub use stats::{Stats, process_stats};
pub use transfer::TransferId;
