//! What wakes a runtime at the earliest of its deadlines.

use std::io;
use std::task::{Context, Waker};
use std::time::Instant;

use tokio::runtime;

use crate::sys::PollTimer;

use super::timer_thread::TimerThread;

#[derive(Debug, Default)]
pub(super) enum TimerSource {
    #[default]
    None,
    /// Not closed when nothing is set any more: making it again would cost system calls.
    Poller(PollTimer),
    /// Ended when nothing is set any more.
    Thread(TimerThread),
}

impl TimerSource {
    /// Wakes `waker` at `at`, or not at all. Answers whether that is so: it is not where the system has neither a descriptor
    /// nor a thread.
    pub(super) fn set(&mut self, at: Option<Instant>, runtime: &runtime::Handle, waker: &Waker) -> bool {
        if let Self::None = self
            && at.is_some()
        {
            *self = Self::made(runtime, waker).unwrap_or_default();
        }
        match (&*self, at) {
            (Self::None, at) => at.is_none(),
            (Self::Poller(timer), at) => timer.set(at).is_ok(),
            (Self::Thread(thread), Some(at)) => {
                thread.set(at);
                true
            }
            (Self::Thread(_), None) => {
                *self = Self::None;
                true
            }
        }
    }

    fn made(runtime: &runtime::Handle, waker: &Waker) -> io::Result<Self> {
        let _entered = runtime.enter();
        if let Ok(timer) = PollTimer::new() {
            timer.wake_next(&mut Context::from_waker(waker));
            return Ok(Self::Poller(timer));
        }
        TimerThread::start(waker.clone()).map(Self::Thread)
    }

    /// The time that was set has come: has `waker` woken at the next one.
    pub(super) fn wake_next(&self, waker: &Waker) {
        if let Self::Poller(timer) = self {
            timer.wake_next(&mut Context::from_waker(waker));
        }
    }
}
