//! Has batched writes sent by the thread that drives, when the consumer does not come to the end of its batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::flush_list::FlushList;
use super::run_queue::{Driving, RunQueue, Task};
use super::timers::{Timer, Timers};

/// How long a write waits at most for the end of its batch. To wake the thread for each of them would cost
/// the consumer more than to send them.
const LONGEST_WAIT: Duration = Duration::from_millis(1);

/// The deadline of the first write of one [`FlushList`].
pub(crate) struct FlushDeadline {
    flush_list: Arc<FlushList>,
    tasks: Arc<RunQueue>,
    timers: Arc<Timers>,
    timer: Mutex<Option<Timer>>,
    /// It is on the run queue.
    queued: AtomicBool,
}

impl fmt::Debug for FlushDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushDeadline").finish_non_exhaustive()
    }
}

impl FlushDeadline {
    pub(crate) fn new(flush_list: Arc<FlushList>, tasks: Arc<RunQueue>, timers: Arc<Timers>) -> Arc<Self> {
        Arc::new(Self {
            flush_list,
            tasks,
            timers,
            timer: Mutex::new(None),
            queued: AtomicBool::new(false),
        })
    }

    /// A write has joined the list, on the consumer's thread. The thread that drives is woken for the first
    /// one only.
    pub(crate) fn set(self: &Arc<Self>) {
        if self.flush_list.wants_deadline() {
            Arc::clone(self).wake();
        }
    }
}

impl Wake for FlushDeadline {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.tasks).push(self);
        }
    }
}

impl Task for FlushDeadline {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.queued.store(false, Ordering::Release);
        let mut timer = self.timer.lock();
        match &*timer {
            None => {
                let waker = Waker::from(Arc::clone(&self));
                *timer = Some(self.timers.wake_at(Instant::now() + LONGEST_WAIT, waker));
            }
            Some(set) if set.is_due() => {
                *timer = None;
                drop(timer);
                self.flush_list.flush_overdue();
            }
            Some(_) => {}
        }
    }
}
