//! A byte stream: reads, writes and the end of a connect, each as far as it goes without waiting.

use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use socket2::SockRef;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

use crate::sys::descriptor::Descriptor;
use crate::sys::refused::Refused;
use crate::sys::transport::Transport;
use crate::sys::vectored::write_in_groups;

use super::handle_fd::HandleFd;
use super::limits::is_out_of_buffers;
use super::open_socket::RegisteredSocket;
use super::poll::is_readable;
use super::receive::{Received, is_urgent, receive};
use super::registration::RECEIVABLE;
use super::unregistered::{UnregisteredSocket, connect_result};

/// A byte stream.
#[derive(Debug)]
pub(crate) struct Stream(RegisteredSocket);

impl Stream {
    pub(crate) fn register(unregistered: UnregisteredSocket) -> Result<Self, Refused<UnregisteredSocket>> {
        let registered = unregistered.registered()?;
        set_up(registered.fd.get_ref());
        Ok(Self(registered))
    }

    /// Of a socket that was just accepted.
    pub(super) fn accepted(fd: OwnedFd, transport: Transport) -> io::Result<Self> {
        let unregistered = UnregisteredSocket {
            path: None,
            fd: HandleFd::from(fd),
            transport,
        };
        Self::register(unregistered).map_err(|refused| refused.error)
    }

    /// Leaves the runtime.
    pub(crate) fn deregister(self) -> Result<UnregisteredSocket, Self> {
        Ok(self.0.deregistered())
    }

    pub(super) fn fd(&self) -> &AsyncFd<HandleFd> {
        &self.0.fd
    }

    pub(crate) fn write_now(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        write_in_groups(chunks, |group| {
            write(self.fd().get_ref(), group).map_err(|error| {
                if is_out_of_buffers(&error) {
                    io::ErrorKind::WouldBlock.into()
                } else {
                    error
                }
            })
        })
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.fd().poll_read_ready(cx).map(|_ready| ())
    }

    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let space: *mut [u8] = space;
        // SAFETY: bytes are bytes that may be unwritten, and `poll_receive` only writes bytes that were
        // received.
        self.poll_receive(cx, unsafe { &mut *(space as *mut [MaybeUninit<u8>]) })
    }

    /// As `poll_read`, into memory that may be uninitialized. As many bytes of it as are returned are
    /// initialized afterwards.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        space: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.poll_receivable(cx))?;
            let urgent = is_urgent(ready.ready());
            match receive(self.fd().get_ref(), self.0.transport, space) {
                Ok(Received { bytes, stopped }) => {
                    let is_short = bytes > 0 && bytes < space.len();
                    if is_short && !((urgent || stopped) && is_readable(self.raw())) {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) => match error.kind() {
                    // At urgent data, also when a signal is pending: the task tries again.
                    io::ErrorKind::WouldBlock if urgent && is_readable(self.raw()) => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    io::ErrorKind::WouldBlock => ready.clear_ready(),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    /// As `poll_receive`, by the kernel's word alone.
    pub(crate) fn receive_now(&self, space: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        loop {
            match receive(self.fd().get_ref(), self.0.transport, space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => return received.map(|received| received.bytes),
            }
        }
    }

    /// Waits until there may be something to receive. Returns what the poller has reported by now, with
    /// urgent data: what it reports while the receive runs is not lost. There is one reader at a time, and only
    /// a reader clears it.
    pub(super) fn poll_receivable(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, HandleFd>>> {
        loop {
            // Nearly always there is something, so this comes first. If not, what it registers is gone with
            // the block.
            {
                let ready = pin!(self.fd().ready(RECEIVABLE));
                if let Poll::Ready(ready) = ready.poll(&mut Context::from_waker(Waker::noop())) {
                    return Poll::Ready(ready);
                }
            }
            let _reported = ready!(self.fd().poll_read_ready(cx))?;
        }
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, chunks: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd().poll_write_ready(cx))?;
            match write(self.fd().get_ref(), chunks) {
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
            let mut ready = ready!(self.fd().poll_write_ready(cx))?;
            match connect_result(&SockRef::from(self.fd().get_ref())) {
                Some(result) => return Poll::Ready(result),
                None => ready.clear_ready(),
            }
        }
    }

    /// The poller reports everything.
    #[expect(clippy::unused_self, reason = "a pipe of Windows has one")]
    pub(crate) fn take_retry_time(&self) -> Option<Instant> {
        None
    }

    /// Sends FIN. A descriptor that is no socket (a pipe that was adopted) has none: its reader sees the end
    /// at close.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match SockRef::from(self.fd().get_ref()).shutdown(Shutdown::Write) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => Ok(()),
            result => result,
        }
    }
}

impl Descriptor for Stream {
    fn socket(&self) -> Option<SockRef<'_>> {
        self.0.socket()
    }

    fn raw(&self) -> i32 {
        self.0.raw()
    }

    fn transport(&self) -> Transport {
        self.0.transport()
    }
}

/// libuv has urgent data come among the other bytes on macOS, and there only. What is no socket has none.
#[cfg(target_vendor = "apple")]
fn set_up(fd: &HandleFd) {
    drop(SockRef::from(fd).set_out_of_band_inline(true));
}

#[cfg(not(target_vendor = "apple"))]
fn set_up(_fd: &HandleFd) {}

#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// There the socket has an option for it.
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: i32 = 0;

/// One system call. A socket is sent to, so that it does not wait where another process has made the
/// descriptor, which it shares, wait. What is no socket is written to.
fn write(fd: &HandleFd, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = NO_SIGNAL | libc::MSG_DONTWAIT;
    let socket = SockRef::from(fd);
    let sent = match chunks {
        // The shortest way.
        [chunk] => socket.send_with_flags(chunk, flags),
        _ => socket.send_vectored_with_flags(chunks, flags),
    };
    match sent {
        Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => fd.file().write_vectored(chunks),
        // Asked again, a socket of macOS that is about to be shut down says what it means.
        #[cfg(target_vendor = "apple")]
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {
            Err(io::ErrorKind::Interrupted.into())
        }
        sent => sent,
    }
}
