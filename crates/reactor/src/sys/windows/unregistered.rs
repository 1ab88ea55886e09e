//! Sockets and pipes that are made, bound or adopted, and registered with no runtime.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::windows::io::{AsRawSocket as _, BorrowedSocket, FromRawSocket as _, OwnedHandle};
use std::{io, ptr};

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use windows_sys::Win32::Networking::WinSock::{SIO_TCP_INITIAL_RTO, TCP_INITIAL_RTO_PARAMETERS, WSAIoctl};

use crate::sys::access::LocalAccess;
use crate::sys::descriptor::Descriptor;
use crate::sys::options::AddressOptions;
use crate::sys::transport::{Target, Transport};

use super::descriptor::OwnedDescriptor;
use super::options::set_address_options;
use super::path::{self, wide};
use super::pipe::is_busy;
use super::pipe_instance::{self, Place};
use super::{descriptor, pipe_security};

/// Made, bound, adopted, or taken out of a runtime.
#[derive(Debug)]
pub(crate) enum UnregisteredSocket {
    Tcp(Socket),
    /// A pipe's handle before it has a pipe.
    PipeSocket,
    /// Connected.
    PipeClient(OwnedHandle),
    /// All instances have clients, and a connect waits for one.
    PipeBusy(String),
    /// Bound: the first instance of the name.
    Pipe {
        path: String,
        first: OwnedHandle,
    },
}

impl UnregisteredSocket {
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.listen(backlog),
            Self::Pipe { .. } => Ok(()),
            Self::PipeSocket | Self::PipeClient(_) | Self::PipeBusy(_) => {
                Err(io::Error::from(io::ErrorKind::InvalidInput))
            }
        }
    }

    /// Gives it to another owner.
    pub(crate) fn into_descriptor(self) -> io::Result<OwnedDescriptor> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Binds a TCP socket.
    pub(crate) fn bind(&self, address: &SocketAddr, options: AddressOptions) -> io::Result<()> {
        let Self::Tcp(socket) = self else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        set_address_options(&SockRef::from(socket), address.is_ipv6(), options)?;
        socket.bind(&SockAddr::from(*address))
    }

    /// Begins a connect. A pipe is connected when it is opened, so its handle becomes another one; a socket's
    /// connect never has ended already.
    pub(crate) fn begin_connect(&mut self, to: &Target<'_>) -> io::Result<Option<io::Result<()>>> {
        match (&mut *self, to) {
            (Self::Tcp(socket), Target::Tcp(address)) => {
                let address = reachable(**address);
                if address.ip().is_loopback() {
                    refuse_at_once(socket);
                }
                bind_to_any(socket, address.is_ipv6())?;
                socket.set_nonblocking(true)?;
                match socket.connect(&SockAddr::from(address)) {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    _ => Ok(None),
                }
            }
            (Self::PipeSocket, Target::Local(path)) => {
                wide(path)?;
                match path::open(path) {
                    Ok(pipe) => {
                        *self = Self::PipeClient(pipe);
                        Ok(Some(Ok(())))
                    }
                    Err(error) if is_busy(&error) => {
                        *self = Self::PipeBusy((*path).to_owned());
                        Ok(None)
                    }
                    Err(error) => Ok(Some(Err(error))),
                }
            }
            _ => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    }
}

impl Descriptor for UnregisteredSocket {
    fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::Tcp(socket) => Some(SockRef::from(socket)),
            Self::PipeSocket | Self::PipeClient(_) | Self::PipeBusy(_) | Self::Pipe { .. } => None,
        }
    }

    fn raw(&self) -> i32 {
        -1
    }

    fn transport(&self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::PipeSocket | Self::PipeClient(_) | Self::PipeBusy(_) | Self::Pipe { .. } => {
                Transport::NamedPipe
            }
        }
    }

    /// Besides the owner of a pipe, administrators and the system.
    fn open_to_all(&self, readable: bool, writable: bool) -> io::Result<()> {
        match self {
            Self::Pipe { first, .. } => pipe_security::open_to_all(first, readable, writable),
            Self::Tcp(_) | Self::PipeSocket | Self::PipeClient(_) | Self::PipeBusy(_) => {
                Err(io::Error::from(io::ErrorKind::InvalidInput))
            }
        }
    }
}

/// Elsewhere a connect to "any address" goes to this machine; here it would fail, and libuv puts loopback in
/// its place.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// A socket that connects is bound already, as in libuv, where `ConnectEx` wants that: an error of the
/// connect names the address.
fn bind_to_any(socket: &Socket, ipv6: bool) -> io::Result<()> {
    if socket.local_addr().is_ok() {
        return Ok(());
    }
    let any = if ipv6 {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    };
    socket.bind(&SockAddr::from(SocketAddr::new(any, 0)))
}

/// Has a connect on loopback that is refused fail with that, instead of trying for two seconds, as libuv has
/// it.
fn refuse_at_once(socket: &Socket) {
    let parameters = TCP_INITIAL_RTO_PARAMETERS {
        // Unspecified: as it is.
        Rtt: u16::MAX,
        // `TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS`, which is a byte.
        MaxSynRetransmissions: u8::MAX - 1,
    };
    let mut written = 0;
    // SAFETY: the socket is open; the structure is read, of the size that is passed, and nothing overlapped
    // is asked for. Refused by systems that don't know it, which then try for longer.
    let _refused = unsafe {
        WSAIoctl(
            usize::try_from(socket.as_raw_socket()).unwrap_or(usize::MAX),
            SIO_TCP_INITIAL_RTO,
            (&raw const parameters).cast(),
            u32::try_from(size_of::<TCP_INITIAL_RTO_PARAMETERS>()).unwrap_or(0),
            ptr::null_mut(),
            0,
            &raw mut written,
            ptr::null_mut(),
            None,
        )
    };
}

pub(crate) fn tcp_socket(ipv6: bool) -> io::Result<UnregisteredSocket> {
    let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, None)?;
    if ipv6 {
        // The system's default is otherwise, and libuv's is this.
        socket.set_only_v6(false)?;
    }
    Ok(UnregisteredSocket::Tcp(socket))
}

pub(crate) fn local_socket() -> io::Result<UnregisteredSocket> {
    Ok(UnregisteredSocket::PipeSocket)
}

pub(crate) fn bind_local(path: &str, access: LocalAccess) -> io::Result<UnregisteredSocket> {
    let first = pipe_instance::create(path, Place::First(access))?;
    if let LocalAccess::All { readable, writable } = access {
        pipe_security::open_to_all(&first, readable, writable)?;
    }
    Ok(UnregisteredSocket::Pipe {
        path: path.to_owned(),
        first,
    })
}

/// Takes a socket over: it is closed with the handle from now on.
pub(crate) fn adopt(number: i32, taken_for: Transport) -> io::Result<UnregisteredSocket> {
    if taken_for != Transport::Tcp {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    let raw = descriptor::raw(number)?;
    // SAFETY: the caller, who named it, keeps it open meanwhile; what is no socket is refused by the call
    // that asks.
    let theirs = unsafe { BorrowedSocket::borrow_raw(raw) };
    if SockRef::from(&theirs).r#type()? != Type::STREAM {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: a socket, as was just seen, and a caller of `open` gives its number away.
    Ok(UnregisteredSocket::Tcp(unsafe { Socket::from_raw_socket(raw) }))
}
