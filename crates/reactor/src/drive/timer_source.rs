//! What wakes a runtime at the earliest of its deadlines.

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
    /// Rests while nothing is set: a thread for each time would cost more.
    Thread { thread: TimerThread, rests: bool },
}

impl TimerSource {
    /// Wakes `waker` at `at`, or not at all. Returns whether that is so: it is not where the system has
    /// neither a descriptor nor a thread.
    pub(super) fn set(&mut self, at: Option<Instant>, runtime: &runtime::Handle, waker: &Waker) -> bool {
        if at.is_some() && matches!(self, Self::None | Self::Thread { rests: true, .. }) {
            self.make(runtime, waker);
        }
        match (self, at) {
            (Self::None, at) => at.is_none(),
            (Self::Poller(timer), at) => timer.set(at).is_ok(),
            (Self::Thread { thread, rests }, at) => {
                thread.set(at);
                *rests = at.is_none();
                true
            }
        }
    }

    /// Makes a descriptor, else a thread, if there is none.
    fn make(&mut self, runtime: &runtime::Handle, waker: &Waker) {
        let _entered = runtime.enter();
        if let Ok(timer) = PollTimer::new() {
            timer.wake_next(&mut Context::from_waker(waker));
            *self = Self::Poller(timer);
        } else if let Self::None = self
            && let Ok(thread) = TimerThread::start(waker.clone())
        {
            *self = Self::Thread { thread, rests: true };
        }
    }

    /// The time that was set has come: has `waker` woken at the next one.
    pub(super) fn wake_next(&self, waker: &Waker) {
        if let Self::Poller(timer) = self {
            timer.wake_next(&mut Context::from_waker(waker));
        }
    }
}
