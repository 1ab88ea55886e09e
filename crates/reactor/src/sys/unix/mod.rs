//! Linux, macOS and the BSDs: one descriptor type for TCP, Unix sockets and pipes, driven through `AsyncFd`.
//!
//! `unsafe` here is the adoption of descriptor numbers that a caller names, accepting with flags, and two lookups of
//! interface names.
#![expect(
    unsafe_code,
    reason = "descriptors by number, accept4 and if_nametoindex exist only as raw calls"
)]

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, IoSlice, IsTerminal, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::io::unix::AsyncFd;

use crate::options::BindFlags;
use crate::{DescriptorKind, Target, Transport};

#[cfg(target_os = "linux")]
mod conduit;
mod poller;

#[cfg(target_os = "linux")]
pub(crate) use conduit::Conduit;
pub(crate) use poller::{Bell, Poller, ThreadClock};

/// The kernel's numbers.
pub(crate) mod errno {
    pub(crate) use libc::{
        EACCES, EAGAIN, EALREADY, EBADF, ECANCELED, EINVAL, EISCONN, ENFILE, ENOENT, ENOTCONN, ENOTSUP, EPIPE,
    };

    /// On Unix libuv's numbers are the kernel's.
    pub(crate) fn from_os(os: i32) -> i32 {
        os
    }
}

/// Gives a descriptor to the runtime that is entered. A descriptor that another handle of this reactor has (`EEXIST`)
/// stays that handle's: it is not closed here.
fn register<T: AsRawFd + IntoRawFd + From<OwnedFd>>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: `owner` owns its descriptor (both types of this file do), so it stays open and the same for as long as
    // the `AsyncFd` that it moves into; nothing here takes it out or swaps it.
    unsafe { AsyncFd::register(owner) }.map_err(|refused| {
        let (owner, error) = refused.into_parts();
        if error.raw_os_error() == Some(libc::EEXIST) {
            let _theirs = owner.into_raw_fd();
        }
        error
    })
}

/// A byte stream. `File` because `read(2)` and `writev(2)` serve sockets, pipes and terminals alike.
#[derive(Debug)]
pub(crate) struct Stream {
    fd: AsyncFd<File>,
    _own_path: Option<OwnPath>,
}

impl Stream {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        let raw = fd.as_raw_fd();
        let fd = match register(File::from(fd)) {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                // Two streams on one descriptor: this one goes on with a number of its own.
                let theirs = borrow(&raw).ok_or(error)?;
                register(File::from(theirs.try_clone_to_owned()?))?
            }
            registered => registered?,
        };
        Ok(Self { fd, _own_path: None })
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same promise as on Windows, where a pipe is no socket"
    )]
    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(self.fd.get_ref()))
    }

    pub(crate) fn raw(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    pub(crate) fn write_now(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        write_all_now(self.fd.get_ref(), chunks)
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.fd.poll_read_ready(cx).map(|_ready| ())
    }

    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = space.len();
        self.poll_received(cx, len, || self.fd.get_ref().read(space))
    }

    /// As `poll_read`, into memory that nobody has written yet: so many bytes of it are, afterwards.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        space: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        let len = space.len();
        self.poll_received(cx, len, || match SockRef::from(self.fd.get_ref()).recv(space) {
            // A pipe or a terminal that was adopted.
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => {
                space.fill(MaybeUninit::new(0));
                let space: *mut [MaybeUninit<u8>] = space;
                // SAFETY: all of it has just been written, and it is borrowed for this call.
                self.fd.get_ref().read(unsafe { &mut *(space as *mut [u8]) })
            }
            received => received,
        })
    }

    fn poll_received(
        &self,
        cx: &mut Context<'_>,
        space: usize,
        mut receive: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            match receive() {
                Ok(n) => {
                    // A short read has emptied the kernel's buffer (epoll(7), kqueue): wait for the next edge instead
                    // of asking once more. A FIN that came along is not forgotten by this.
                    if n > 0 && n < space {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => ready.clear_ready(),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, chunks: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match write(self.fd.get_ref(), chunks) {
                Ok(n) => return Poll::Ready(Ok(n)),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => ready.clear_ready(),
                    io::ErrorKind::Interrupted => {}
                    _ => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    /// Waits for a connect that was begun without waiting.
    pub(crate) fn poll_connect(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match connect_result(&SockRef::from(self.fd.get_ref())) {
                Some(result) => return Poll::Ready(result),
                None => ready.clear_ready(),
            }
        }
    }

    /// Sends FIN. A descriptor that is no socket (a pipe that was adopted) has none: its reader sees the end at close.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match SockRef::from(self.fd.get_ref()).shutdown(Shutdown::Write) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => Ok(()),
            result => result,
        }
    }
}

#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// There the socket has an option for it.
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: i32 = 0;

/// One system call. `send(2)` is the shortest way into a socket; vectors, and what is no socket, go by `writev(2)`.
fn write(mut file: &File, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
    if let [chunk] = chunks {
        match SockRef::from(file).send_with_flags(chunk, NO_SIGNAL) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => {}
            sent => return sent,
        }
    }
    file.write_vectored(chunks)
}

