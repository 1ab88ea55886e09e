//! A pipe through which the kernel moves what one socket has received to another one, without a copy to this
//! process: splice(2).

use std::io::{self, PipeReader, PipeWriter, Read};
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll, ready};

use crate::sys::descriptor::Descriptor as _;

use super::poll::is_readable;
use super::receive::is_urgent;
use super::stream::Stream;

/// The capacity that is asked for, in bytes: more than one receive buffer has on most systems.
const CAPACITY: libc::c_int = 256 * 1024;

/// What filling the pipe came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// So many bytes are in the pipe.
    Bytes(NonZeroUsize),
    /// The source has ended.
    End,
    /// The kernel does not splice from a descriptor of this kind.
    Unsupported,
    /// There is no pipe for now: the process or the system has no descriptor left.
    NoPipe,
}

#[derive(Debug)]
struct Pipe {
    reader: PipeReader,
    writer: PipeWriter,
    capacity: usize,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        for end in [reader.as_raw_fd(), writer.as_raw_fd()] {
            // SAFETY: the descriptor is open; these calls take no memory.
            if unsafe { libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // SAFETY: as above.
        let got = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, CAPACITY) };
        // A user that has too many pipes keeps the size that they are made with.
        let capacity = usize::try_from(got).unwrap_or(64 * 1024);
        Ok(Self {
            reader,
            writer,
            capacity,
        })
    }
}

/// Empty between two uses, so that one serves all relays of a runtime. Made with the first use.
#[derive(Debug, Default)]
pub(crate) struct SplicePipe(Option<Pipe>);

impl SplicePipe {
    fn pipe(&mut self) -> Option<&Pipe> {
        if self.0.is_none() {
            self.0 = Pipe::new().ok();
        }
        self.0.as_ref()
    }

    /// Drops the pipe with what is in it.
    pub(crate) fn discard(&mut self) {
        self.0 = None;
    }

    /// Takes in what `from` has received. An error is the source's: it is not reported a second time.
    pub(crate) fn poll_fill(&mut self, from: &Stream, cx: &mut Context<'_>) -> Poll<io::Result<Fill>> {
        let Some(pipe) = self.pipe() else {
            return Poll::Ready(Ok(Fill::NoPipe));
        };
        loop {
            let mut ready = ready!(from.poll_receivable(cx))?;
            let error = match splice(from.raw(), pipe.writer.as_raw_fd(), pipe.capacity) {
                Ok(n) => return Poll::Ready(Ok(NonZeroUsize::new(n).map_or(Fill::End, Fill::Bytes))),
                Err(error) => error,
            };
            match error.raw_os_error() {
                // A splice does not pass urgent data.
                Some(libc::EAGAIN) if is_urgent(ready.ready()) && is_readable(from.raw()) => {
                    return Poll::Ready(Ok(Fill::Unsupported));
                }
                Some(libc::EAGAIN) => ready.clear_ready(),
                Some(libc::EINTR) => {}
                // These are about the call, and leave the socket as it is.
                Some(libc::EINVAL | libc::ENOSYS | libc::ENOMEM | libc::EPERM | libc::EACCES) => {
                    return Poll::Ready(Ok(Fill::Unsupported));
                }
                _ => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Gives `to` as much of `filled` bytes as it takes now. Returns how much that was, and why it was not
    /// more, if that is an error.
    pub(crate) fn drain_into(&self, to: &Stream, filled: usize) -> (usize, Option<io::Error>) {
        let Some(pipe) = &self.0 else { return (0, None) };
        let mut sent = 0;
        while sent < filled {
            match splice(pipe.reader.as_raw_fd(), to.raw(), filled - sent) {
                Ok(0) => break,
                Ok(n) => sent += n,
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    // The write that follows is tried again as any other.
                    Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => break,
                    _ => return (sent, Some(error)),
                },
            }
        }
        (sent, None)
    }

    /// Reads back what is left.
    ///
    /// # Errors
    /// When there is nothing, or the read fails: what was in the pipe is lost then.
    pub(crate) fn read_back(&self, space: &mut [u8]) -> io::Result<usize> {
        let Some(pipe) = &self.0 else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        loop {
            match (&pipe.reader).read(space) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

fn splice(from: RawFd, to: RawFd, most: usize) -> io::Result<usize> {
    let (none, flags) = (
        std::ptr::null_mut(),
        libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK,
    );
    // SAFETY: both descriptors are open: their owners are borrowed by the callers. Null offsets are what
    // pipes and sockets want.
    let moved = unsafe { libc::splice(from, none, to, none, most, flags) };
    usize::try_from(moved).map_err(|_negative| io::Error::last_os_error())
}
