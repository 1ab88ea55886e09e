//! Which options a socket has here, and how each is set.

use std::io;

use socket2::SockRef;

use crate::sys::options::{AddressOptions, SocketOptions, set, set_keep_alive};

/// Sets what was asked for. All of it is tried; the error is that of the first option that the system
/// refuses.
pub(crate) fn set_options(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
    let results = [
        set(options.no_delay, |on| socket.set_tcp_nodelay(on)),
        set(options.keep_alive, |probes| set_keep_alive(socket, probes)),
        set(options.type_of_service, |tos| set_type_of_service(socket, tos)),
    ];
    results.into_iter().collect()
}

/// Sets what a bind depends on, so an error of it is one of the bind.
pub(super) fn set_address_options(
    socket: &SockRef<'_>,
    ipv6: bool,
    options: AddressOptions,
) -> io::Result<()> {
    // As libuv on Unix: a port in TIME_WAIT can be bound again. (Windows would let another program share it.)
    socket.set_reuse_address(!options.exclusive)?;
    if options.reuse_port {
        set_reuse_port(socket)?;
    }
    if ipv6 {
        socket.set_only_v6(options.ipv6_only)?;
    }
    Ok(())
}

/// Where the kernel spreads connections over the sockets of a port. macOS has the option without the
/// spreading, which libuv refuses, and so does this.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn set_reuse_port(socket: &SockRef<'_>) -> io::Result<()> {
    #[cfg(target_os = "freebsd")]
    return socket.set_reuse_port_lb(true);
    #[cfg(not(target_os = "freebsd"))]
    socket.set_reuse_port(true)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn set_reuse_port(_socket: &SockRef<'_>) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(super::errno::ENOTSUP))
}

/// `IP_TOS`, or `IPV6_TCLASS` for an IPv6 socket.
fn set_type_of_service(socket: &SockRef<'_>, tos: u8) -> io::Result<()> {
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
