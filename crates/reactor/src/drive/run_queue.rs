//! The tasks of one runtime, and which of them are due.
//!
//! tokio's driver wakes a task by its waker, which puts it on the [`RunQueue`]; the thread that drives the
//! runtime runs what is queued. tokio's own queue would not do: a turn that JavaScript's loop drives has to
//! end with nothing left that is due, and tokio runs spawned tasks when it sees fit.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::runtime::Runtime;
use tokio::task::coop::unconstrained;

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, thread_local};

thread_local! {
    static MUST_INTERRUPT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a wake from the calling thread has to interrupt a loop that sleeps, because that loop does not
/// look before it does: on a thread that drives another runtime, or between two turns of a loop that sleeps
/// outside of them.
pub(crate) fn set_must_interrupt(must_interrupt: bool) {
    MUST_INTERRUPT.with(|before| before.set(must_interrupt));
}

/// Wakes a task that may belong to another reactor, whose loop may be asleep.
pub(crate) fn wake_interrupting(task: Waker) {
    let before = MUST_INTERRUPT.with(|must_interrupt| must_interrupt.replace(true));
    task.wake();
    MUST_INTERRUPT.with(|must_interrupt| must_interrupt.set(before));
}

/// Who drives the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driving {
    /// A thread of the reactor's.
    Thread,
    /// The consumer's loop, on the consumer's thread.
    Loop,
}

/// What serves one handle.
pub(crate) trait Task: Send + Sync {
    /// Does what there is to do, as far as it goes without waiting. What will wake it has its waker by the
    /// end.
    fn turn(self: Arc<Self>, by: Driving);
}

/// When the sleeper is woken for a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wakes {
    #[default]
    AtOnce,
    /// At the end of [`RunQueue::push_together`], if a task has become due until then.
    Held,
    /// At its end: one has.
    Owed,
}

#[derive(Default)]
struct Ready {
    tasks: Vec<Arc<dyn Task>>,
    /// The empty list of the last run, whose memory the next one uses.
    spare: Vec<Arc<dyn Task>>,
    /// The thread that sleeps in the runtime until a task is due; none while the consumer's loop drives,
    /// which looks before it sleeps.
    sleeper: Option<Waker>,
    wakes: Wakes,
    /// No thread turns the runtime any more.
    ended: bool,
}

/// The tasks that are due, in the order in which they were woken. A task is on it once at most; its `queued`
/// flag says so.
pub(crate) struct RunQueue {
    ready: Mutex<Ready>,
    /// A task is due. Changed under the lock.
    has_due: AtomicBool,
    /// A relay has moved something.
    relayed: AtomicBool,
    /// Makes the runtime's poller readable, which a loop that sleeps watches.
    interrupt: Waker,
}

impl fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunQueue").finish_non_exhaustive()
    }
}

impl RunQueue {
    /// The queue of a runtime that `interrupt` wakes.
    pub(crate) fn new(interrupt: Waker) -> Self {
        Self {
            ready: Mutex::default(),
            has_due: AtomicBool::new(false),
            relayed: AtomicBool::new(false),
            interrupt,
        }
    }

    pub(crate) fn push(&self, task: Arc<dyn Task>) {
        let mut ready = self.ready.lock();
        // A wake from another reactor's thread can come after the end.
        if ready.ended {
            return;
        }
        ready.tasks.push(task);
        self.has_due.store(true, Ordering::Release);
        // With others before it, the sleeper is awake already.
        if ready.tasks.len() > 1 {
            return;
        }
        if ready.wakes != Wakes::AtOnce {
            ready.wakes = Wakes::Owed;
            return;
        }
        let sleeper = ready.sleeper.clone();
        drop(ready);
        self.wake(sleeper);
    }

    /// Runs `push`, and wakes the sleeper once for all tasks that it makes due. A wake is a system call, and
    /// a sleeper that is quick would sleep again between any two of them.
    pub(crate) fn push_together(&self, push: impl FnOnce()) {
        self.ready.lock().wakes = Wakes::Held;
        push();
        let mut ready = self.ready.lock();
        let wakes = std::mem::take(&mut ready.wakes);
        if wakes == Wakes::Owed && !ready.tasks.is_empty() {
            let sleeper = ready.sleeper.clone();
            drop(ready);
            self.wake(sleeper);
        }
    }

    fn wake(&self, sleeper: Option<Waker>) {
        match sleeper {
            Some(sleeper) => sleeper.wake(),
            None if MUST_INTERRUPT.with(Cell::get) => self.interrupt.wake_by_ref(),
            None => {}
        }
    }

    /// A relay has moved something in this turn.
    pub(crate) fn note_relayed(&self) {
        self.relayed.store(true, Ordering::Relaxed);
    }

    /// Whether one has since the last time that was asked.
    pub(crate) fn take_relayed(&self) -> bool {
        self.relayed.load(Ordering::Relaxed) && self.relayed.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.has_due.load(Ordering::Acquire)
    }

