//! The kernel's numbers, which are libuv's on Unix.

pub(crate) use libc::{
    EACCES, EAGAIN, EALREADY, EBADF, ECANCELED, EINVAL, EISCONN, ENFILE, ENOBUFS, ENOENT, ENOTCONN, ENOTSUP,
    EPIPE,
};

/// The positive number of libuv for one of the system's.
pub(crate) fn from_os(os: i32) -> i32 {
    os
}
