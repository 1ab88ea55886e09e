//! The sockets of `ferronet`. Nothing here knows of JavaScript.
//!
//! # Threads
//! Each environment (a JavaScript thread) has one [`Reactor`]. The environment's thread calls it. Its tokio
//! runtime is turned by that thread's own event loop while it has time, and by the reactor's thread while it
//! has not ([`Drive`]). It may be given more threads: each turns a runtime of its own, and the connections
//! are spread over them. Nothing is shared between reactors but the handles in transit from one to another
//! ([`Reactor::send_off`]), and the limit on memory for what is read ahead ([`read_ahead`]).
//!
//! # Ownership
//! The reactor owns the sockets, and bytes that are neither the kernel's nor the consumer's. Bytes to write
//! are borrowed for the length of the call: what is batched, and what the kernel does not take, is copied,
//! all of it or the next window of it. Bytes are read into the consumer's memory, or ahead of the consumer
//! into the reactor's, and then given away as [`Chunk`]s.
//!
//! # The way of a byte
//! - In: kernel → the connection's task → [`Event::Readable`] → [`Reactor::take`], which reads; while the
//!   thread drives, the task reads ahead into the connection's inbox.
//! - Out: [`Reactor::write`] → kernel, at once or at the end of the batch; the rest → the connection's write
//!   queue → its task → kernel → [`Event::Wrote`].

mod drive;
mod event;
mod listener;
mod reactor;
mod socket;
mod stream;
mod sync;
mod sys;

pub use drive::budget::{ReadAhead, read_ahead};
pub use drive::driver::Drive;
pub use drive::traffic::Moved;
pub use event::event::Event;
pub use event::wake::Wake;
pub use ferronet_core::handles::HandleId;
pub use listener::Incoming;
pub use reactor::{Reactor, Sleep, Stats, TransferId, process_stats};
pub use socket::address::{format_ip, parse_ip};
pub use socket::errno::Errno;
pub use stream::{Accepted, Chunk, Closing, Received, Relayed, Taken, Unread, Window, Written};
pub use sys::{
    AddressOptions, DescriptorKind, IOV_MAX, KeepAlive, LocalAccess, OwnedDescriptor, SocketOptions, Target,
    Transport,
};
