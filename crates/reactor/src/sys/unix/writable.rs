//! Waiting for room to write, on a thread that has nothing else to do.

use std::time::Duration;

use crate::sys::descriptor::Descriptor as _;

use super::stream::Stream;

/// Returns when one of the streams takes bytes or has an error, when the time is up, or when a signal comes.
pub(crate) fn wait_writable(streams: &[&Stream], timeout: Duration) {
    let mut polled: Vec<_> = streams
        .iter()
        .map(|stream| libc::pollfd {
            fd: stream.raw(),
            events: libc::POLLOUT,
            revents: 0,
        })
        .collect();
    // Rounded up, so that a wait for less than a millisecond does not return at once.
    let timeout = i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
    let Ok(count) = libc::nfds_t::try_from(polled.len()) else {
        return;
    };
    // SAFETY: `polled` has as many entries as the count says and lives through the call; the descriptors are
    // the streams', which are borrowed.
    unsafe { libc::poll(polled.as_mut_ptr(), count, timeout) };
}
