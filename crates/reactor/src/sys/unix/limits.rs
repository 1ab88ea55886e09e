//! What a process or the kernel runs out of: descriptors, buffers, the length of a backlog.

use std::io;
use std::mem::MaybeUninit;

/// Of a process that may have so many more descriptors, they count as scarce.
const SCARCE: libc::rlim_t = 64;

/// The process or the system may open no more.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// The kernel has no buffers at the moment. A write that says so is one that would block, as for libuv, but
/// no event reports that there are buffers again.
pub(crate) fn is_out_of_buffers(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

/// Whether few more descriptors can be opened than `newest`, the one that was opened last. The kernel gives
/// the lowest number that is free, so nearly all numbers below it are taken.
pub(crate) fn are_descriptors_scarce(newest: i32) -> bool {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: `limit` has room for what is written.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: written by the call, which has succeeded.
    let limit = unsafe { limit.assume_init() }.rlim_cur;
    libc::rlim_t::try_from(newest).is_ok_and(|newest| newest.saturating_add(SCARCE) >= limit)
}

/// The most connections that the kernel lets wait in a backlog, whatever `listen(2)` was asked for.
#[cfg(target_os = "linux")]
pub(crate) fn largest_backlog() -> usize {
    /// What Linux begins with, for a process without `/proc` or without a descriptor to read it.
    const USUAL: usize = 4096;
    let setting = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    setting
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(USUAL)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn largest_backlog() -> usize {
    usize::try_from(libc::SOMAXCONN).unwrap_or(128)
}
