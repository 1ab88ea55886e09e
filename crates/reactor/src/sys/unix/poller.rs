//! The descriptor of the runtime's poller, for those who wait for it from outside.
//!
//! tokio does not give it out. On Linux the call that makes it is defined here, in the addon's own link unit, so that
//! the number is seen while the runtime is built: no search through `/proc`, no race. The binding is linked with
//! `-Bsymbolic`, so that its own calls come here and nobody else's do. Elsewhere there is no descriptor, and
//! the reactor's thread always drives.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use tokio::runtime::Runtime;

#[cfg(target_os = "linux")]
mod noted {
    use std::cell::Cell;
    use std::ffi::c_int;

    thread_local! {
        static LAST: Cell<Option<c_int>> = const { Cell::new(None) };
    }

    /// `epoll_create1(2)`, which also tells [`take`].
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

#[cfg(not(target_os = "linux"))]
mod noted {
    pub(super) fn take() -> Option<i32> {
        None
    }
}

/// The poller of a runtime. It is the runtime's, which outlives it, and never closed here.
#[derive(Debug)]
pub(crate) struct Poller(RawFd);

impl Poller {
    /// Builds a runtime and answers its poller, where it can be known.
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
        wait([self.0, -1], Some(Duration::ZERO))[0]
    }
}

/// Waits until one of the descriptors is readable (negative ones never are) or the time is up, and answers which are.
fn wait(descriptors: [RawFd; 2], timeout: Option<Duration>) -> [bool; 2] {
    let mut polled = descriptors.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = timeout.map_or(-1, |timeout| {
        i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
    });
    // SAFETY: `polled` has the two entries that the count says, and lives through the call.
    let found = unsafe { libc::poll(polled.as_mut_ptr(), 2, timeout) };
    polled.map(|entry| found > 0 && entry.revents != 0)
}

/// Gets the attention of a thread that waits.
#[derive(Debug)]
pub(crate) struct Bell {
    ear: PipeReader,
    rope: PipeWriter,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (ear, rope) = io::pipe()?;
        Ok(Self { ear, rope })
    }

    pub(crate) fn ring(&self) {
        // A pipe that takes no byte more has rung.
        drop((&self.rope).write(&[1]));
    }

    /// Waits for the bell, for the poller to have something, or for the time to pass. Whether it was the bell.
    pub(crate) fn wait(&self, poller: Option<&Poller>, timeout: Option<Duration>) -> bool {
        let [rung, _] = wait([self.ear.as_raw_fd(), poller.map_or(-1, Poller::raw)], timeout);
        if rung {
            drop((&self.ear).read(&mut [0; 16]));
        }
        rung
    }
}

/// How much a thread has computed.
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

/// Nobody asks where there is no poller to look at.
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