/// Writes until all is taken or the kernel would have to wait; a short count is no error.
fn write_all_now(file: &File, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut sent = 0;
    // `writev` takes at most IOV_MAX slices (1024 everywhere).
    for group in chunks.chunks(1024) {
        let wanted: usize = group.iter().map(|chunk| chunk.len()).sum();
        if wanted == 0 {
            continue;
        }
        let taken = loop {
            match write(file, group) {
                Ok(taken) => break taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What went before is sent; the caller queues the rest and hears of a lasting error then.
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => return Err(error),
            }
        };
        sent += taken;
        if taken < wanted {
            break;
        }
    }
    Ok(sent)
}

/// What became of a connect: `None` while it is going on.
fn connect_result(socket: &Socket) -> Option<io::Result<()>> {
    // A peer says more than the lack of an error, and saves the question: who tells of a connection asks for its error
    // anyway, since it may have broken meanwhile.
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

/// The file that binding a local socket made. It goes with whatever the socket has become, as libuv does it.
#[derive(Debug)]
struct OwnPath(PathBuf);

impl Drop for OwnPath {
    fn drop(&mut self) {
        // Gone already, or never ours to remove: nothing to do about either.
        drop(std::fs::remove_file(&self.0));
    }
}

/// A descriptor kept in reserve, to have one for closing a connection when there are none left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spare(Arc<Mutex<Option<File>>>);

impl Spare {
    fn fill(&self) {
        let mut spare = self.0.lock();
        if spare.is_none() {
            *spare = File::open("/").ok();
        }
    }

    /// Accepts one connection with the reserve and closes it: the client learns that it will not be served, instead
    /// of waiting in a backlog that never moves. Answers whether there was a reserve.
    fn refuse_one(&self, socket: &Socket) -> bool {
        if self.0.lock().take().is_none() {
            return false;
        }
        drop(socket.accept());
        self.fill();
        true
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Acceptor {
    fd: AsyncFd<Socket>,
    spare: Spare,
    path: Option<OwnPath>,
}

impl Acceptor {
    /// `listen(2)` once more, for another backlog.
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        self.fd.get_ref().listen(backlog)
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same promise as on Windows, where a pipe is no socket"
    )]
    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(self.fd.get_ref()))
    }

    pub(crate) fn raw(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_ref().map(|OwnPath(path)| path.as_path())
    }

    /// Accepts without waiting; `None` when there is nothing, or nothing that could be told better by `poll_accept`.
    pub(crate) fn accept_now(&self) -> Option<io::Result<Stream>> {
        Some(Stream::new(accept(self.fd.get_ref()).ok()?))
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            let error = match accept(self.fd.get_ref()) {
                Ok(fd) => return Poll::Ready(Stream::new(fd)),
                Err(error) => error,
            };
            match error.raw_os_error() {
                Some(libc::ECONNABORTED | libc::EINTR) => {}
                Some(libc::EMFILE | libc::ENFILE) if self.spare.refuse_one(self.fd.get_ref()) => {}
                _ => {
                    // Also after an error: wait for the next connection rather than spin on this one.
                    ready.clear_ready();
                    if error.kind() != io::ErrorKind::WouldBlock {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
    }
}

/// Accepts a connection that does not block, with one call where there is such a call.
#[cfg(not(target_vendor = "apple"))]
fn accept(socket: &Socket) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: `socket` is open; null pointers say that the peer's address is not wanted.
    let fd = unsafe {
        libc::accept4(
            socket.as_raw_fd(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            flags,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(target_vendor = "apple")]
fn accept(socket: &Socket) -> io::Result<OwnedFd> {
    let (accepted, _) = socket.accept()?;
    accepted.set_nonblocking(true)?;
    Ok(OwnedFd::from(accepted))
}

/// Bound or adopted, not yet used.
#[derive(Debug)]
pub(crate) struct Idle {
    fd: OwnedFd,
    transport: Transport,
    path: Option<OwnPath>,
}

impl Idle {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same promise as on Windows, where a pipe is no socket"
    )]
    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        Some(SockRef::from(&self.fd))
    }

    pub(crate) fn raw(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_ref().map(|OwnPath(path)| path.as_path())
    }

    /// `listen(2)`. The handle stays what it is: [`Idle::into_acceptor`] makes a listener of it.
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        SockRef::from(&self.fd).listen(backlog)
    }

    pub(crate) fn into_acceptor(self, spare: &Spare) -> io::Result<Acceptor> {
        spare.fill();
        let fd = register(Socket::from(self.fd))?;
        Ok(Acceptor {
            fd,
            spare: spare.clone(),
            path: self.path,
        })
    }

    pub(crate) fn into_stream(self) -> io::Result<Stream> {
        Ok(Stream {
            _own_path: self.path,
            ..Stream::new(self.fd)?
        })
    }

    /// Begins a connect. `Some` when it has ended already: on loopback and on Unix sockets nearly always. What fails at
    /// once leaves the handle as it is.
    pub(crate) fn begin_connect(&self, to: &Target<'_>) -> io::Result<Option<io::Result<()>>> {
        let address = match to {
            Target::Tcp(address) => SockAddr::from(**address),
            Target::Local(path) => local_address(path)?,
        };
        let socket = SockRef::from(&self.fd);
        let Err(error) = socket.connect(&address) else {
            return Ok(Some(Ok(())));
        };
        match error.raw_os_error() {
            Some(libc::EINPROGRESS | libc::EINTR) => Ok(connect_result(&socket)),
            // Told later, as libuv does: the server may be starting.
            Some(libc::ECONNREFUSED) => Ok(Some(Err(error))),
            _ if self.transport == Transport::Local => Ok(Some(Err(error))),
            _ => Err(error),
        }
    }
}

