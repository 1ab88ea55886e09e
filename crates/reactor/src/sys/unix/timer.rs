//! A timer that the runtime's poller watches: timerfd(2).

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::Instant;
use std::{io, ptr};

use tokio::io::unix::AsyncFd;

use super::registration::register;

#[derive(Debug)]
pub(crate) struct PollTimer(AsyncFd<OwnedFd>);

impl PollTimer {
    /// In the runtime that is entered.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the call takes no memory. Its clock is that of `Instant`.
        let fd =
            unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and not owned yet.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        register(owned).map(Self).map_err(|(_closed, error)| error)
    }

    /// Forgets the time that was set before, also one that has come and was not seen.
    pub(crate) fn set(&self, at: Option<Instant>) -> io::Result<()> {
        let never = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = at.map_or(never, |at| {
            let left = at.saturating_duration_since(Instant::now());
            libc::timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(i32::MAX.into()),
                // Zero would be never.
                tv_nsec: libc::c_long::from(left.subsec_nanos().cast_signed()).max(1),
            }
        });
        let new = libc::itimerspec {
            it_interval: never,
            it_value: value,
        };
        // SAFETY: the descriptor is open, `new` is read during the call, and a null pointer says that the old
        // value is not wanted.
        if unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &raw const new, ptr::null_mut()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// The time that has come was seen; the task is woken by the next. The expiry need not be read: each one
    /// is an edge.
    pub(crate) fn wake_next(&self, cx: &mut Context<'_>) {
        // An error is the end of the runtime.
        while let Poll::Ready(Ok(mut come)) = self.0.poll_read_ready(cx) {
            come.clear_ready();
        }
    }
}
