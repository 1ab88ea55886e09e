//! The descriptor of the runtime's poller, for threads that wait for it from outside.
//!
//! tokio does not give it out. On Linux the call that makes it is defined here, in the addon's own link unit,
//! so that the number is seen while the runtime is built: no search through `/proc`, no race. The symbol is
//! hidden, so calls from inside the link unit always resolve to it, and no other library of the process sees
//! it. Elsewhere there is no descriptor, and the reactor's thread always drives.

use std::io;
use std::os::fd::RawFd;

use tokio::runtime::Runtime;

use super::poll::is_readable;

#[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
mod noted {
    use std::cell::Cell;
    use std::ffi::c_int;

    thread_local! {
        static LAST: Cell<Option<c_int>> = const { Cell::new(None) };
    }

    // Rust exports each `no_mangle` function from a shared library; an ELF visibility takes precedence over
    // that.
    std::arch::global_asm!(".hidden epoll_create1");

    /// `epoll_create1(2)`, and notes the descriptor for [`take`].
    #[unsafe(no_mangle)]
    extern "C" fn epoll_create1(flags: c_int) -> c_int {
        // SAFETY: the system call takes one integer and touches no memory.
        let answer = unsafe { libc::syscall(libc::SYS_epoll_create1, flags) };
        let fd = c_int::try_from(answer).unwrap_or(-1);
        if fd >= 0 {
            LAST.set(Some(fd));
        }
        fd
    }

    /// The poller that this thread has made since it was last asked.
    pub(super) fn take() -> Option<c_int> {
        LAST.take()
    }
}

#[cfg(any(not(target_os = "linux"), ferronet_without = "poller"))]
mod noted {
    pub(super) fn take() -> Option<i32> {
        None
    }
}

/// The poller of a runtime. It is the runtime's, which outlives it, and never closed here.
#[derive(Debug)]
pub(crate) struct Poller(RawFd);

impl Poller {
    /// Builds a runtime, and returns its poller where it can be known.
    pub(crate) fn of(build: impl FnOnce() -> io::Result<Runtime>) -> io::Result<(Runtime, Option<Self>)> {
        let _others = noted::take();
        let runtime = build()?;
        Ok((runtime, noted::take().map(Self)))
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.0
    }

    /// Whether a turn of the runtime would find something.
    pub(crate) fn is_readable(&self) -> bool {
        is_readable(self.0)
    }
}
