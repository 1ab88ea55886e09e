//! Waking a thread that waits.

use std::io;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::poller::Poller;

/// Wakes a thread that waits.
#[derive(Debug, Default)]
pub(crate) struct ThreadWaker {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl ThreadWaker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(crate) fn wake(&self) {
        *self.woken.lock() = true;
        self.changed.notify_one();
    }

    pub(crate) fn wait(&self, _poller: Option<&Poller>, timeout: Option<Duration>) -> bool {
        let mut woken = self.woken.lock();
        while !*woken {
            match timeout {
                None => self.changed.wait(&mut woken),
                Some(timeout) => {
                    if self.changed.wait_for(&mut woken, timeout).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut *woken)
    }
}
