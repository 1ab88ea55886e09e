//! A thread that sleeps until a time: a timer that needs no descriptor.

use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::drive::run_queue;

#[derive(Clone, Copy, Debug)]
enum Plan {
    Rest,
    WakeAt(Instant),
    End,
}

#[derive(Debug)]
struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
}

impl Shared {
    /// Sleeps until it is time. Returns false at the end.
    fn wait(&self) -> bool {
        let mut plan = self.plan.lock();
        loop {
            match *plan {
                Plan::Rest => self.changed.wait(&mut plan),
                Plan::WakeAt(at) if at <= Instant::now() => {
                    *plan = Plan::Rest;
                    return true;
                }
                Plan::WakeAt(at) => {
                    let _timed_out = self.changed.wait_until(&mut plan, at);
                }
                Plan::End => return false,
            }
        }
    }

    fn change(&self, plan: Plan) {
        *self.plan.lock() = plan;
        self.changed.notify_one();
    }
}

/// Dropped, it has ended.
#[derive(Debug)]
pub(super) struct TimerThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl TimerThread {
    /// Wakes `waker`, which takes no lock that an owner of this holds while it sets or drops it.
    pub(super) fn start(waker: Waker) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            plan: Mutex::new(Plan::Rest),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread = Builder::new().name("ferronet-timer".into()).spawn(move || {
            run_queue::set_must_interrupt(true);
            while own.wait() {
                waker.wake_by_ref();
            }
        })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Wakes once, at `at`, or not at all. The time that was set before is forgotten.
    pub(super) fn set(&self, at: Option<Instant>) {
        match at {
            Some(at) => self.shared.change(Plan::WakeAt(at)),
            // The thread finds out at the time that was set before, and need not be woken for it.
            None => *self.shared.plan.lock() = Plan::Rest,
        }
    }
}

impl Drop for TimerThread {
    fn drop(&mut self) {
        self.shared.change(Plan::End);
        if let Some(thread) = self.thread.take() {
            // Fails only for a thread that has panicked and so has ended.
            drop(thread.join());
        }
    }
}
