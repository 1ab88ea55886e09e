//! What can be asked of a handle's socket, and what can be set on it. All of it happens on the calling
//! thread.

use std::net::SocketAddr;

use ferronet_core::handles::HandleId;
use socket2::SockRef;

use crate::socket::errno::Errno;

use crate::sys::{self, DescriptorKind, SocketOptions};

use super::reactor::Reactor;

impl Reactor {
    fn with_socket<R>(
        &self,
        id: HandleId,
        f: impl FnOnce(&SockRef<'_>) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let endpoint = self.endpoint(id)?;
        let descriptor = endpoint.descriptor()?;
        f(&descriptor.socket().ok_or(Errno::ENOTSUP)?)
    }

    /// The descriptor's number; -1 when there is none.
    pub fn raw_descriptor(&self, id: HandleId) -> i32 {
        let endpoint = self.endpoint(id);
        endpoint
            .and_then(|endpoint| Ok(endpoint.descriptor()?.raw()))
            .unwrap_or(-1)
    }

    /// The handle of this reactor that has a descriptor's number.
    pub fn holder_of(&self, fd: i32) -> Option<HandleId> {
        // Handles are searched only for a number that one of the process has, which is rarely adopted.
        if !sys::is_taken(fd) {
            return None;
        }
        self.ids().into_iter().find(|id| self.raw_descriptor(*id) == fd)
    }

    /// Another descriptor (on Windows the number of another socket) of the same socket, which is the caller's
    /// to close: the socket stays open when the handle is closed. It is not inherited by child processes. At
    /// the limit of descriptors, a reactor that listens uses its reserve for it.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a handle with nothing open, what `fcntl(2)` says, [`Errno::ENOTSUP`] for a pipe
    /// of Windows.
    pub fn duplicate(&self, id: HandleId) -> Result<i32, Errno> {
        self.with_socket(id, |socket| self.with_reserve(|| sys::duplicate_socket(socket)))
    }

    /// The local address of a TCP handle.
    ///
    /// # Errors
    /// What `getsockname(2)` says; [`Errno::EINVAL`] for a local socket.
    pub fn local_address(&self, id: HandleId) -> Result<SocketAddr, Errno> {
        self.with_socket(id, |socket| socket.local_addr()?.as_socket().ok_or(Errno::EINVAL))
    }

    /// The peer's address of a TCP handle.
    ///
    /// # Errors
    /// What `getpeername(2)` says: [`Errno::ENOTCONN`] before the connection is made.
    pub fn peer_address(&self, id: HandleId) -> Result<SocketAddr, Errno> {
        self.with_socket(id, |socket| socket.peer_addr()?.as_socket().ok_or(Errno::EINVAL))
    }

    /// Sets options of an open socket, but for those of the address, which has been bound. All of them are
    /// tried.
    ///
    /// # Errors
    /// What `setsockopt(2)` says of the first one that the system refuses.
    pub fn set_options(&self, id: HandleId, options: &SocketOptions) -> Result<(), Errno> {
        self.with_socket(id, |socket| Ok(sys::set_options(socket, options)?))
    }

    /// `IP_TOS` or `IPV6_TCLASS`.
    ///
    /// # Errors
    /// What `getsockopt(2)` says.
    pub fn type_of_service(&self, id: HandleId) -> Result<u32, Errno> {
        self.with_socket(id, |socket| Ok(sys::type_of_service(socket)?))
    }

    /// Sets the permissions of a bound local socket for all users.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] for a handle without a path, else what `chmod(2)`, or the setting of a pipe's
    /// security, says.
    pub fn open_to_all(&self, id: HandleId, readable: bool, writable: bool) -> Result<(), Errno> {
        let endpoint = self.endpoint(id)?;
        Ok(endpoint.descriptor()?.open_to_all(readable, writable)?)
    }

    /// What a descriptor is.
    pub fn descriptor_kind(fd: i32) -> DescriptorKind {
        sys::descriptor_kind(fd)
    }
}
