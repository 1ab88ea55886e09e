//! Waiting until a moment, to the microsecond: the timers of tokio, and the timeouts of epoll(7), have milliseconds.

use std::io;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub use timerfd::Sleeper;
#[cfg(not(target_os = "linux"))]
pub use yielding::Sleeper;

#[cfg(target_os = "linux")]
mod timerfd {
    #![expect(
        unsafe_code,
        reason = "timerfd_create(2) and timerfd_settime(2) have no safe form"
    )]

    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    use std::ptr;

    use tokio::io::unix::AsyncFd;
    use tokio::task::yield_now;

    use super::{Instant, io};

    #[derive(Debug)]
    pub struct Sleeper(AsyncFd<OwnedFd>);

    impl Sleeper {
        /// In the runtime that is entered.
        ///
        /// # Errors
        /// Of the system.
        pub fn new() -> io::Result<Self> {
            // SAFETY: the call takes no memory.
            let fd = unsafe {
                libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC)
            };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor is new, and nothing else owns it.
            let owned = unsafe { OwnedFd::from_raw_fd(fd) };
            // SAFETY: `owned` owns its descriptor, which is open and the same for as long as the `AsyncFd` that it moves into.
            Ok(Self(unsafe { AsyncFd::register(owned) }?))
        }

        /// # Errors
        /// Of the system.
        pub async fn sleep_until(&self, at: Instant) -> io::Result<()> {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Others get their turn, however often the time has come already.
                yield_now().await;
                return Ok(());
            }
            let never = libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let once = libc::itimerspec {
                it_interval: never,
                it_value: libc::timespec {
                    tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                    tv_nsec: libc::c_long::from(left.subsec_nanos().cast_signed()),
                },
            };
            // SAFETY: `once` is alive during the call, and a null pointer says that the old value is not wanted.
            if unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &raw const once, ptr::null_mut()) } < 0 {
                return Err(io::Error::last_os_error());
            }
            // Setting it anew resets its count, so that it need not be read.
            self.0.readable().await?.clear_ready();
            Ok(())
        }
    }
}

/// Without a timer that is fine enough, the thread polls until it is time.
#[cfg(not(target_os = "linux"))]
mod yielding {
    use super::{Instant, io};

    #[derive(Debug)]
    pub struct Sleeper;

    impl Sleeper {
        /// # Errors
        /// None here.
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// # Errors
        /// None here.
        pub async fn sleep_until(&self, at: Instant) -> io::Result<()> {
            loop {
                tokio::task::yield_now().await;
                if Instant::now() >= at {
                    return Ok(());
                }
            }
        }
    }
}
