//! The descriptor of the runtime's poller, for those who wait for it from outside.
//!
//! tokio does not give it out. On Linux the call that makes it is defined here, in the addon's own link unit, so that
//! the number is seen while the runtime is built: no search through `/proc`, no race. The symbol is hidden, so calls
//! from inside the link unit always resolve to it, and no other library of the process sees it. Elsewhere there is no
//! descriptor, and the reactor's thread always drives.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

#[cfg(target_os = "linux")]
mod noted {
    use std::cell::Cell;
    use std::ffi::c_int;

    thread_local! {
        static LAST: Cell<Option<c_int>> = const { Cell::new(None) };
    }

    // Rust exports each `no_mangle` function from a shared library; an ELF visibility takes precedence over that.
    std::arch::global_asm!(".hidden epoll_create1");

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
        is_readable(self.0)
    }
}

/// Whether a read would not wait now, whatever was reported before: there is something, the end or an error.
pub(super) fn is_readable(fd: RawFd) -> bool {
    wait([fd, -1], Some(Duration::ZERO))[0]
}

/// Waits until one of the descriptors is readable (negative ones never are) or the time is up, and answers which are.
fn wait(descriptors: [RawFd; 2], timeout: Option<Duration>) -> [bool; 2] {
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

/// Gets the attention of a thread that waits. Neither side of it ever waits for the other: a pipe that is full has been
/// written to, and one that is empty was read.
#[derive(Debug)]
pub(crate) struct Bell {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        for end in [reader.as_raw_fd(), writer.as_raw_fd()] {
            // SAFETY: the descriptor is open; this call takes no memory.
            if unsafe { libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self { reader, writer })
    }

    pub(crate) fn ring(&self) {
        while (&self.writer)
            .write(&[1])
            .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
        {}
    }

    /// Waits for the bell, for the poller to have something, or for the time to pass. Whether it was the bell.
    pub(crate) fn wait(&self, poller: Option<&Poller>, timeout: Option<Duration>) -> bool {
        let [rung, _] = wait([self.reader.as_raw_fd(), poller.map_or(-1, Poller::raw)], timeout);
        if rung {
            self.drain();
        }
        rung
    }

    fn drain(&self) {
        let mut bytes = [0; 256];
        loop {
            match (&self.reader).read(&mut bytes) {
                Ok(read) if read == bytes.len() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return,
            }
        }
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread::spawn;

    use super::*;

    #[test]
    fn ringing_never_waits_and_is_heard_once() {
        let bell = Arc::new(Bell::new().unwrap());
        let (rung, has_rung) = channel();
        let ringing = Arc::clone(&bell);
        spawn(move || {
            // More than a pipe holds.
            for _ in 0..100_000 {
                ringing.ring();
            }
            rung.send(()).unwrap();
        });
        has_rung.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(bell.wait(None, None));
        assert!(!bell.wait(None, Some(Duration::ZERO)), "it was drained");
        bell.ring();
        assert!(bell.wait(None, None));
    }

    extern "C" fn handle(_signal: libc::c_int) {}

    /// A pointer with some C libraries.
    struct ThreadName(libc::pthread_t);

    // SAFETY: any thread may send a signal to the thread that it names.
    unsafe impl Send for ThreadName {}

    #[test]
    fn waiting_ends_with_the_time_and_not_with_a_signal() {
        const WHILE: Duration = Duration::from_millis(50);
        // SAFETY: the handler does nothing, without SA_RESTART; nothing else here uses the signal.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as extern "C" fn(libc::c_int) as usize;
            libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut());
        }
        let (waits, waiting) = channel();
        let (has_ended, end) = channel();
        let thread = spawn(move || {
            // SAFETY: only asks for the thread's own name.
            waits.send(ThreadName(unsafe { libc::pthread_self() })).unwrap();
            let begun = Instant::now();
            assert!(!Bell::new().unwrap().wait(None, Some(WHILE)));
            has_ended.send(begun.elapsed()).unwrap();
            // Its id has to stay valid until the last signal is sent.
            std::thread::park();
        });
        let ThreadName(name) = waiting.recv().unwrap();
        let lasted = loop {
            // SAFETY: the thread has not ended: it is parked then.
            unsafe { libc::pthread_kill(name, libc::SIGUSR2) };
            if let Ok(lasted) = end.recv_timeout(Duration::from_millis(1)) {
                break lasted;
            }
        };
        assert!(lasted >= WHILE, "{lasted:?}");
        thread.thread().unpark();
        thread.join().unwrap();
    }
}
