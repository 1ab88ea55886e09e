//! What every open socket or pipe has, whether it is registered with a runtime or not.

use std::io;

use socket2::SockRef;

use super::transport::Transport;

/// An open socket or pipe.
pub(crate) trait Descriptor: Send + Sync {
    /// As `socket2` takes it; `None` for what is no socket on this system.
    fn socket(&self) -> Option<SockRef<'_>>;

    /// The number that JavaScript may see, or -1.
    fn raw(&self) -> i32;

    fn transport(&self) -> Transport;

    /// Sets the permissions of a bound local socket for all users.
    ///
    /// # Errors
    /// `EINVAL` for what has no name of its own, else what the system says.
    fn open_to_all(&self, _readable: bool, _writable: bool) -> io::Result<()> {
        Err(io::ErrorKind::InvalidInput.into())
    }
}
