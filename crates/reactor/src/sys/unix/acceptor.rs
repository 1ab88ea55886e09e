//! A listening socket, and what it does when the process has no descriptors left.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use socket2::{SockRef, Socket};

use crate::sys::descriptor::Descriptor;
use crate::sys::refused::Refused;
use crate::sys::transport::Transport;

use super::descriptor::OwnedDescriptor;
use super::limits::is_out_of_descriptors;
use super::open_socket::RegisteredSocket;
use super::path::OwnPath;
use super::stream::Stream;
use super::unregistered::UnregisteredSocket;

/// A descriptor kept in reserve, to have one for closing connections when there are none left.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReserveFd(Arc<Mutex<Option<File>>>);

impl ReserveFd {
    /// As soon as there is a descriptor again: before a connection gets it.
    fn fill(&self) {
        let mut spare = self.0.lock();
        if spare.is_none() {
            *spare = File::open("/").ok();
        }
    }

    /// Has `open` open one descriptor: with the reserve, if there is no other. What it opens must not stay
    /// open for long.
    pub(crate) fn lend<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match open() {
            Err(error) if is_out_of_descriptors(&error) => {
                let mut spare = self.0.lock();
                *spare = None;
                open()
            }
            opened => opened,
        }
    }

    /// Accepts up to `most` connections with the reserve and closes them. Returns how many those were.
    fn refuse(&self, socket: &Socket, most: usize) -> usize {
        // Locked meanwhile, so that no other listener fills it.
        let mut spare = self.0.lock();
        if spare.take().is_none() {
            return 0;
        }
        let mut refused = 0;
        for _ in 0..most {
            match accept(socket) {
                Ok(connection) => {
                    drop(connection);
                    refused += 1;
                }
                // The backlog is empty, or another thread has got what was closed for this.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock || is_out_of_descriptors(&error) => {
                    break;
                }
                Err(_) => {}
            }
        }
        *spare = File::open("/").ok();
        refused
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Acceptor {
    socket: RegisteredSocket,
    spare: ReserveFd,
}

impl Acceptor {
    /// Of a socket that listens already.
    pub(crate) fn register(
        unregistered: UnregisteredSocket,
        spare: &ReserveFd,
    ) -> Result<Self, Refused<UnregisteredSocket>> {
        spare.fill();
        Ok(Self {
            socket: unregistered.registered()?,
            spare: spare.clone(),
        })
    }

    /// Leaves the runtime; the socket goes on listening.
    pub(crate) fn deregister(self) -> Result<UnregisteredSocket, Self> {
        Ok(self.socket.deregistered())
    }

    /// `listen(2)` once more, for another backlog.
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        self.socket.socket_ref().listen(backlog)
    }

    /// Which file goes with the socket from now on. The one that did stays.
    pub(crate) fn set_path(&mut self, path: Option<&Path>) {
        if let Some(left) = self.socket.path.take() {
            left.leave();
        }
        self.socket.path = path.map(|path| Box::new(OwnPath::new(path)));
    }

    /// Accepts without waiting; `None` when there is nothing, or an error, which `poll_accept` reports.
    pub(crate) fn accept_now(&self) -> Option<io::Result<Stream>> {
        Some(Stream::accepted(
            accept(&self.socket.socket_ref()).ok()?,
            self.socket.transport,
        ))
    }

    /// As `accept_now`, without registering the connection.
    pub(crate) fn accept_descriptor_now(&self) -> Option<OwnedDescriptor> {
        accept(&self.socket.socket_ref()).ok().map(OwnedDescriptor::from)
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.poll_accept_fd(cx)
            .map(|accepted| Stream::accepted(accepted?, self.socket.transport))
    }

    /// As `poll_accept`, without registering the connection.
    pub(crate) fn poll_accept_descriptor(&self, cx: &mut Context<'_>) -> Poll<io::Result<OwnedDescriptor>> {
        self.poll_accept_fd(cx).map_ok(OwnedDescriptor::from)
    }

    fn poll_accept_fd(&self, cx: &mut Context<'_>) -> Poll<io::Result<OwnedFd>> {
        loop {
            let mut ready = ready!(self.socket.fd.poll_read_ready(cx))?;
            self.spare.fill();
            let error = match accept(&self.socket.socket_ref()) {
                Ok(fd) => return Poll::Ready(Ok(fd)),
                Err(error) => error,
            };
            let is_empty = match error.kind() {
                io::ErrorKind::WouldBlock => true,
                // Linux returns this before it looks at the backlog.
                _ => is_out_of_descriptors(&error) && !has_waiting(&self.socket.socket_ref()),
            };
            if !is_empty {
                return Poll::Ready(Err(error));
            }
            ready.clear_ready();
        }
    }

    /// Whether a connection waits in the backlog.
    pub(crate) fn poll_waiting(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Ok(mut ready) = ready!(self.socket.fd.poll_read_ready(cx)) else {
                return Poll::Ready(());
            };
            if has_waiting(&self.socket.socket_ref()) {
                return Poll::Ready(());
            }
            ready.clear_ready();
        }
    }

    /// Closes up to `most` connections that wait while there is no descriptor for them. Returns how many
    /// those were.
    pub(crate) fn refuse(&self, most: usize) -> usize {
        self.spare.refuse(&self.socket.socket_ref(), most)
    }
}

impl Descriptor for Acceptor {
    fn socket(&self) -> Option<SockRef<'_>> {
        self.socket.socket()
    }

    fn raw(&self) -> i32 {
        self.socket.raw()
    }

    fn transport(&self) -> Transport {
        self.socket.transport()
    }

    fn open_to_all(&self, readable: bool, writable: bool) -> io::Result<()> {
        self.socket.open_to_all(readable, writable)
    }
}

/// Whether a connection waits in the backlog.
fn has_waiting(socket: &Socket) -> bool {
    let mut polled = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: `polled` is one entry, as the count says, and lives through the call.
    let found = unsafe { libc::poll(&raw mut polled, 1, 0) };
    // Also if that cannot be known.
    found != 0
}

/// Accepts a connection that does not block, with one call where there is such a call.
#[cfg(not(target_vendor = "apple"))]
fn accept(socket: &Socket) -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: `socket` is open; null pointers say that the peer's address is not wanted.
    let fd = unsafe {
        libc::accept4(
            socket.as_raw_fd(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            flags,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(target_vendor = "apple")]
fn accept(socket: &Socket) -> io::Result<OwnedFd> {
    let (accepted, _) = socket.accept()?;
    accepted.set_nonblocking(true)?;
    Ok(OwnedFd::from(accepted))
}
