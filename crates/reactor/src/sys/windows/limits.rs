//! What a process or the system runs out of.

use std::io;

use windows_sys::Win32::Foundation::ERROR_TOO_MANY_OPEN_FILES;
use windows_sys::Win32::Networking::WinSock::WSAEMFILE;

/// Handles are bounded by memory; a provider of sockets may know a limit of its own.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(WSAEMFILE) || code == Some(ERROR_TOO_MANY_OPEN_FILES.cast_signed())
}

/// A write that fails for want of buffers fails, as for libuv.
pub(crate) fn is_out_of_buffers(_error: &io::Error) -> bool {
    false
}

/// There is no number of handles that a process may have.
pub(crate) fn are_descriptors_scarce(_newest: i32) -> bool {
    false
}

/// What Windows makes of a longer one, unless it is asked with a hint.
pub(crate) fn largest_backlog() -> usize {
    200
}
