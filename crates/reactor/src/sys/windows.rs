//! Windows: TCP through tokio's sockets, local paths as named pipes.
//!
//! Named pipes have no descriptor that `socket2` could serve and no half-close; what libuv emulates of that is not
//! built yet. Descriptors can't be adopted.
#![expect(
    unsafe_code,
    reason = "memory that nobody has written is written first, then read into"
)]

use std::future::Future;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::options::BindFlags;
use crate::{DescriptorKind, Target, Transport};

const ERROR_CALL_NOT_IMPLEMENTED: i32 = 120;

/// libuv's numbers, which are its own on Windows, and the way to them from Win32 and Winsock codes.
pub(crate) mod errno {
    pub(crate) const EACCES: i32 = 4092;
    pub(crate) const EAGAIN: i32 = 4088;
    pub(crate) const EBADF: i32 = 4083;
    pub(crate) const ECANCELED: i32 = 4081;
    pub(crate) const EINVAL: i32 = 4071;
    pub(crate) const ENFILE: i32 = 4061;
    pub(crate) const ENOENT: i32 = 4058;
    pub(crate) const ENOTCONN: i32 = 4053;
    pub(crate) const ENOTSUP: i32 = 4049;
    pub(crate) const EPIPE: i32 = 4047;
    const EADDRINUSE: i32 = 4091;
    const EADDRNOTAVAIL: i32 = 4090;
    const EAFNOSUPPORT: i32 = 4089;
    pub(crate) const EALREADY: i32 = 4084;
    const EBUSY: i32 = 4082;
    const ECONNABORTED: i32 = 4079;
    const ECONNREFUSED: i32 = 4078;
    const ECONNRESET: i32 = 4077;
    const EFAULT: i32 = 4074;
    const EHOSTUNREACH: i32 = 4073;
    const EINTR: i32 = 4072;
    pub(crate) const EISCONN: i32 = 4069;
    const EMFILE: i32 = 4066;
    const EMSGSIZE: i32 = 4065;
    const ENETUNREACH: i32 = 4062;
    const ENOBUFS: i32 = 4060;
    const ENOMEM: i32 = 4057;
    const ENOSYS: i32 = 4054;
    const ENOTSOCK: i32 = 4050;
    const EPERM: i32 = 4048;
    const ETIMEDOUT: i32 = 4039;
    const UNKNOWN: i32 = 4094;
    const EOF: i32 = 4095;

    /// A Win32 or Winsock code as libuv's positive number.
    pub(crate) fn from_os(os: i32) -> i32 {
        match os {
            2 | 3 | 123 | 126 | 161 => ENOENT,
            5 => EPERM,
            10013 => EACCES,
            6 => EBADF,
            8 | 14 => ENOMEM,
            10004 => EINTR,
            10014 => EFAULT,
            87 | 10022 => EINVAL,
            4 | 10024 => EMFILE,
            10035 => EAGAIN,
            10037 => EALREADY,
            10038 => ENOTSOCK,
            10040 => EMSGSIZE,
            50 | 10045 => ENOTSUP,
            10047 => EAFNOSUPPORT,
            10048 | 52 => EADDRINUSE,
            10049 => EADDRNOTAVAIL,
            10051 | 1231 => ENETUNREACH,
            10053 | 1236 => ECONNABORTED,
            64 | 10054 => ECONNRESET,
            10055 => ENOBUFS,
            10056 => EISCONN,
            10057 | 233 => ENOTCONN,
            121 | 10060 => ETIMEDOUT,
            1225 | 10061 => ECONNREFUSED,
            10065 | 1232 => EHOSTUNREACH,
            109 => EOF,
            super::ERROR_CALL_NOT_IMPLEMENTED => ENOSYS,
            230 | 232 | 10058 => EPIPE,
            231 | 170 => EBUSY,
            995 => ECANCELED,
            _ => UNKNOWN,
        }
    }
}

/// A TCP stream or one end of a named pipe.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Client(NamedPipeClient),
    Server(NamedPipeServer),
}

