//! An open socket, pipe or FIFO, whether a runtime has it or not.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use socket2::SockRef;
use tokio::io::unix::AsyncFd;

use crate::sys::descriptor::Descriptor;
use crate::sys::refused::Refused;
use crate::sys::transport::Transport;

use super::handle_fd::HandleFd;
use super::path::{OwnPath, open_to_all};
use super::registration::register;

/// `F` is its descriptor: a [`HandleFd`], or one that a runtime has.
#[derive(Debug)]
pub(crate) struct OpenSocket<F> {
    /// First: the file goes before the descriptor, whose inode may be another file's from then on. Boxed:
    /// connections have none.
    pub(super) path: Option<Box<OwnPath>>,
    pub(super) fd: F,
    pub(super) transport: Transport,
}

/// One that is registered with a runtime.
pub(super) type RegisteredSocket = OpenSocket<AsyncFd<HandleFd>>;

impl<F: AsFd> OpenSocket<F> {
    pub(super) fn socket_ref(&self) -> SockRef<'_> {
        SockRef::from(&self.fd)
    }
}

impl<F: AsFd + AsRawFd + Send + Sync> Descriptor for OpenSocket<F> {
    fn socket(&self) -> Option<SockRef<'_>> {
        Some(self.socket_ref())
    }

    fn raw(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    fn transport(&self) -> Transport {
        self.transport
    }

    fn open_to_all(&self, readable: bool, writable: bool) -> io::Result<()> {
        open_to_all(self.path.as_deref(), readable, writable)
    }
}

impl OpenSocket<HandleFd> {
    /// Registers it with the runtime that is entered.
    pub(super) fn registered(self) -> Result<RegisteredSocket, Refused<Self>> {
        let Self { path, fd, transport } = self;
        match register(fd) {
            Ok(fd) => Ok(OpenSocket { path, fd, transport }),
            Err((fd, error)) => Err(Refused {
                left: Some(Self { path, fd, transport }),
                error,
            }),
        }
    }
}

impl RegisteredSocket {
    /// Leaves the runtime.
    pub(super) fn deregistered(self) -> OpenSocket<HandleFd> {
        OpenSocket {
            path: self.path,
            fd: self.fd.into_inner(),
            transport: self.transport,
        }
    }
}
