//! The processor time of a thread.

use std::time::Duration;

/// The processor time that one thread has used.
#[derive(Debug)]
pub(crate) struct ThreadClock(#[cfg(target_os = "linux")] libc::clockid_t);

#[cfg(target_os = "linux")]
impl ThreadClock {
    pub(crate) fn of_this_thread() -> Self {
        let mut clock = 0;
        // SAFETY: `clock` is written, and the calling thread exists.
        let refused = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
        Self(if refused == 0 { clock } else { -1 })
    }

    /// Time on a processor since the thread began. Zero for a thread that has ended, or cannot be asked.
    pub(crate) fn used(&self) -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is written; a number that names no clock (any more) is refused.
        let refused = unsafe { libc::clock_gettime(self.0, &raw mut time) };
        if refused != 0 {
            return Duration::ZERO;
        }
        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0))
            + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// Not asked for where there is no poller to watch.
#[cfg(not(target_os = "linux"))]
impl ThreadClock {
    pub(crate) fn of_this_thread() -> Self {
        Self()
    }

    pub(crate) fn used(&self) -> Duration {
        let _ = self;
        Duration::ZERO
    }
}
