//! The tasks of a reactor, and which of them are due.
//!
//! tokio's driver wakes a task by its waker; what wakes here is put on the [`RunQueue`], and whoever drives the runtime
//! runs what stands there. A queue of our own instead of tokio's, because a turn that JavaScript's loop drives has to
//! end with nothing that is due left behind, and tokio runs what was spawned when it sees fit.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use parking_lot::Mutex;

/// Who turns the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driving {
    /// The reactor's own thread.
    Thread,
    /// The consumer's loop, on the consumer's thread.
    Loop,
}

/// What serves one handle.
pub(crate) trait Task: Send + Sync {
    /// Does what there is to do, as far as it goes without waiting. Whoever can wake it has its waker then.
    fn turn(self: Arc<Self>, by: Driving);
}

#[derive(Default)]
struct Ready {
    tasks: Vec<Arc<dyn Task>>,
    /// The room of those that have had their turn, for the next.
    room: Vec<Arc<dyn Task>>,
    /// Whoever sleeps in the runtime until a task is due; nobody while the consumer's loop drives, which looks by
    /// itself before it sleeps.
    sleeper: Option<Waker>,
    /// A relay has moved something.
    relayed: bool,
}

/// The tasks that are due, in the order in which they were woken. A task is on it once at most; its `queued` flag
/// says so.
#[derive(Default)]
pub(crate) struct RunQueue(Mutex<Ready>);

impl fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunQueue").finish_non_exhaustive()
    }
}

impl RunQueue {
    pub(crate) fn push(&self, task: Arc<dyn Task>) {
        let mut ready = self.0.lock();
        ready.tasks.push(task);
        // With others before it, the sleeper is awake already.
        let sleeper = if ready.tasks.len() == 1 {
            ready.sleeper.clone()
        } else {
            None
        };
        drop(ready);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// A relay has moved something in this turn.
    pub(crate) fn note_relayed(&self) {
        self.0.lock().relayed = true;
    }

    /// Whether one has since the last time that was asked.
    pub(crate) fn take_relayed(&self) -> bool {
        std::mem::take(&mut self.0.lock().relayed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().tasks.is_empty()
    }

    /// Gives every task that is due now a turn. What they wake meanwhile is due later.
    pub(crate) fn run(&self, by: Driving) {
        let mut ready = self.0.lock();
        let room = std::mem::take(&mut ready.room);
        let mut due = std::mem::replace(&mut ready.tasks, room);
        drop(ready);
        for task in due.drain(..) {
            task.turn(by);
        }
        self.0.lock().room = due;
    }

    /// Names the sleeper, or says that there is none.
    pub(crate) fn sleeps(&self, sleeper: Option<Waker>) {
        self.0.lock().sleeper = sleeper;
    }

    /// Wakes the sleeper for another reason than a task.
    pub(crate) fn rouse(&self) {
        let sleeper = self.0.lock().sleeper.clone();
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }
}