fn open_socket(domain: Domain, transport: Transport) -> io::Result<Idle> {
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
    Ok(Idle {
        fd: OwnedFd::from(socket),
        transport,
        path: None,
    })
}

pub(crate) fn tcp_socket(ipv6: bool) -> io::Result<Idle> {
    open_socket(if ipv6 { Domain::IPV6 } else { Domain::IPV4 }, Transport::Tcp)
}

pub(crate) fn bind_tcp(address: &SocketAddr, flags: BindFlags) -> io::Result<Idle> {
    let idle = tcp_socket(address.is_ipv6())?;
    let socket = SockRef::from(&idle.fd);
    // As libuv on Unix: a port in TIME_WAIT can be bound again. (Windows would let another program share it.)
    socket.set_reuse_address(!flags.exclusive)?;
    if flags.reuse_port {
        set_reuse_port(&socket)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(flags.ipv6_only)?;
    }
    socket.bind(&SockAddr::from(*address))?;
    Ok(idle)
}

/// Where the kernel spreads connections over the sockets of a port. macOS has the option without the spreading, which
/// libuv refuses, and so do we.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn set_reuse_port(socket: &Socket) -> io::Result<()> {
    #[cfg(target_os = "freebsd")]
    return socket.set_reuse_port_lb(true);
    #[cfg(not(target_os = "freebsd"))]
    socket.set_reuse_port(true)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn set_reuse_port(_socket: &Socket) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(errno::ENOTSUP))
}

/// The address of a local path. A leading NUL names the abstract space of Linux. Too long is `EINVAL`, and so is a NUL
/// further on: the kernel would end the name there, and whoever checked the whole of it would be deceived.
fn local_address(path: &str) -> io::Result<SockAddr> {
    let invalid = || io::Error::from_raw_os_error(errno::EINVAL);
    if !path.starts_with('\0') && path.contains('\0') {
        return Err(invalid());
    }
    SockAddr::unix(path).map_err(|_| invalid())
}

/// Whether a connect ends at this address: for TCP a matter of the port, since one machine has many names.
pub(crate) fn reaches(to: &Target<'_>, listening: &SockAddr) -> bool {
    match to {
        Target::Tcp(address) => listening
            .as_socket()
            .is_some_and(|own| own.port() == address.port()),
        Target::Local(path) => local_address(path).is_ok_and(|address| address == *listening),
    }
}

pub(crate) fn bind_local(path: &str) -> io::Result<Idle> {
    let address = local_address(path)?;
    let mut idle = local_socket()?;
    match SockRef::from(&idle.fd).bind(&address) {
        // libuv: "convert ENOENT to EACCES for compat with Windows".
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
            return Err(io::Error::from_raw_os_error(errno::EACCES));
        }
        result => result?,
    }
    if !path.starts_with('\0') {
        idle.path = Some(OwnPath(PathBuf::from(path)));
    }
    Ok(idle)
}

