//! Listening sockets and pipes.

#[expect(
    clippy::module_inception,
    reason = "the folder has the name of what it is about"
)]
mod listener;

pub(crate) use listener::{Adopt, Listener};
