//! The reactor's thread always drives here: the runtime has no descriptor that libuv's loop could watch.

use std::io;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Runtime;

/// The runtime's completion port is not something that another loop can wait for: there is none.
#[derive(Debug)]
pub(crate) enum Poller {}

impl Poller {
    pub(crate) fn of(build: impl FnOnce() -> io::Result<Runtime>) -> io::Result<(Runtime, Option<Self>)> {
        Ok((build()?, None))
    }

    pub(crate) fn raw(&self) -> i32 {
        match *self {}
    }

    pub(crate) fn is_readable(&self) -> bool {
        match *self {}
    }
}

/// Gets the attention of a thread that waits.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same promise as on Unix, where it takes a pipe"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(crate) fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_one();
    }

    pub(crate) fn wait(&self, _poller: Option<&Poller>, timeout: Option<Duration>) -> bool {
        let mut rung = self.rung.lock();
        while !*rung {
            match timeout {
                None => self.changed.wait(&mut rung),
                Some(timeout) => {
                    if self.changed.wait_for(&mut rung, timeout).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut *rung)
    }
}

/// How much a thread has computed: nobody asks where there is no poller to look at.
#[derive(Debug)]
pub(crate) struct ThreadClock;

impl ThreadClock {
    pub(crate) fn of_this_thread() -> Self {
        Self
    }

    pub(crate) fn used(&self) -> Duration {
        let _ = self;
        Duration::ZERO
    }
}
