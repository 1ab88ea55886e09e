//! One receive, and whether it may have left something in the kernel.
//!
//! The poller reports edges: after a receive that has emptied the kernel's buffer the readiness is cleared
//! without another system call that would only say so. A receive that returns less than it had room for has
//! emptied it, with these exceptions, in which nothing more has to arrive before the next receive gets
//! something:
//! - TCP, Linux: a receive stops at urgent data and the next one goes on behind it. The kernel reports a
//!   priority event for as long as the urgent byte was not passed. Other systems report nothing.
//! - Unix sockets: a receive stops behind a message with descriptors, which are closed if no room was made
//!   for them, and between the messages of two writers (`SO_PASSCRED`). Both are seen in `MSG_CTRUNC`, for
//!   which it takes `recvmsg`.
//! - Anything else that was adopted has rules of its own: a read of a pipe in packet mode is a packet, of a
//!   terminal a line, of kTLS a record.
//!
//! Then poll(2) is asked whether more is there: libuv's poller is level-triggered and would report it again.
//! What arrives while or after the receive runs makes a new edge, and so does a FIN or a reset, which tokio
//! keeps as a readiness that is never cleared.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;

use socket2::{SockRef, Type};
use tokio::io::Ready;

use crate::sys::transport::Transport;

use super::handle_fd::HandleFd;

/// The transport of a descriptor that was adopted.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn transport_of(fd: &HandleFd) -> Transport {
    use socket2::{Domain, Protocol};
    let socket = SockRef::from(fd);
    let (Ok(Type::STREAM), Ok(domain)) = (socket.r#type(), socket.domain()) else {
        return Transport::Other;
    };
    let is_tcp = || matches!(socket.protocol(), Ok(Some(Protocol::TCP))) && !has_upper_layer(fd);
    match domain {
        Domain::UNIX => Transport::UnixStream,
        Domain::IPV4 | Domain::IPV6 if is_tcp() => Transport::Tcp,
        Domain::IPV4 | Domain::IPV6 => Transport::InetStream,
        _ => Transport::Other,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn transport_of(fd: &HandleFd) -> Transport {
    let socket = SockRef::from(fd);
    match (socket.r#type(), socket.local_addr()) {
        (Ok(Type::STREAM), Ok(address)) if address.is_unix() => Transport::UnixStream,
        (Ok(Type::STREAM), Ok(address)) if address.as_socket().is_some() => Transport::Tcp,
        _ => Transport::Other,
    }
}

/// Whether a TCP socket was given a protocol above it, such as TLS in the kernel.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_upper_layer(fd: &HandleFd) -> bool {
    let mut name = [0_u8; 16];
    let mut length = 16;
    // SAFETY: the descriptor is open, and so many bytes of `name` may be written.
    let answer = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_ULP,
            name.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    answer == 0 && length > 0
}

/// Whether the poller has reported urgent data.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn is_urgent(ready: Ready) -> bool {
    ready.is_priority()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn is_urgent(_ready: Ready) -> bool {
    false
}

/// What one receive came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) bytes: usize,
    /// It has stopped where more may follow.
    pub(super) stopped: bool,
}

/// One system call. A stream socket does not wait, even where another process, which shares it, has made it
/// wait.
pub(super) fn receive(
    fd: &HandleFd,
    transport: Transport,
    space: &mut [MaybeUninit<u8>],
) -> io::Result<Received> {
    let is_known = cfg!(any(target_os = "linux", target_os = "android"));
    match transport {
        Transport::Tcp | Transport::InetStream => {
            let bytes = SockRef::from(fd).recv_with_flags(space, libc::MSG_DONTWAIT)?;
            let stopped = transport == Transport::InetStream || !is_known;
            Ok(Received { bytes, stopped })
        }
        Transport::UnixStream => {
            let (bytes, is_truncated) = receive_message(fd, space)?;
            let stopped = is_truncated || !is_known;
            Ok(Received { bytes, stopped })
        }
        Transport::Other | Transport::NamedPipe => {
            // SAFETY: the descriptor is open; `space` is borrowed for this call, and so many bytes of it may
            // be written.
            let read = unsafe { libc::read(fd.as_raw_fd(), space.as_mut_ptr().cast(), space.len()) };
            let bytes = usize::try_from(read).map_err(|_negative| io::Error::last_os_error())?;
            Ok(Received { bytes, stopped: true })
        }
    }
}

/// Also returns whether ancillary data was discarded.
fn receive_message(fd: &HandleFd, space: &mut [MaybeUninit<u8>]) -> io::Result<(usize, bool)> {
    let mut part = libc::iovec {
        iov_base: space.as_mut_ptr().cast(),
        iov_len: space.len(),
    };
    // SAFETY: null pointers and zeros are a message with room for nothing.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    // SAFETY: the descriptor is open; `message` names `space` only, which is borrowed for this call.
    let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    match usize::try_from(received) {
        Ok(bytes) => Ok((bytes, message.msg_flags & libc::MSG_CTRUNC != 0)),
        Err(_negative) => Err(io::Error::last_os_error()),
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use socket2::{Domain, Protocol, Socket};

    use super::*;

    fn transport(fd: impl Into<OwnedFd>) -> Transport {
        transport_of(&HandleFd::from(fd.into()))
    }

    #[test]
    fn the_kernel_says_which_transport_a_descriptor_has() {
        let socket = |domain, kind, protocol| Socket::new(domain, kind, protocol);
        for domain in [Domain::IPV4, Domain::IPV6] {
            // A machine may be without IPv6, and a kernel without MPTCP.
            if let Ok(tcp) = socket(domain, Type::STREAM, None) {
                assert_eq!(transport(tcp), Transport::Tcp);
            }
            if let Ok(multipath) = socket(domain, Type::STREAM, Some(Protocol::MPTCP)) {
                assert_eq!(transport(multipath), Transport::InetStream);
            }
        }
        let unix = |kind| transport(socket(Domain::UNIX, kind, None).unwrap());
        assert_eq!(unix(Type::STREAM), Transport::UnixStream);
        assert_eq!(unix(Type::SEQPACKET), Transport::Other);
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(transport(reader), Transport::Other);
    }

    #[test]
    fn a_socket_that_another_process_has_made_wait_does_not() {
        const PATIENCE: Duration = Duration::from_secs(2);
        for transport in [Transport::Tcp, Transport::InetStream] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            // The call ends at last, with the same error.
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            let fd = HandleFd::from(OwnedFd::from(client));
            let begun = Instant::now();
            let error = receive(&fd, transport, &mut [MaybeUninit::uninit()]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            assert!(begun.elapsed() < PATIENCE, "{transport:?}");
        }
    }
}
