//! Everything that is reported to the consumer.

use ferronet_core::handles::HandleId;

use crate::socket::errno::Errno;

/// One thing that happened to a handle. Each is delivered by itself, in the order in which they were queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection attempt ended.
    Connected { id: HandleId, result: Result<(), Errno> },
    /// There are bytes, or the end, to take with [`Reactor::take`](crate::Reactor::take).
    Readable { id: HandleId },
    /// The oldest write that was not taken at once is done.
    Wrote { id: HandleId, result: Result<(), Errno> },
    /// What was reported as written can't be sent.
    Broken { id: HandleId, errno: Errno },
    /// FIN is sent, behind all that was written.
    ShutDown { id: HandleId, result: Result<(), Errno> },
    /// A listener has a connection to take with [`Reactor::accept`](crate::Reactor::accept).
    Connection { id: HandleId },
    /// A listener has no descriptor for the connections that wait. The reactor handles it on the consumer's
    /// thread, and delivers nothing.
    Exhausted { id: HandleId },
    /// The last event of a handle that was closed.
    Closed { id: HandleId },
}

impl Event {
    /// The handle it happened to.
    pub fn id(&self) -> HandleId {
        match *self {
            Self::Connected { id, .. }
            | Self::Readable { id }
            | Self::Wrote { id, .. }
            | Self::Broken { id, .. }
            | Self::ShutDown { id, .. }
            | Self::Connection { id }
            | Self::Exhausted { id }
            | Self::Closed { id } => id,
        }
    }
}
