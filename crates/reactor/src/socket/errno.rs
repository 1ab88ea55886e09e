//! System errors as libuv numbers: the one place where an `io::Error` becomes the number that JavaScript
//! sees.

use std::{fmt, io};

use crate::sys;

/// A libuv error: negative, as `uv_errno_t` has it. On Unix it is minus the kernel's errno; on Windows
/// libuv's fixed numbers. Names and texts are Node's (`util.getSystemErrorName`), so there is no table of
/// them here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(i32);

impl Errno {
    /// The peer's FIN was read (`UV_EOF`).
    pub const EOF: Self = Self(-4095);
    /// An error that libuv has no name for (`UV_UNKNOWN`).
    pub const UNKNOWN: Self = Self(-4094);
    /// Permission denied.
    pub const EACCES: Self = Self(-sys::errno::EACCES);
    /// Try again: the call would have to wait.
    pub const EAGAIN: Self = Self(-sys::errno::EAGAIN);
    /// A connect is going on already.
    pub const EALREADY: Self = Self(-sys::errno::EALREADY);
    /// The handle is closed, or names nothing.
    pub const EBADF: Self = Self(-sys::errno::EBADF);
    /// The operation was cancelled.
    pub const ECANCELED: Self = Self(-sys::errno::ECANCELED);
    /// A value that the call can't take, a path too long among them.
    pub const EINVAL: Self = Self(-sys::errno::EINVAL);
    /// The stream is connected already.
    pub const EISCONN: Self = Self(-sys::errno::EISCONN);
    /// Nothing by that name.
    pub const ENOENT: Self = Self(-sys::errno::ENOENT);
    /// No room for what was received, or for what is to be sent.
    pub const ENOBUFS: Self = Self(-sys::errno::ENOBUFS);
    /// Too many handles.
    pub const ENFILE: Self = Self(-sys::errno::ENFILE);
    /// The stream is not connected, or its writing half is shut down.
    pub const ENOTCONN: Self = Self(-sys::errno::ENOTCONN);
    /// The platform does not do this.
    pub const ENOTSUP: Self = Self(-sys::errno::ENOTSUP);
    /// The peer, or this side, has ended the stream.
    pub const EPIPE: Self = Self(-sys::errno::EPIPE);

    /// The error of a negative number of libuv's.
    pub fn from_code(code: i32) -> Self {
        Self(code)
    }

    /// The negative number.
    pub fn code(self) -> i32 {
        self.0
    }
}

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Self {
        // The kernel's own number first: an `ErrorKind` has already lost which error it was.
        if let Some(os) = error.raw_os_error() {
            return Self(-sys::errno::from_os(os));
        }
        match error.kind() {
            io::ErrorKind::InvalidInput => Self::EINVAL,
            io::ErrorKind::WouldBlock => Self::EAGAIN,
            io::ErrorKind::Unsupported => Self::ENOTSUP,
            _ => Self::UNKNOWN,
        }
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "libuv error {}", self.0)
    }
}

impl std::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_number_wins_over_the_kind() {
        let refused = io::Error::from_raw_os_error(sys::errno::EPIPE);
        #[cfg(unix)]
        assert_eq!(Errno::from(refused), Errno::EPIPE);
        #[cfg(not(unix))]
        drop(refused);
        let invalid = io::Error::new(io::ErrorKind::InvalidInput, "a path too long");
        assert_eq!(Errno::from(invalid), Errno::EINVAL);
    }
}
