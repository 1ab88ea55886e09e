//! The registration of a descriptor with the runtime that is entered.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdRegisterError};

/// What a receive waits for.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const RECEIVABLE: Interest = Interest::READABLE.add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const RECEIVABLE: Interest = Interest::READABLE;

/// Registers a descriptor with the runtime that is entered. With an error it is given back.
pub(super) fn register<T: AsRawFd + AsFd + 'static>(owner: T) -> Result<AsyncFd<T>, (T, io::Error)> {
    // SAFETY: `owner` owns its descriptor (those of this folder do): it is open and the same for as long as
    // the `AsyncFd` that it moves into, which nothing here takes it out of or swaps it in.
    unsafe { AsyncFd::register_with_interest(owner, RECEIVABLE.add(Interest::WRITABLE)) }
        .map_err(AsyncFdRegisterError::into_parts)
}
