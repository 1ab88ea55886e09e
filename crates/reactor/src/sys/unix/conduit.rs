//! A pipe through which the kernel moves what one socket has received to another one, without copying it to us: splice(2).

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll, ready};

use super::Stream;

/// What is asked of the pipe to hold: more than the kernel's receive buffer gives at once on most systems.
const CAPACITY: libc::c_int = 256 * 1024;

/// Empty between two calls of whoever uses it, so that one serves all.
#[derive(Debug)]
pub(crate) struct Conduit {
    reader: PipeReader,
    writer: PipeWriter,
    capacity: usize,
}

impl Conduit {
    pub(crate) fn new() -> Option<Self> {
        let (reader, writer) = io::pipe().ok()?;
        for end in [reader.as_raw_fd(), writer.as_raw_fd()] {
            // SAFETY: the descriptor is open; these calls take no memory.
            if unsafe { libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
                return None;
            }
        }
        // SAFETY: as above.
        let got = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, CAPACITY) };
        // A user that has too many pipes keeps the size that they are made with.
        let capacity = usize::try_from(got).unwrap_or(64 * 1024);
        Some(Self {
            reader,
            writer,
            capacity,
        })
    }

    /// Takes in what `from` has received.
    pub(crate) fn poll_fill(&self, from: &Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(from.fd.poll_read_ready(cx))?;
            match splice(from.fd.as_raw_fd(), self.writer.as_raw_fd(), self.capacity) {
                Ok(n) => return Poll::Ready(Ok(n)),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => ready.clear_ready(),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    /// Gives `to` as much of `filled` bytes as it takes now. Answers how much that was, and why it was not more, if that is
    /// an error.
    pub(crate) fn empty_into(&self, to: &Stream, filled: usize) -> (usize, Option<io::Error>) {
        let mut sent = 0;
        while sent < filled {
            match splice(self.reader.as_raw_fd(), to.fd.as_raw_fd(), filled - sent) {
                Ok(0) => break,
                Ok(n) => sent += n,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => break,
                    _ => return (sent, Some(error)),
                },
            }
        }
        (sent, None)
    }

    /// Reads back what is left.
    pub(crate) fn take_back(&self, space: &mut [u8]) -> usize {
        (&self.reader).read(space).unwrap_or(0)
    }
}

fn splice(from: RawFd, to: RawFd, most: usize) -> io::Result<usize> {
    let (none, flags) = (
        std::ptr::null_mut(),
        libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK,
    );
    // SAFETY: both descriptors are open: their owners are borrowed by the callers. Null offsets are what pipes and sockets
    // want.
    let moved = unsafe { libc::splice(from, none, to, none, most, flags) };
    usize::try_from(moved).map_err(|_negative| io::Error::last_os_error())
}
