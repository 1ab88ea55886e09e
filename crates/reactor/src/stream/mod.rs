//! Connections: what is read from them, written to them and relayed between them.

mod chunk;
mod connect;
mod connection;
mod failure;
mod io;
mod linger;
mod reader;
mod receive;
mod relay;
mod relay_state;
mod send;
mod transfer;
mod turn;
mod writer;

pub use chunk::Chunk;
pub use connection::Closing;
pub(crate) use connection::Connection;
pub(crate) use linger::drain;
pub use reader::{Received, Taken};
pub use relay_state::Relayed;
pub(crate) use transfer::Detached;
pub use transfer::Unread;
pub use writer::{Accepted, Window, Written};