impl Stream {
    fn tcp(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        TcpStream::from_std(socket.into()).map(Self::Tcp)
    }

    /// A handle belongs to the completion port that it was given to first, and so to its runtime.
    pub(crate) fn into_idle(self) -> Result<Idle, Self> {
        Err(self)
    }

    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::Tcp(stream) => Some(SockRef::from(stream)),
            Self::Client(_) | Self::Server(_) => None,
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "the same promise as on Unix, where there is a number"
    )]
    pub(crate) fn raw(&self) -> i32 {
        -1
    }

    pub(crate) fn write_now(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).send_vectored(chunks),
            Self::Client(pipe) => pipe.try_write_vectored(chunks),
            Self::Server(pipe) => pipe.try_write_vectored(chunks),
        }
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let ready = match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Client(pipe) => pipe.poll_read_ready(cx),
            Self::Server(pipe) => pipe.poll_read_ready(cx),
        };
        ready.map(|_ready| ())
    }

    /// libuv does not look at it here.
    #[expect(clippy::unused_self, reason = "the same promise as on Unix")]
    pub(crate) fn is_hung_up(&self, _cx: &mut Context<'_>) -> bool {
        false
    }

    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let read = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_read_ready(cx))?;
                    stream.try_read(space)
                }
                Self::Client(pipe) => {
                    ready!(pipe.poll_read_ready(cx))?;
                    pipe.try_read(space)
                }
                Self::Server(pipe) => {
                    ready!(pipe.poll_read_ready(cx))?;
                    pipe.try_read(space)
                }
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The other end of a pipe was closed: its end of the stream.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Poll::Ready(Ok(0)),
                read => return Poll::Ready(read),
            }
        }
    }

    /// As `poll_read`, into memory that nobody has written yet: so many bytes of it are, afterwards.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        space: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        space.fill(MaybeUninit::new(0));
        let space: *mut [MaybeUninit<u8>] = space;
        // SAFETY: all of it has just been written, and it is borrowed for this call.
        self.poll_read(cx, unsafe { &mut *(space as *mut [u8]) })
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, chunks: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let written = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_write_vectored(chunks)
                }
                Self::Client(pipe) => {
                    ready!(pipe.poll_write_ready(cx))?;
                    pipe.try_write_vectored(chunks)
                }
                Self::Server(pipe) => {
                    ready!(pipe.poll_write_ready(cx))?;
                    pipe.try_write_vectored(chunks)
                }
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    /// Waits for a connect that was begun without waiting; a pipe is connected when it is opened.
    pub(crate) fn poll_connect(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self::Tcp(stream) = self else {
            return Poll::Ready(Ok(()));
        };
        ready!(stream.poll_write_ready(cx))?;
        Poll::Ready(match stream.take_error() {
            Ok(None) => stream.peer_addr().map(drop),
            Ok(Some(error)) | Err(error) => Err(error),
        })
    }

    /// Sends FIN. The reader of a pipe sees the end when it is closed.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Self::Client(_) | Self::Server(_) => Ok(()),
        }
    }
}

/// Nothing to keep in reserve: handles do not run out as descriptors do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spare {}

type NextPipe = Pin<Box<dyn Future<Output = io::Result<NamedPipeServer>> + Send>>;

/// A listening socket, or a named pipe with one instance that waits for a client.
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    Pipe { path: String, next: Mutex<NextPipe> },
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(listener) => f.debug_tuple("Tcp").field(listener).finish(),
            Self::Pipe { path, .. } => f.debug_struct("Pipe").field("path", path).finish_non_exhaustive(),
        }
    }
}

fn wait_for_client(pipe: NamedPipeServer) -> NextPipe {
    Box::pin(async move {
        pipe.connect().await?;
        Ok(pipe)
    })
}

impl Acceptor {
    /// As a stream, it can't leave its runtime.
    pub(crate) fn into_idle(self) -> Result<Idle, Self> {
        Err(self)
    }

