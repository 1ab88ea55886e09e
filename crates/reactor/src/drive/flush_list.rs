//! Writes that wait for the end of a batch.
//!
//! While the consumer hears of a batch of events, what it writes is kept and sent when the batch is told: several
//! writes to one connection go out as one, and the peers are woken once for all, while the kernel is at it, instead of
//! once between any two callbacks.
//!
//! What is kept goes out when a connection is closed in order or its writing side is ended, at the end of the reactor and at
//! the exit of the process; and the reactor's thread sends it when the consumer computes for too long in the middle of a
//! batch. A reset drops it, and so does a process that is killed or aborted before the end of the batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// Who sends what is kept if the consumer's thread does not come to the end of its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// Nobody: nothing may be kept.
    #[default]
    Nobody,
    /// The reactor's thread looks on and will notice.
    Onlooker,
    /// A thread of the reactor's drives, and sends as soon as it can.
    Driver,
}

/// A connection, as seen from here.
pub(crate) trait Batched: Send + Sync {
    /// Sends what is kept. On any thread.
    fn send(self: Arc<Self>);
    /// Leaves that to the task.
    fn hand_over(self: Arc<Self>);
}

#[derive(Default)]
struct Kept {
    /// In the order in which they began to keep something.
    connections: Vec<Arc<dyn Batched>>,
    /// The room of those of the last batch, for the next.
    room: Vec<Arc<dyn Batched>>,
    keeper: Keeper,
}

/// The connections of one runtime that keep something.
#[derive(Default)]
pub(crate) struct Outbox {
    /// A batch is being told.
    holding: AtomicBool,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Outbox {
    /// A batch begins.
    pub(crate) fn hold(&self) {
        self.holding.store(true, Ordering::Relaxed);
    }

    /// The batch ends: what was kept is sent, by this thread or, if one drives, by the reactor's.
    pub(crate) fn release(&self) {
        self.holding.store(false, Ordering::Relaxed);
        self.empty(|connection, keeper| {
            if keeper == Keeper::Driver {
                connection.hand_over();
            } else {
                connection.send();
            }
        });
    }

    /// Takes a connection that wants to keep something. Answers who looks after it; if nobody does, it is not taken.
    pub(crate) fn push<C: Batched + 'static>(&self, connection: &Arc<C>) -> Keeper {
        if !self.holding.load(Ordering::Relaxed) {
            return Keeper::Nobody;
        }
        let mut kept = self.kept.lock();
        if kept.keeper != Keeper::Nobody {
            kept.connections.push(Arc::clone(connection) as Arc<dyn Batched>);
        }
        kept.keeper
    }

    /// Names the keeper. Refused when there would be nobody for what is there.
    pub(crate) fn keep(&self, keeper: Keeper) -> bool {
        let mut kept = self.kept.lock();
        if keeper == Keeper::Nobody && !kept.connections.is_empty() {
            return false;
        }
        kept.keeper = keeper;
        true
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn has_keeper(&self) -> bool {
        self.kept.lock().keeper != Keeper::Nobody
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.lock().connections.is_empty()
    }

    /// Leaves the sending to the tasks of the connections, in the order in which they began to keep something.
    pub(crate) fn hand_over(&self) {
        self.empty(|connection, _keeper| connection.hand_over());
    }

    /// Lets go of all connections, which are closed: they hold what holds this outbox.
    pub(crate) fn end(&self) {
        self.empty(|_connection, _keeper| ());
    }

    fn empty(&self, each: impl Fn(Arc<dyn Batched>, Keeper)) {
        let mut kept = self.kept.lock();
        let keeper = kept.keeper;
        let room = std::mem::take(&mut kept.room);
        let mut connections = std::mem::replace(&mut kept.connections, room);
        drop(kept);
        for connection in connections.drain(..) {
            each(connection, keeper);
        }
        self.kept.lock().room = connections;
    }
}