    /// Gives every task that is due now a turn. What they wake meanwhile is due later.
    pub(crate) fn run(&self, by: Driving) {
        let mut ready = self.ready.lock();
        let spare = std::mem::take(&mut ready.spare);
        let mut due = std::mem::replace(&mut ready.tasks, spare);
        self.has_due.store(false, Ordering::Release);
        drop(ready);
        for task in due.drain(..) {
            // A panic is a bug in what serves one handle. The other tasks go on, and so does the thread.
            let _panicked = catch_unwind(AssertUnwindSafe(|| task.turn(by)));
        }
        self.ready.lock().spare = due;
    }

    /// Turns the runtime on the calling thread, and sleeps in it while nothing is due, until `ended` returns
    /// true. What makes it true has to call [`RunQueue::wake_sleeper`].
    pub(crate) fn drive(&self, runtime: &Runtime, ended: impl FnMut() -> bool) {
        // Unconstrained: what tokio's budget makes wait is woken when the runtime parks.
        runtime.block_on(unconstrained(self.run_until(ended)));
    }

    /// What [`RunQueue::drive`] drives.
    pub(super) async fn run_until(&self, mut ended: impl FnMut() -> bool) {
        poll_fn(|cx| {
            self.set_sleeper(Some(cx.waker().clone()));
            if ended() {
                return Poll::Ready(());
            }
            self.run(Driving::Thread);
            Poll::Pending
        })
        .await;
        self.set_sleeper(None);
    }

    fn set_sleeper(&self, sleeper: Option<Waker>) {
        self.ready.lock().sleeper = sleeper;
    }

    /// Wakes the sleeper for another reason than a task.
    pub(crate) fn wake_sleeper(&self) {
        let sleeper = self.ready.lock().sleeper.clone();
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// Drops the tasks that are due, and those that are woken from now on: they hold what holds this queue.
    pub(crate) fn end(&self) {
        let mut ready = self.ready.lock();
        ready.ended = true;
        let due = std::mem::take(&mut ready.tasks);
        self.has_due.store(false, Ordering::Release);
        drop(ready);
        drop(due);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Due(Arc<RunQueue>);

    impl Wake for Due {
        fn wake(self: Arc<Self>) {
            let queue = Arc::clone(&self.0);
            queue.push(self);
        }
    }

    impl Task for Due {
        fn turn(self: Arc<Self>, _by: Driving) {}
    }

    fn queue() -> (Arc<RunQueue>, Arc<Counter>) {
        let interrupts = Arc::new(Counter::default());
        let queue = RunQueue::new(Waker::from(Arc::clone(&interrupts)));
        (Arc::new(queue), interrupts)
    }

    #[test]
    fn a_wake_from_another_reactor_interrupts_a_sleeping_loop() {
        let (queue, interrupts) = queue();
        let task = || Waker::from(Arc::new(Due(Arc::clone(&queue))));
        task().wake();
        assert_eq!(
            interrupts.0.load(Ordering::Relaxed),
            0,
            "it looks before it sleeps"
        );
        queue.run(Driving::Loop);
        wake_interrupting(task());
        assert_eq!(interrupts.0.load(Ordering::Relaxed), 1);
        queue.run(Driving::Loop);
        task().wake();
        assert_eq!(interrupts.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn tasks_that_become_due_together_wake_the_sleeper_once() {
        let (queue, _interrupts) = queue();
        let wakes = Arc::new(Counter::default());
        queue.set_sleeper(Some(Waker::from(Arc::clone(&wakes))));
        queue.push_together(|| {
            for _ in 0..3 {
                Waker::from(Arc::new(Due(Arc::clone(&queue)))).wake();
                // The sleeper is quick, and would have slept again.
                queue.run(Driving::Thread);
            }
            Waker::from(Arc::new(Due(Arc::clone(&queue)))).wake();
            assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
        });
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        queue.push_together(|| ());
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "nothing has become due");
        queue.end();
    }

    #[test]
    fn an_ended_queue_holds_no_task() {
        let (queue, interrupts) = queue();
        let task = Arc::new(Due(Arc::clone(&queue)));
        Waker::from(Arc::clone(&task)).wake();
        assert_eq!(Arc::strong_count(&task), 2);
        queue.end();
        assert_eq!(Arc::strong_count(&task), 1);
        wake_interrupting(Waker::from(Arc::clone(&task)));
        assert_eq!(Arc::strong_count(&task), 1);
        assert_eq!(interrupts.0.load(Ordering::Relaxed), 0);
    }

    enum Turn {
        Panics,
        Sets(AtomicBool),
    }

    impl Task for Turn {
        fn turn(self: Arc<Self>, _by: Driving) {
            match &*self {
                Self::Panics => panic!("a turn that a test wants to panic"),
                Self::Sets(had) => had.store(true, Ordering::Relaxed),
            }
        }
    }

    #[test]
    fn a_turn_that_panics_takes_no_other_along() {
        let queue = RunQueue::new(Waker::noop().clone());
        let other = Arc::new(Turn::Sets(AtomicBool::new(false)));
        queue.push(Arc::new(Turn::Panics));
        queue.push(Arc::clone(&other) as Arc<dyn Task>);
        queue.run(Driving::Loop);
        assert!(matches!(&*other, Turn::Sets(had) if had.load(Ordering::Relaxed)));
        assert!(queue.is_empty());
    }
}
