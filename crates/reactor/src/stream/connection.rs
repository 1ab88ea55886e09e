//! One stream, from the moment its connect was begun or accepted until it is closed.
//!
//! Its two halves are a [`Reader`] and a [`Writer`], each behind a lock. What is done with them:
//! `connect.rs`, `receive.rs`, `send.rs`, `failure.rs`, `relay.rs`, `linger.rs` (the close) and
//! `transfer.rs`; `turn.rs` is the task.
//!
//! Two threads use a connection. The consumer's calls `write`, `shutdown`, `read_start`, `take` and `close`;
//! the one that drives the connection's runtime runs its task. A third one may use the writing half: the one
//! that runs a relay's source. Their rules:
//! - `stream` is taken out, and so closed, only by [`Connection::close`] and [`Connection::detach`], or at
//!   the end of lingering, under the write lock. All others hold the read lock while they use the descriptor,
//!   so it is never closed under a system call, and it *is* closed (its port free) when `close` returns, as
//!   after `uv_close`, unless bytes that were reported as written have to go first (`linger.rs`).
//! - Locks are taken in the order `stream`, then `reader` or `writer`, then the event queue's. The lock of
//!   the budget for read-ahead is a leaf. No lock is held while the consumer's callbacks run.
//! - What the kernel takes at once is sent by the thread that writes; only the rest waits in the queue, and
//!   then everything else goes behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use ferronet_core::handles::HandleId;
use ferronet_core::state::Writing;
use parking_lot::{MappedRwLockReadGuard, Mutex, RwLock, RwLockReadGuard};

use crate::drive::shard::Shard;
use crate::event::queue::EventQueue;
use crate::socket::errno::Errno;
use crate::sys::{Descriptor, Stream};

use super::io::StreamIo;
use super::reader::Reader;
use super::writer::Writer;

/// How a handle is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// As `close(2)` does.
    Orderly,
    /// With RST instead of FIN; what was not sent is dropped.
    Reset,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) id: HandleId,
    pub(super) stream: RwLock<Option<StreamIo>>,
    pub(super) reader: Mutex<Reader<Self>>,
    pub(super) writer: Mutex<Writer>,
    /// On the run queue.
    pub(super) queued: AtomicBool,
    /// The handle is closed and the descriptor is not yet.
    pub(super) lingers: AtomicBool,
    /// Another owner uses the socket as well: see [`Connection::set_shared`].
    pub(super) shared: AtomicBool,
    /// Where its task runs, for its whole life.
    pub(super) shard: Arc<Shard>,
    pub(super) events: Arc<EventQueue>,
}

impl Connection {
    pub(crate) fn new(
        id: HandleId,
        stream: Stream,
        writing: Writing,
        shard: Arc<Shard>,
        events: Arc<EventQueue>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            stream: RwLock::new(Some(StreamIo::new(stream))),
            reader: Mutex::new(Reader::new()),
            writer: Mutex::new(Writer::new(writing)),
            queued: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            shard,
            events,
        })
    }

    pub(crate) fn id(&self) -> HandleId {
        self.id
    }

    /// The open descriptor.
    pub(crate) fn opened(&self) -> Result<MappedRwLockReadGuard<'_, dyn Descriptor>, Errno> {
        let opened = RwLockReadGuard::try_map(self.stream.read(), |place| {
            place.as_ref().map(StreamIo::descriptor)
        });
        opened.map_err(|_closed| Errno::EBADF)
    }
}

impl Wake for Connection {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.shard).tasks.push(self);
        }
    }
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_takes_no_more_memory_than_it_did() {
        assert!(
            size_of::<Connection>() <= 216,
            "{} bytes",
            size_of::<Connection>()
        );
    }
}
