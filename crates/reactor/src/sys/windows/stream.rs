//! A byte stream over TCP or a pipe: reads, writes and the end of a connect, each as far as it goes without
//! waiting.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use socket2::SockRef;
use tokio::net::TcpStream;
use windows_sys::Win32::Foundation::ERROR_NOT_CONNECTED;

use crate::sys::descriptor::Descriptor;
use crate::sys::refused::Refused;
use crate::sys::transport::Transport;
use crate::sys::vectored::write_in_groups;

use super::errno::os_error;
use super::pipe::Pipe;
use super::unregistered::UnregisteredSocket;

/// A TCP stream or one end of a pipe.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Pipe(Pipe),
}

impl Stream {
    pub(crate) fn register(unregistered: UnregisteredSocket) -> Result<Self, Refused<UnregisteredSocket>> {
        match unregistered {
            UnregisteredSocket::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                Ok(Self::Tcp(TcpStream::from_std(socket.into())?))
            }
            UnregisteredSocket::PipeClient(pipe) => Ok(Self::Pipe(Pipe::connected(pipe)?)),
            UnregisteredSocket::PipeBusy(path) => Ok(Self::Pipe(Pipe::busy(path))),
            // A connect that failed has to be reported, and what is reported has a stream.
            UnregisteredSocket::PipeSocket => Ok(Self::Pipe(Pipe::closed())),
            bound @ UnregisteredSocket::Pipe { .. } => Err(Refused {
                left: Some(bound),
                error: os_error(ERROR_NOT_CONNECTED),
            }),
        }
    }

    /// Leaves the runtime. A pipe's handle can't: it belongs to the completion port that it was given to
    /// first. A socket is not given to one itself (mio asks the driver of sockets for its readiness).
    #[expect(
        clippy::result_large_err,
        reason = "it is not an error, but what stays as it is"
    )]
    pub(crate) fn deregister(self) -> Result<UnregisteredSocket, Self> {
        match self {
            Self::Tcp(stream) => {
                let own = SockRef::from(&stream).try_clone();
                own.map(UnregisteredSocket::Tcp).map_err(|_| Self::Tcp(stream))
            }
            Self::Pipe(_) => Err(self),
        }
    }

    pub(crate) fn write_now(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => {
                let socket = SockRef::from(stream);
                write_in_groups(chunks, |group| socket.send_vectored(group))
            }
            Self::Pipe(pipe) => pipe.write_now(chunks),
        }
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx).map(|_ready| ()),
            Self::Pipe(pipe) => pipe.poll_readable(cx),
        }
    }

    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::Pipe(pipe) => return pipe.poll_read(cx, space),
        };
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read(space) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// As `poll_read`, into memory that may be uninitialized. As many bytes of it as are returned are
    /// initialized afterwards.
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

    /// As `poll_receive`, by the system's word alone; a pipe has its own word for what has been read into it.
    pub(crate) fn receive_now(&self, space: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).recv(space),
            Self::Pipe(_) => match self.poll_receive(&mut Context::from_waker(Waker::noop()), space) {
                Poll::Ready(received) => received,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            },
        }
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, chunks: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::Pipe(pipe) => return pipe.poll_write(cx, chunks),
        };
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match stream.try_write_vectored(chunks) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    /// Waits for a connect that was begun without waiting.
    pub(crate) fn poll_connect(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::Pipe(pipe) => return pipe.poll_connect(),
        };
        ready!(stream.poll_write_ready(cx))?;
        Poll::Ready(match stream.take_error() {
            Ok(None) => stream.peer_addr().map(drop),
            Ok(Some(error)) | Err(error) => Err(error),
        })
    }

    /// Of a pipe, of which the system does not report everything; see there.
    pub(crate) fn take_retry_time(&self) -> Option<Instant> {
        match self {
            Self::Tcp(_) => None,
            Self::Pipe(pipe) => pipe.take_retry_time(),
        }
    }

    /// Sends FIN, or what there is of it in a pipe.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Self::Pipe(pipe) => {
                pipe.shutdown_write();
                Ok(())
            }
        }
    }
}

impl Descriptor for Stream {
    fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::Tcp(stream) => Some(SockRef::from(stream)),
            Self::Pipe(_) => None,
        }
    }

    fn raw(&self) -> i32 {
        -1
    }

    fn transport(&self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::Pipe(_) => Transport::NamedPipe,
        }
    }
}
