//! Writes that wait for the end of a batch.
//!
//! While a batch of events is delivered, what the consumer writes is batched and sent when the batch ends:
//! several writes to one connection are one system call, and the peers are woken once for all, instead of
//! once between any two callbacks.
//!
//! Batched bytes are sent when a connection is closed or its writing side is ended, at the end of the reactor
//! and at the exit of the process; and the reactor's thread sends them when the consumer computes for too
//! long in the middle of a batch, so nothing is batched where that thread does not watch. A process that is
//! killed or aborted before the end of the batch loses them.

use std::fmt;
use std::sync::Arc;

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// Who flushes the list if the consumer's thread does not come to the end of its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FlushOwner {
    /// No thread does: nothing may be batched.
    #[default]
    None,
    /// The reactor's thread watches the consumer's loop, and takes over when it is late.
    WatchingThread,
    /// A thread of the reactor's drives, and flushes as soon as it can.
    DrivingThread,
}

/// A connection, as seen from here.
pub(crate) trait Flush: Send + Sync {
    /// Sends what is batched. On any thread.
    fn flush(self: Arc<Self>);
    /// Leaves that to the task.
    fn defer(self: Arc<Self>);
}

#[derive(Default)]
struct List {
    /// In the order of their first batched write.
    connections: Vec<Arc<dyn Flush>>,
    /// The empty list of the last batch, whose memory the next one uses.
    spare: Vec<Arc<dyn Flush>>,
    owner: FlushOwner,
}

/// The connections of one runtime that have batched writes.
#[derive(Default)]
pub(crate) struct FlushList {
    /// A batch is being delivered.
    in_batch: AtomicBool,
    list: Mutex<List>,
}

impl fmt::Debug for FlushList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushList").finish_non_exhaustive()
    }
}

impl FlushList {
    pub(crate) fn begin_batch(&self) {
        self.in_batch.store(true, Ordering::Relaxed);
    }

    /// The batch ends: what it has batched is sent, by this thread or, if one drives, by the reactor's.
    pub(crate) fn end_batch(&self) {
        self.in_batch.store(false, Ordering::Relaxed);
        self.take_each(|connection, owner| {
            if owner == FlushOwner::DrivingThread {
                connection.defer();
            } else {
                connection.flush();
            }
        });
    }

    /// Adds a connection that wants to batch a write. Returns who flushes it otherwise; without an owner, or
    /// outside of a batch, it is not added.
    pub(crate) fn push<C: Flush + 'static>(&self, connection: &Arc<C>) -> FlushOwner {
        if !self.in_batch.load(Ordering::Relaxed) {
            return FlushOwner::None;
        }
        let mut list = self.list.lock();
        if list.owner != FlushOwner::None {
            list.connections.push(Arc::clone(connection) as Arc<dyn Flush>);
        }
        list.owner
    }

    /// Names the owner. Returns false, and changes nothing, if the list would be left without one while it is
    /// not empty.
    pub(crate) fn set_owner(&self, owner: FlushOwner) -> bool {
        let mut list = self.list.lock();
        if owner == FlushOwner::None && !list.connections.is_empty() {
            return false;
        }
        list.owner = owner;
        true
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn has_owner(&self) -> bool {
        self.list.lock().owner != FlushOwner::None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.lock().connections.is_empty()
    }

    /// Leaves the flushing to the tasks of the connections, in the order of their first batched write.
    pub(crate) fn defer_all(&self) {
        self.take_each(|connection, _owner| connection.defer());
    }

    /// Drops all connections, which are closed: they hold what holds this list.
    pub(crate) fn end(&self) {
        self.take_each(|_connection, _owner| ());
    }

    fn take_each(&self, each: impl Fn(Arc<dyn Flush>, FlushOwner)) {
        let mut list = self.list.lock();
        let owner = list.owner;
        let spare = std::mem::take(&mut list.spare);
        let mut connections = std::mem::replace(&mut list.connections, spare);
        drop(list);
        for connection in connections.drain(..) {
            each(connection, owner);
        }
        self.list.lock().spare = connections;
    }
}