    /// `listen` once more, for another backlog.
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => SockRef::from(listener).listen(backlog),
            Self::Pipe { .. } => Ok(()),
        }
    }

    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::Tcp(listener) => Some(SockRef::from(listener)),
            Self::Pipe { .. } => None,
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "the same promise as on Unix, where there is a number"
    )]
    pub(crate) fn raw(&self) -> i32 {
        -1
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Pipe { path, .. } => Some(Path::new(path)),
        }
    }

    /// The name of a pipe is no file.
    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "the same promise as on Unix, where there is one"
    )]
    pub(crate) fn set_path(&mut self, _path: Option<&Path>) {}

    /// A connect never ends at once here, so there is never anything to accept because of one.
    #[expect(clippy::unused_self, reason = "the same promise as on Unix")]
    pub(crate) fn accept_now(&self) -> Option<io::Result<Stream>> {
        None
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Tcp(stream)),
            Self::Pipe { path, next } => {
                let mut next = next.lock();
                let connected = ready!(next.as_mut().poll(cx));
                // The next instance before the connection is told, so that there always is one.
                *next = wait_for_client(ServerOptions::new().create(path)?);
                Poll::Ready(connected.map(Stream::Server))
            }
        }
    }
}

/// Bound, not yet used.
#[derive(Debug)]
pub(crate) enum Idle {
    Tcp(Socket),
    /// A pipe's handle before it has a pipe.
    PipeSocket,
    PipeClient(NamedPipeClient),
    Pipe {
        path: String,
        first: NamedPipeServer,
    },
}

impl Idle {
    pub(crate) fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::Tcp(socket) => Some(SockRef::from(socket)),
            Self::PipeSocket | Self::PipeClient(_) | Self::Pipe { .. } => None,
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "the same promise as on Unix, where there is a number"
    )]
    pub(crate) fn raw(&self) -> i32 {
        -1
    }

    /// Nothing is adopted here, so no two handles have one socket.
    #[expect(clippy::unused_self, reason = "the same promise as on Unix")]
    pub(crate) fn is_registered(&self) -> bool {
        false
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) | Self::PipeSocket | Self::PipeClient(_) => None,
            Self::Pipe { path, .. } => Some(Path::new(path)),
        }
    }

    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.listen(backlog),
            Self::Pipe { .. } => Ok(()),
            Self::PipeSocket | Self::PipeClient(_) => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    }

    pub(crate) fn into_acceptor(self, _spare: &Spare) -> io::Result<Acceptor> {
        match self {
            Self::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                TcpListener::from_std(socket.into()).map(Acceptor::Tcp)
            }
            Self::Pipe { path, first } => Ok(Acceptor::Pipe {
                path,
                next: Mutex::new(wait_for_client(first)),
            }),
            Self::PipeSocket | Self::PipeClient(_) => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    }

    pub(crate) fn into_stream(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(socket) => Stream::tcp(socket),
            Self::PipeClient(pipe) => Ok(Stream::Client(pipe)),
            Self::PipeSocket | Self::Pipe { .. } => Err(io::Error::from(io::ErrorKind::NotConnected)),
        }
    }

    /// Begins a connect. A pipe is connected when it is opened, so its handle becomes another one; a socket's connect
    /// never has ended already.
    pub(crate) fn begin_connect(&mut self, to: &Target<'_>) -> io::Result<Option<io::Result<()>>> {
        match (&mut *self, to) {
            (Self::Tcp(socket), Target::Tcp(address)) => {
                socket.set_nonblocking(true)?;
                match socket.connect(&SockAddr::from(**address)) {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    _ => Ok(None),
                }
            }
            (Self::PipeSocket, Target::Local(path)) => match ClientOptions::new().open(path) {
                Ok(pipe) => {
                    *self = Self::PipeClient(pipe);
                    Ok(Some(Ok(())))
                }
                Err(error) => Ok(Some(Err(error))),
            },
            _ => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    }
}

