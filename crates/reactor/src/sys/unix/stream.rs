//! A byte stream: reads, writes and the end of a connect, each as far as it goes without waiting.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::{Context, Poll, ready};

use socket2::{Domain, SockRef};
use tokio::io::unix::AsyncFd;

use crate::Transport;
use crate::sys::in_groups::write_in_groups;

use super::descriptor::{borrow, register};
use super::idle::{Idle, connect_result};
use super::path::OwnPath;

/// A byte stream. `File` because `read(2)` and `writev(2)` serve sockets, pipes and terminals alike.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(super) fd: AsyncFd<File>,
    own_path: Option<OwnPath>,
}

impl Stream {
    pub(crate) fn from_idle(idle: Idle) -> io::Result<Self> {
        let (fd, own_path) = idle.into_parts();
        Self::new(fd, own_path)
    }

    pub(super) fn new(fd: OwnedFd, own_path: Option<OwnPath>) -> io::Result<Self> {
        let raw = fd.as_raw_fd();
        let fd = match register(File::from(fd)) {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                // Two streams on one descriptor: this one goes on with a number of its own.
                let theirs = borrow(&raw).ok_or(error)?;
                register(File::from(theirs.try_clone_to_owned()?))?
            }
            registered => registered?,
        };
        Ok(Self { fd, own_path })
    }

    /// Leaves the runtime.
    #[expect(clippy::unnecessary_wraps, reason = "the same promise as on Windows")]
    pub(crate) fn into_idle(self) -> Result<Idle, Self> {
        let fd = OwnedFd::from(self.fd.into_inner());
        let is_inet = SockRef::from(&fd)
            .local_addr()
            .is_ok_and(|address| matches!(address.domain(), Domain::IPV4 | Domain::IPV6));
        let transport = if is_inet { Transport::Tcp } else { Transport::Local };
        Ok(Idle::new(fd, transport, self.own_path))
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same promise as on Windows, where a pipe is no socket"
    )]
    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(self.fd.get_ref()))
    }

    pub(crate) fn raw(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    pub(crate) fn write_now(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        write_in_groups(chunks, |group| write(self.fd.get_ref(), group))
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.fd.poll_read_ready(cx).map(|_ready| ())
    }

    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = space.len();
        self.poll_received(cx, len, || self.fd.get_ref().read(space))
    }

    /// As `poll_read`, into memory that nobody has written yet: so many bytes of it are, afterwards.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        space: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        let len = space.len();
        self.poll_received(cx, len, || self.receive(space))
    }

    /// As `poll_receive`, by the kernel's word alone.
    pub(crate) fn receive_now(&self, space: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        loop {
            match self.receive(space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => return received,
            }
        }
    }

    fn receive(&self, space: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        match SockRef::from(self.fd.get_ref()).recv(space) {
            // A pipe or a terminal that was adopted.
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => {
                space.fill(MaybeUninit::new(0));
                let space: *mut [MaybeUninit<u8>] = space;
                // SAFETY: all of it has just been written, and it is borrowed for this call.
                self.fd.get_ref().read(unsafe { &mut *(space as *mut [u8]) })
            }
            received => received,
        }
    }

    fn poll_received(
        &self,
        cx: &mut Context<'_>,
        space: usize,
        mut receive: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            match receive() {
                Ok(n) => {
                    // A short read has emptied the kernel's buffer (epoll(7), kqueue): wait for the next edge instead
                    // of asking once more. A FIN that came along is not forgotten by this.
                    if n > 0 && n < space {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => ready.clear_ready(),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, chunks: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match write(self.fd.get_ref(), chunks) {
                Ok(n) => return Poll::Ready(Ok(n)),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => ready.clear_ready(),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    /// Waits for a connect that was begun without waiting.
    pub(crate) fn poll_connect(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match connect_result(&SockRef::from(self.fd.get_ref())) {
                Some(result) => return Poll::Ready(result),
                None => ready.clear_ready(),
            }
        }
    }

    /// Sends FIN. A descriptor that is no socket (a pipe that was adopted) has none: its reader sees the end at close.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match SockRef::from(self.fd.get_ref()).shutdown(Shutdown::Write) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => Ok(()),
            result => result,
        }
    }
}

#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// There the socket has an option for it.
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: i32 = 0;

/// One system call. `send(2)` is the shortest way into a socket; vectors, and what is no socket, go by `writev(2)`.
fn write(mut file: &File, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
    if let [chunk] = chunks {
        match SockRef::from(file).send_with_flags(chunk, NO_SIGNAL) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => {}
            sent => return sent,
        }
    }
    file.write_vectored(chunks)
}
