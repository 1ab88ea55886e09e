//! Asking and waiting by poll(2), whatever the runtime's poller has reported.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// Whether a read would not wait now, whatever was reported before: there is something, the end or an error.
pub(super) fn is_readable(fd: RawFd) -> bool {
    wait_readable([fd, -1], Some(Duration::ZERO))[0]
}

/// Waits until one of the descriptors is readable (negative ones never are) or the time is up, and returns
/// which are.
pub(super) fn wait_readable(descriptors: [RawFd; 2], timeout: Option<Duration>) -> [bool; 2] {
    let mut polled = descriptors.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let end = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let left = end.map_or(-1, |end| {
            let left = end.saturating_duration_since(Instant::now());
            // Not too early: whole milliseconds, the last one too.
            i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
        });
        // SAFETY: `polled` has the two entries that the count says, and lives through the call.
        let found = unsafe { libc::poll(polled.as_mut_ptr(), 2, left) };
        if found >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return polled.map(|entry| found > 0 && entry.revents != 0);
        }
    }
}
