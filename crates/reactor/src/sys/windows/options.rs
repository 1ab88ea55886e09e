//! Which options a socket has here, and how each is set.

use std::io;

use socket2::SockRef;
use windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;

use crate::sys::options::{AddressOptions, SocketOptions, set, set_keep_alive};

use super::errno::os_error;

/// Sets what was asked for. All of it is tried; the error is that of the first option that the system
/// refuses.
pub(crate) fn set_options(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
    let results = [
        set(options.no_delay, |on| socket.set_tcp_nodelay(on)),
        set(options.keep_alive, |probes| set_keep_alive(socket, probes)),
        set(options.type_of_service, |_tos| Err(no_type_of_service())),
    ];
    results.into_iter().collect()
}

/// Sets what a bind depends on, so an error of it is one of the bind. Without `SO_REUSEADDR`, which on
/// Windows would let another program share the port.
pub(super) fn set_address_options(
    socket: &SockRef<'_>,
    ipv6: bool,
    options: AddressOptions,
) -> io::Result<()> {
    if options.reuse_port {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    if ipv6 {
        socket.set_only_v6(options.ipv6_only)?;
    }
    Ok(())
}

pub(crate) fn type_of_service(_socket: &SockRef<'_>) -> io::Result<u32> {
    Err(no_type_of_service())
}

/// Windows ignores what a program asks for here; libuv returns `ENOSYS`.
fn no_type_of_service() -> io::Error {
    os_error(ERROR_CALL_NOT_IMPLEMENTED)
}
