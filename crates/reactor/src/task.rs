//! The waker of a handle's task, for calls from outside.

use std::task::Waker;

use parking_lot::Mutex;

/// Holds the waker of the one task that serves a handle.
#[derive(Debug, Default)]
pub(crate) struct TaskWaker(Mutex<Option<Waker>>);

impl TaskWaker {
    /// Called by the task at the start of each turn, before it looks at what to do: a wake that comes later than this
    /// is not lost.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut held = self.0.lock();
        match &mut *held {
            Some(current) => current.clone_from(waker),
            None => *held = Some(waker.clone()),
        }
    }

    /// Asks the task for a turn. Before its first turn there is nothing to wake: that turn is already due.
    pub(crate) fn wake(&self) {
        let waker = self.0.lock().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