pub(crate) fn tcp_socket(ipv6: bool) -> io::Result<Idle> {
    let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
    Ok(Idle::Tcp(Socket::new(domain, Type::STREAM, None)?))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the same promise as on Unix, where a socket is made"
)]
pub(crate) fn local_socket() -> io::Result<Idle> {
    Ok(Idle::PipeSocket)
}

/// Without `SO_REUSEADDR`, which on Windows would let another program share the port.
pub(crate) fn bind_tcp(address: &SocketAddr, flags: BindFlags) -> io::Result<Idle> {
    if flags.reuse_port {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    let idle = tcp_socket(address.is_ipv6())?;
    if let Idle::Tcp(socket) = &idle {
        if address.is_ipv6() {
            socket.set_only_v6(flags.ipv6_only)?;
        }
        socket.bind(&SockAddr::from(*address))?;
    }
    Ok(idle)
}

pub(crate) fn reaches(_to: &Target<'_>, _listening: &SockAddr) -> bool {
    false
}

pub(crate) fn bind_local(path: &str) -> io::Result<Idle> {
    let first = ServerOptions::new().first_pipe_instance(true).create(path)?;
    Ok(Idle::Pipe {
        path: path.to_owned(),
        first,
    })
}

/// Windows ignores what a program asks for here; libuv answers `ENOSYS`.
pub(crate) fn set_type_of_service(_socket: &SockRef<'_>, _tos: u8) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(ERROR_CALL_NOT_IMPLEMENTED))
}

pub(crate) fn type_of_service(_socket: &SockRef<'_>) -> io::Result<u32> {
    Err(io::Error::from_raw_os_error(ERROR_CALL_NOT_IMPLEMENTED))
}

/// Access to a pipe is decided when it is made, not afterwards.
pub(crate) fn open_to_all(_path: &Path, _readable: bool, _writable: bool) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

pub(crate) fn descriptor_kind(_fd: i32) -> DescriptorKind {
    DescriptorKind::Unknown
}

pub(crate) fn duplicate(_fd: i32) -> io::Result<i32> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

pub(crate) fn adopt(_fd: i32, _transport: Transport) -> io::Result<Idle> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// libuv on Windows takes zones as numbers only.
pub(crate) fn zone_to_scope(zone: &str) -> u32 {
    zone.parse().unwrap_or(0)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the same promise as on Unix, where an index may name nothing"
)]
pub(crate) fn scope_to_zone(scope: u32) -> Option<String> {
    Some(scope.to_string())
}

/// Nothing is kept for the end of a batch where no loop says when that is.
pub(crate) fn at_exit(_run: extern "C" fn()) {}

/// The runtime's completion port is not something that another loop can wait for: there is none.
#[derive(Debug)]
pub(crate) enum Poller {}

impl Poller {
    pub(crate) fn of(build: impl FnOnce() -> io::Result<Runtime>) -> io::Result<(Runtime, Option<Self>)> {
        Ok((build()?, None))
    }

    pub(crate) fn raw(&self) -> i32 {
        match *self {}
    }

    pub(crate) fn is_readable(&self) -> bool {
        match *self {}
    }
}

/// Gets the attention of a thread that waits.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same promise as on Unix, where it takes a pipe"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(crate) fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_one();
    }

    pub(crate) fn wait(&self, _poller: Option<&Poller>, timeout: Option<Duration>) -> bool {
        let mut rung = self.rung.lock();
        while !*rung {
            match timeout {
                None => self.changed.wait(&mut rung),
                Some(timeout) => {
                    if self.changed.wait_for(&mut rung, timeout).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut *rung)
    }
}

/// How much a thread has computed: nobody asks where there is no poller to look at.
#[derive(Debug)]
pub(crate) struct ThreadClock;

impl ThreadClock {
    pub(crate) fn of_this_thread() -> Self {
        Self
    }

    pub(crate) fn used(&self) -> Duration {
        let _ = self;
        Duration::ZERO
    }
}
