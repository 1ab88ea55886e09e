//! Connections: what is read from them, written to them and relayed between them.

mod chunk;
mod connection;
mod linger;
mod reader;
mod relay;
mod transfer;
mod writer;

pub use chunk::Chunk;
pub use connection::Closing;
pub(crate) use connection::{Connection, Told};
pub(crate) use linger::drain;
pub use reader::{Received, Taken};
pub use relay::Relayed;
pub(crate) use transfer::Detached;
pub use transfer::Unread;
pub use writer::{Accepted, Window, Written};
