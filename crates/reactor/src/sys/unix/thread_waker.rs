//! Waking a thread that waits for the runtime's poller, or for nothing else.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::poll::wait_readable;
use super::poller::Poller;

/// Wakes a thread that waits: a pipe to itself. Waking never blocks: a pipe that is full wakes as well.
#[derive(Debug)]
pub(crate) struct ThreadWaker {
    reader: PipeReader,
    writer: PipeWriter,
}

impl ThreadWaker {
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

    pub(crate) fn wake(&self) {
        while (&self.writer)
            .write(&[1])
            .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
        {}
    }

    /// Waits to be woken, for the poller to be readable, or for the time to pass. Returns whether it was
    /// woken, which counts once, however often that was.
    pub(crate) fn wait(&self, poller: Option<&Poller>, timeout: Option<Duration>) -> bool {
        let [woken, _] = wait_readable([self.reader.as_raw_fd(), poller.map_or(-1, Poller::raw)], timeout);
        if woken {
            self.drain();
        }
        woken
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread::spawn;
    use std::time::Instant;

    use super::*;

    #[test]
    fn waking_never_blocks_and_counts_once() {
        let waker = Arc::new(ThreadWaker::new().unwrap());
        let (done, is_done) = channel();
        let other = Arc::clone(&waker);
        spawn(move || {
            // More than a pipe holds.
            for _ in 0..100_000 {
                other.wake();
            }
            done.send(()).unwrap();
        });
        is_done.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(waker.wait(None, None));
        assert!(!waker.wait(None, Some(Duration::ZERO)), "it was drained");
        waker.wake();
        assert!(waker.wait(None, None));
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
            assert!(!ThreadWaker::new().unwrap().wait(None, Some(WHILE)));
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
