//! The handles of one environment, and the calls from outside.

mod exit;
mod handles;
mod handover;
mod options;
#[expect(
    clippy::module_inception,
    reason = "the folder has the name of what it is about"
)]
mod reactor;
mod streams;
mod transfer;
mod turns;

pub use reactor::{Reactor, Sleep};
pub use transfer::TransferId;
