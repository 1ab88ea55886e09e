//! Windows: TCP through tokio's sockets, local paths as named pipes.
//!
//! Handles are no descriptors: JavaScript sees no numbers, and what it calls one names nothing. The reactor's thread always
//! drives.
//!
//! `unsafe` here are the calls that make, open and ask pipes, timers and waits, sockets by number, and reading into memory
//! that nobody has written.
#![expect(unsafe_code, reason = "pipes, timers and waits exist only as raw calls")]

use std::io;
use std::time::Duration;

use socket2::{SockAddr, SockRef};
use windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;

use crate::Target;

mod acceptor;
mod descriptor;
pub(crate) mod errno;
mod interface;
mod limits;
mod overlapped;
mod path;
mod pipe;
mod pipe_instance;
mod pipe_security;
mod pipe_write;
mod poller;
mod stream;
mod timer;
mod unregistered;

pub(crate) use acceptor::{Acceptor, Spare};
pub(crate) use descriptor::{descriptor_kind, duplicate, duplicate_socket, is_taken};
pub(crate) use interface::{scope_to_zone, zone_to_scope};
pub(crate) use limits::{are_descriptors_scarce, is_out_of_buffers, is_out_of_descriptors, largest_backlog};
pub(crate) use poller::{Bell, Poller, ThreadClock};
pub(crate) use stream::Stream;
pub(crate) use unregistered::{Idle, adopt, bind_local, bind_tcp, local_socket, tcp_socket};

/// No connect has ended already, with a connection in a backlog.
pub(crate) fn reaches(_to: &Target<'_>, _listening: &SockAddr) -> bool {
    false
}

/// Windows ignores what a program asks for here; libuv answers `ENOSYS`.
pub(crate) fn set_type_of_service(_socket: &SockRef<'_>, _tos: u8) -> io::Result<()> {
    Err(errno::os_error(ERROR_CALL_NOT_IMPLEMENTED))
}

pub(crate) fn type_of_service(_socket: &SockRef<'_>) -> io::Result<u32> {
    Err(errno::os_error(ERROR_CALL_NOT_IMPLEMENTED))
}

/// Nothing is held back from the system here (see `at_exit`), so there is nothing to wait for.
pub(crate) fn wait_writable(_streams: &[&Stream], timeout: Duration) {
    std::thread::sleep(timeout.min(Duration::from_millis(10)));
}

/// Nothing is called while all threads still run: a library hears of the exit when they have been ended, with the locks
/// that they held.
pub(crate) fn at_exit(_run: extern "C" fn()) -> bool {
    false
}
