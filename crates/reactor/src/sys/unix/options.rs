//! Socket options that differ from system to system.

use std::io;

use socket2::SockRef;

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
