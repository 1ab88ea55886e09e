//! Writes that wait for the end of a batch.
//!
//! While the consumer hears of a batch of events, what it writes is kept and sent when the batch is told: several
//! writes to one connection go out as one, and the peers are woken once for all, while the kernel is at it, instead of
//! once between any two callbacks.
//!
//! What is kept is never lost: closing a connection and ending its writing side send first, as does the end of the
//! reactor and of the process, and the reactor's thread sends when the
//! consumer computes for too long in the middle of a batch.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, Weak};

use parking_lot::Mutex;

use crate::connection::Connection;
use crate::sys;

/// All that live, for the end of the process.
static OUTBOXES: Mutex<Vec<Weak<Outbox>>> = Mutex::new(Vec::new());
static AT_EXIT: Once = Once::new();

/// `process.exit()` in the middle of a batch: the consumer's thread has left its stack, and runs this.
extern "C" fn send_all() {
    for outbox in OUTBOXES.lock().iter().filter_map(Weak::upgrade) {
        outbox.send();
    }
}

/// The connections that keep something.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    holding: AtomicBool,
    held: Mutex<Vec<Arc<Connection>>>,
}

impl Outbox {
    /// An outbox that is emptied at the latest when the process exits.
    pub(crate) fn new() -> Arc<Self> {
        AT_EXIT.call_once(|| sys::at_exit(send_all));
        let outbox = Arc::default();
        let mut outboxes = OUTBOXES.lock();
        outboxes.retain(|other| other.strong_count() > 0);
        outboxes.push(Arc::downgrade(&outbox));
        outbox
    }

    /// Sends everything that is kept.
    pub(crate) fn send(&self) {
        for connection in self.take() {
            connection.end_of_batch();
        }
    }

    /// A batch begins, or ends.
    pub(crate) fn hold(&self, holding: bool) {
        self.holding.store(holding, Ordering::Relaxed);
    }

    /// Whether writes are kept.
    pub(crate) fn is_holding(&self) -> bool {
        self.holding.load(Ordering::Relaxed)
    }

    pub(crate) fn push(&self, connection: Arc<Connection>) {
        self.held.lock().push(connection);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.lock().is_empty()
    }

    /// Leaves the sending to the tasks of the connections.
    pub(crate) fn hand_over(&self) {
        for connection in self.take() {
            connection.hand_over();
        }
    }

    /// Takes out those that keep something, in the order in which they began to.
    fn take(&self) -> Vec<Arc<Connection>> {
        std::mem::take(&mut *self.held.lock())
    }
}