pub(crate) fn local_socket() -> io::Result<Idle> {
    open_socket(Domain::UNIX, Transport::Local)
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

/// Sets who may use a bound local socket, exactly: read, write or both, for everybody (Node 26; older ones added it).
pub(crate) fn open_to_all(path: &Path, readable: bool, writable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if readable { 0o444 } else { 0 } | if writable { 0o222 } else { 0 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Has `run` called when the process exits, on the thread that ends it, while the others still run.
pub(crate) fn at_exit(run: extern "C" fn()) {
    // SAFETY: a function of this library, which the C library forgets when the library is unloaded. Refused for want
    // of memory only, and then nothing is called.
    let _refused = unsafe { libc::atexit(run) };
}

fn borrow(fd: &i32) -> Option<BorrowedFd<'_>> {
    // SAFETY: fcntl only asks about the number; a number that names nothing is answered with -1.
    if *fd < 0 || unsafe { libc::fcntl(*fd, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: the call above has just seen the descriptor open; the caller, who named it, keeps it so meanwhile.
    Some(unsafe { BorrowedFd::borrow_raw(*fd) })
}

/// What a descriptor is, as `uv_guess_handle` tells it.
pub(crate) fn descriptor_kind(fd: i32) -> DescriptorKind {
    let Some(descriptor) = borrow(&fd) else {
        return DescriptorKind::Unknown;
    };
    if descriptor.is_terminal() {
        return DescriptorKind::Terminal;
    }
    let Ok(metadata) = descriptor
        .try_clone_to_owned()
        .and_then(|copy| File::from(copy).metadata())
    else {
        return DescriptorKind::Unknown;
    };
    let file_type = metadata.file_type();
    if file_type.is_file() || file_type.is_char_device() {
        return DescriptorKind::File;
    }
    if file_type.is_fifo() {
        return DescriptorKind::Pipe;
    }
    if !file_type.is_socket() {
        return DescriptorKind::Unknown;
    }
    let socket = SockRef::from(&descriptor);
    let (Ok(kind), Ok(address)) = (socket.r#type(), socket.local_addr()) else {
        return DescriptorKind::Unknown;
    };
    let inet = matches!(address.domain(), Domain::IPV4 | Domain::IPV6);
    match kind {
        Type::STREAM if inet => DescriptorKind::Tcp,
        Type::DGRAM if inet => DescriptorKind::Udp,
        Type::STREAM if address.domain() == Domain::UNIX => DescriptorKind::Pipe,
        _ => DescriptorKind::Unknown,
    }
}

/// Another descriptor of the same file, close-on-exec.
pub(crate) fn duplicate(fd: i32) -> io::Result<i32> {
    let open = borrow(&fd).ok_or_else(|| io::Error::from_raw_os_error(errno::EBADF))?;
    Ok(open.try_clone_to_owned()?.into_raw_fd())
}

/// Takes a descriptor over: from now on it is non-blocking and ours to close.
pub(crate) fn adopt(fd: i32, transport: Transport) -> io::Result<Idle> {
    if borrow(&fd).is_none() {
        return Err(io::Error::from_raw_os_error(errno::EBADF));
    }
    // SAFETY: the descriptor is open (checked above), and whoever hands a number to `open` gives it away.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // FIONBIO works on everything that can be adopted, pipes included.
    if let Err(error) = SockRef::from(&fd).set_nonblocking(true) {
        // Refused: it stays the caller's.
        std::mem::forget(fd);
        return Err(error);
    }
    Ok(Idle {
        fd,
        transport,
        path: None,
    })
}

/// The scope id behind the zone of an IPv6 address (`fe80::1%eth0`), 0 when there is no such interface.
pub(crate) fn zone_to_scope(zone: &str) -> u32 {
    if let Ok(number) = zone.parse() {
        return number;
    }
    let Ok(name) = CString::new(zone) else { return 0 };
    // SAFETY: `name` is a NUL-terminated string that lives through the call.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

/// The zone to print for a scope id.
pub(crate) fn scope_to_zone(scope: u32) -> Option<String> {
    let mut name: [libc::c_char; libc::IF_NAMESIZE] = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the IF_NAMESIZE bytes that the call may fill.
    let found = unsafe { libc::if_indextoname(scope, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: a call that found a name has written it, NUL-terminated, into the buffer.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    Some(name.to_string_lossy().into_owned())
}
