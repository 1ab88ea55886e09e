//! The end of the process in the middle of things: `process.exit()`, an exception that nobody catches.
//!
//! The consumer's thread has left its stack then, and the others still run. What was told as sent is sent: what a batch
//! keeps, and what was left to a thread that has not come to it.

use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;

use crate::sys;

use super::{Entry, Shared};

/// All that live.
static REACTORS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());
/// Whether [`send_all`] will be called.
static AT_EXIT: OnceLock<bool> = OnceLock::new();

/// Has what `shared` was given to send sent at the latest when the process exits. Answers whether the system tells of that.
pub(super) fn at_exit(shared: &Arc<Shared>) -> bool {
    let is_told = *AT_EXIT.get_or_init(|| sys::at_exit(send_all));
    let mut reactors = REACTORS.lock();
    reactors.retain(|other| other.strong_count() > 0);
    reactors.push(Arc::downgrade(shared));
    is_told
}

extern "C" fn send_all() {
    let reactors: Vec<_> = REACTORS.lock().iter().filter_map(Weak::upgrade).collect();
    for shared in reactors {
        let connection = |entry: &Entry| match entry {
            Entry::Connection(connection) => Some(Arc::clone(connection)),
            _ => None,
        };
        let connections: Vec<_> = shared.table.lock().values().filter_map(connection).collect();
        for connection in connections {
            connection.end_of_batch();
        }
    }
}
