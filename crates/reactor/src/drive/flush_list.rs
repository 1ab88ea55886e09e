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
use std::vec::Drain;

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

use super::run_queue::RunQueue;

/// Who flushes the list if the consumer's thread does not come to the end of its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FlushOwner {
    /// No thread does: nothing may be batched.
    #[default]
    None,
    /// The reactor's thread watches the consumer's loop, and takes over when it is late.
    WatchingThread,
    /// A thread of the reactor's drives, and flushes what waits for too long (`flush_deadline.rs`).
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
    /// A deadline is set, or about to be.
    has_deadline: AtomicBool,
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
    /// `tasks` are those of the connections.
    pub(crate) fn end_batch(&self, tasks: &RunQueue) {
        // Nothing is added outside of a batch.
        if !self.in_batch.load(Ordering::Relaxed) {
            return;
        }
        self.in_batch.store(false, Ordering::Relaxed);
        self.take_all(|connections, owner| match owner {
            FlushOwner::DrivingThread => tasks.push_together(|| connections.for_each(Flush::defer)),
            FlushOwner::None | FlushOwner::WatchingThread => connections.for_each(Flush::flush),
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

    /// Whether [`FlushList::flush_overdue`] has to be called in a while: once for all writes until then.
    pub(crate) fn wants_deadline(&self) -> bool {
        !self.has_deadline.swap(true, Ordering::SeqCst)
    }

    /// The batch has gone on for longer than its writes may wait.
    pub(crate) fn flush_overdue(&self) {
        // First, so that a write from now on sets a deadline of its own.
        self.has_deadline.store(false, Ordering::SeqCst);
        self.defer_all();
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
        self.take_all(|connections, _owner| connections.for_each(Flush::defer));
    }

    /// Drops all connections, which are closed: they hold what holds this list.
    pub(crate) fn end(&self) {
        self.take_all(|connections, _owner| drop(connections));
    }

    fn take_all(&self, each: impl FnOnce(Drain<'_, Arc<dyn Flush>>, FlushOwner)) {
        let mut list = self.list.lock();
        if list.connections.is_empty() {
            return;
        }
        let owner = list.owner;
        let spare = std::mem::take(&mut list.spare);
        let mut connections = std::mem::replace(&mut list.connections, spare);
        drop(list);
        each(connections.drain(..), owner);
        self.list.lock().spare = connections;
    }
}
