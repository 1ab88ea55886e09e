//! Sockets that are made, bound or adopted, and registered with no runtime.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::sys::access::LocalAccess;
use crate::sys::options::AddressOptions;
use crate::sys::transport::{Target, Transport};

use super::descriptor::OwnedDescriptor;
use super::errno;
use super::handle_fd::HandleFd;
use super::open_socket::OpenSocket;
use super::options::set_address_options;
use super::path::{OwnPath, local_address, mode_of};
use super::receive::transport_of;

/// Made, bound, adopted, or taken out of a runtime.
pub(crate) type UnregisteredSocket = OpenSocket<HandleFd>;

impl UnregisteredSocket {
    /// `listen(2)`. The handle stays what it is: an acceptor is made of it.
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        self.socket_ref().listen(backlog)
    }

    /// Gives it to another owner.
    pub(crate) fn into_descriptor(self) -> io::Result<OwnedDescriptor> {
        self.fd.into_owned().map(OwnedDescriptor::from)
    }

    /// Binds a TCP socket.
    pub(crate) fn bind(&self, address: &SocketAddr, options: AddressOptions) -> io::Result<()> {
        let socket = self.socket_ref();
        set_address_options(&socket, address.is_ipv6(), options)?;
        socket.bind(&SockAddr::from(*address))
    }

    /// Begins a connect. `Some` when it has ended already: on loopback and on Unix sockets nearly always.
    /// What fails at once leaves the handle as it is.
    pub(crate) fn begin_connect(&self, to: &Target<'_>) -> io::Result<Option<io::Result<()>>> {
        let address = match to {
            Target::Tcp(address) => SockAddr::from(**address),
            Target::Local(path) => local_address(path)?,
        };
        let socket = self.socket_ref();
        let Err(error) = connect(&socket, &address) else {
            return Ok(Some(Ok(())));
        };
        match error.raw_os_error() {
            Some(libc::EINPROGRESS) => Ok(connect_result(&socket)),
            // Reported later, as by libuv: the server may be starting.
            Some(libc::ECONNREFUSED) => Ok(Some(Err(error))),
            _ if to.transport().defers_connect_errors() => Ok(Some(Err(error))),
            _ => Err(error),
        }
    }
}

/// `connect(2)`. One that is interrupted goes on (POSIX), or has not begun: the next call shows which.
fn connect(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    let mut was_interrupted = false;
    loop {
        let result = socket.connect(address);
        match result.as_ref().map_err(io::Error::raw_os_error) {
            Err(Some(libc::EINTR)) => was_interrupted = true,
            Err(Some(libc::EISCONN)) if was_interrupted => return Ok(()),
            Err(Some(libc::EALREADY)) if was_interrupted => {
                return Err(io::Error::from_raw_os_error(libc::EINPROGRESS));
            }
            _ => return result,
        }
    }
}

/// What became of a connect: `None` while it is going on.
pub(super) fn connect_result(socket: &Socket) -> Option<io::Result<()>> {
    // A peer's address proves more than the lack of an error, and saves a call: the error is asked for anyway
    // before the connect is reported, since the connection may have broken meanwhile.
    match socket.peer_addr() {
        Ok(_) => return Some(Ok(())),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
        Err(error) => return Some(Err(socket.take_error().ok().flatten().unwrap_or(error))),
    }
    match socket.take_error() {
        Ok(None) => None,
        Ok(Some(error)) | Err(error) => Some(Err(error)),
    }
}

fn open_socket(domain: Domain, transport: Transport) -> io::Result<UnregisteredSocket> {
    // Systems that can make it non-blocking with the same call are spared two more.
    #[cfg(not(target_vendor = "apple"))]
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), None)?;
    #[cfg(target_vendor = "apple")]
    let socket = {
        let socket = Socket::new(domain, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket
    };
    #[cfg(target_vendor = "apple")]
    socket.set_nosigpipe(true)?;
    Ok(UnregisteredSocket {
        path: None,
        fd: HandleFd::from(OwnedFd::from(socket)),
        transport,
    })
}

pub(crate) fn tcp_socket(ipv6: bool) -> io::Result<UnregisteredSocket> {
    open_socket(if ipv6 { Domain::IPV6 } else { Domain::IPV4 }, Transport::Tcp)
}

pub(crate) fn bind_local(path: &str, access: LocalAccess) -> io::Result<UnregisteredSocket> {
    let address = local_address(path)?;
    let is_file = !path.starts_with('\0');
    let mode = if is_file { mode_of(access) } else { None };
    let mut unregistered = local_socket()?;
    if let Some(mode) = mode {
        // Linux makes the file with the socket's own mode, less the umask, so that it never has one that is
        // wider. Elsewhere this is refused.
        drop(
            unregistered
                .fd
                .file()
                .set_permissions(Permissions::from_mode(mode)),
        );
    }
    match SockRef::from(&unregistered.fd).bind(&address) {
        // libuv: "convert ENOENT to EACCES for compat with Windows".
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
            return Err(io::Error::from_raw_os_error(errno::EACCES));
        }
        result => result?,
    }
    if is_file {
        let own = unregistered.path.insert(Box::new(OwnPath::new(path)));
        // No client has connected meanwhile: it does not listen yet.
        if let Some(mode) = mode {
            own.set_mode(mode)?;
        }
    }
    Ok(unregistered)
}

pub(crate) fn local_socket() -> io::Result<UnregisteredSocket> {
    open_socket(Domain::UNIX, Transport::UnixStream)
}

/// Takes a descriptor over: from now on it is non-blocking, and closed with the handle if it is above 2. One
/// that another handle has is duplicated. What it is, the kernel says, whatever it is taken for.
pub(crate) fn adopt(number: i32, _taken_for: Transport) -> io::Result<UnregisteredSocket> {
    let fd = HandleFd::adopt(number)?;
    // FIONBIO works on everything that can be adopted, pipes included.
    if let Err(error) = SockRef::from(&fd).set_nonblocking(true) {
        // Refused: it stays the caller's.
        if fd.as_raw_fd() == number {
            fd.give_back();
        }
        return Err(error);
    }
    let transport = transport_of(&fd);
    Ok(UnregisteredSocket {
        path: None,
        fd,
        transport,
    })
}
