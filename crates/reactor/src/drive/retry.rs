//! Pauses of a task between tries that fail.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use ferronet_core::backoff::Backoff;

use super::timers::{Timer, Timers};

/// Ever longer pauses between tries that fail, for a task.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    timer: Option<Box<Timer>>,
    backoff: Backoff,
}

impl Retry {
    /// A try has failed: has `waker` woken for the next.
    pub(crate) fn pause(&mut self, timers: &Arc<Timers>, waker: Waker) {
        let pause = self.backoff.fail();
        self.timer = Some(Box::new(timers.wake_at(Instant::now() + pause, waker)));
    }

    /// Whether it is too early for the next try.
    pub(crate) fn is_pausing(&self) -> bool {
        self.timer.as_ref().is_some_and(|timer| !timer.is_due())
    }

    /// A try has succeeded, or there is nothing to try any more.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use tokio::runtime::Builder;

    use super::*;
    use crate::drive::run_queue::RunQueue;

    #[test]
    fn a_pause_begins_with_a_failure_and_ends_with_a_success() {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        let tasks = Arc::new(RunQueue::new(Waker::noop().clone()));
        let timers = Timers::new(runtime.handle().clone(), tasks);
        let mut retry = Retry::default();
        assert!(!retry.is_pausing());
        // The longest pause, which is still going on when it is looked at.
        for _ in 0..10 {
            retry.pause(&timers, Waker::noop().clone());
        }
        assert!(retry.is_pausing());
        assert!(!timers.is_idle());
        retry.end();
        assert!(!retry.is_pausing());
        assert!(timers.is_idle());
        timers.end();
    }
}
