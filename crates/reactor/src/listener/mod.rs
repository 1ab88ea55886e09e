//! Listening sockets and pipes.

mod accept;
mod listener;
mod refuse;
mod state;

pub(crate) use listener::{Adopt, Listener};
pub use state::Incoming;
