//! Linux, macOS and the BSDs: one descriptor type for TCP, Unix sockets and pipes, driven through `AsyncFd`.
//!
//! `unsafe` here is the adoption of descriptor numbers that a caller names, accepting with flags, two lookups of
//! interface names, splicing, and what the poller and the clocks have no safe calls for.
#![expect(
    unsafe_code,
    reason = "descriptors by number, accept4 and if_nametoindex exist only as raw calls"
)]

use std::io;

use socket2::SockRef;

mod acceptor;
mod descriptor;
mod handle_fd;
mod interface;
mod limits;
mod path;
mod poller;
mod receive;
#[cfg(target_os = "linux")]
mod splice;
mod stream;
#[cfg(target_os = "linux")]
mod timer;
mod unregistered;
mod writable;

pub(crate) use acceptor::{Acceptor, Spare};
pub(crate) use descriptor::{descriptor_kind, duplicate, duplicate_socket};
pub(crate) use handle_fd::is_taken;
pub(crate) use interface::{scope_to_zone, zone_to_scope};
pub(crate) use limits::{are_descriptors_scarce, is_out_of_buffers, is_out_of_descriptors, largest_backlog};
pub(crate) use path::reaches;
pub(crate) use poller::{Bell, Poller, ThreadClock};
#[cfg(target_os = "linux")]
pub(crate) use splice::{Conduit, Fill};
pub(crate) use stream::Stream;
#[cfg(target_os = "linux")]
pub(crate) use timer::PollTimer;
pub(crate) use unregistered::{Idle, adopt, bind_local, bind_tcp, local_socket, tcp_socket};
pub(crate) use writable::wait_writable;

/// The kernel's numbers.
pub(crate) mod errno {
    pub(crate) use libc::{
        EACCES, EAGAIN, EALREADY, EBADF, ECANCELED, EINVAL, EISCONN, ENFILE, ENOBUFS, ENOENT, ENOTCONN,
        ENOTSUP, EPIPE,
    };

    /// On Unix libuv's numbers are the kernel's.
    pub(crate) fn from_os(os: i32) -> i32 {
        os
    }
}

/// `IP_TOS`, or `IPV6_TCLASS` for an IPv6 socket.
pub(crate) fn set_type_of_service(socket: &SockRef<'_>, tos: u8) -> io::Result<()> {
    let tos = u32::from(tos);
    if socket.local_addr()?.is_ipv6() {
        socket.set_tclass_v6(tos)
    } else {
        socket.set_tos_v4(tos)
    }
}

pub(crate) fn type_of_service(socket: &SockRef<'_>) -> io::Result<u32> {
    if socket.local_addr()?.is_ipv6() {
        socket.tclass_v6()
    } else {
        socket.tos_v4()
    }
}

/// Has `run` called when the process exits, on the thread that ends it, while the others still run. Answers whether it
/// will be.
pub(crate) fn at_exit(run: extern "C" fn()) -> bool {
    // SAFETY: a function of this library, which the C library forgets when the library is unloaded. Refused for want
    // of memory only, and then nothing is called.
    unsafe { libc::atexit(run) == 0 }
}
