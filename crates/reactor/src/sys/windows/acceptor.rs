//! A listening socket, or a pipe with instances that wait for clients.

use std::io;
use std::os::windows::io::OwnedHandle;
use std::path::Path;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use socket2::SockRef;
use tokio::net::TcpListener;

use crate::sys::descriptor::Descriptor;
use crate::sys::refused::Refused;
use crate::sys::transport::Transport;

use super::descriptor::OwnedDescriptor;
use super::pipe::Pipe;
use super::pipe_instance::{self, Place, Waiting};
use super::pipe_security;
use super::stream::Stream;
use super::unregistered::UnregisteredSocket;

/// How many instances wait for a client: so many connect at once without finding the pipe busy (libuv's
/// number).
const INSTANCES: usize = 4;
/// The variable of Node's that says otherwise.
const INSTANCES_SETTING: &str = "NODE_PENDING_PIPE_INSTANCES";

/// What the variable asks for. As Node reads it, a number at its beginning counts; one at least is needed.
fn instances(setting: Option<&str>) -> usize {
    let setting = setting.unwrap_or_default().trim_start();
    let digits = setting.len() - setting.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    setting[..digits]
        .parse()
        .map_or(INSTANCES, |wanted: usize| wanted.max(1))
}

/// Nothing to keep in reserve: handles do not run out as descriptors do.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReserveFd {}

impl ReserveFd {
    pub(crate) fn lend<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        open()
    }
}

#[derive(Debug)]
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    Pipe(PipeAcceptor),
}

#[derive(Debug)]
pub(crate) struct PipeAcceptor {
    path: String,
    /// How many instances shall wait.
    wanted: usize,
    waiting: Mutex<Vec<Waiting>>,
}

impl PipeAcceptor {
    /// With the instance that was made when the name was bound, and more.
    fn new(path: String, first: OwnedHandle) -> io::Result<Self> {
        let wanted = instances(std::env::var(INSTANCES_SETTING).ok().as_deref());
        let mut waiting = vec![Waiting::for_client(first)?];
        while waiting.len() < wanted {
            waiting.push(another(&path)?);
        }
        Ok(Self {
            path,
            wanted,
            waiting: Mutex::new(waiting),
        })
    }

    fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<Stream>> {
        let mut waiting = self.waiting.lock();
        // What an accept before could not make.
        while waiting.len() < self.wanted {
            match another(&self.path) {
                Ok(instance) => waiting.push(instance),
                Err(error) if waiting.is_empty() => return Poll::Ready(Err(error)),
                Err(_) => break,
            }
        }
        // Without one that has a client, all are polled, so that each of them wakes the task.
        let mut come = None;
        for (index, instance) in waiting.iter_mut().enumerate() {
            if come.is_none()
                && let Poll::Ready(client) = instance.poll_client(cx)
            {
                come = Some((index, client));
            }
        }
        let Some((index, client)) = come else {
            return Poll::Pending;
        };
        waiting.remove(index);
        // The next instance before the connection is reported, so that there always is one.
        if let Ok(instance) = another(&self.path) {
            waiting.push(instance);
        }
        Poll::Ready(client.and_then(Pipe::connected).map(Stream::Pipe))
    }
}

fn another(path: &str) -> io::Result<Waiting> {
    Waiting::for_client(pipe_instance::create(path, Place::Further)?)
}

impl Acceptor {
    pub(crate) fn register(
        unregistered: UnregisteredSocket,
        _spare: &ReserveFd,
    ) -> Result<Self, Refused<UnregisteredSocket>> {
        match unregistered {
            UnregisteredSocket::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                Ok(Self::Tcp(TcpListener::from_std(socket.into())?))
            }
            UnregisteredSocket::Pipe { path, first } => Ok(Self::Pipe(PipeAcceptor::new(path, first)?)),
            other @ (UnregisteredSocket::PipeSocket
            | UnregisteredSocket::PipeClient(_)
            | UnregisteredSocket::PipeBusy(_)) => Err(Refused {
                left: Some(other),
                error: io::Error::from(io::ErrorKind::InvalidInput),
            }),
        }
    }

    /// Leaves the runtime. A pipe stays: its other instances and their clients would have to go along.
    pub(crate) fn deregister(self) -> Result<UnregisteredSocket, Self> {
        match self {
            Self::Tcp(listener) => {
                let own = SockRef::from(&listener).try_clone();
                own.map(UnregisteredSocket::Tcp).map_err(|_| Self::Tcp(listener))
            }
            Self::Pipe(_) => Err(self),
        }
    }

    /// `listen` once more, for another backlog.
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => SockRef::from(listener).listen(backlog),
            Self::Pipe(_) => Ok(()),
        }
    }

    /// The name of a pipe is no file.
    pub(crate) fn set_path(&mut self, _path: Option<&Path>) {}

    /// A connect never ends at once here, so there is never anything to accept because of one.
    pub(crate) fn accept_now(&self) -> Option<io::Result<Stream>> {
        None
    }

    /// As `accept_now`.
    pub(crate) fn accept_descriptor_now(&self) -> Option<OwnedDescriptor> {
        None
    }

    pub(crate) fn poll_accept_descriptor(&self, _cx: &mut Context<'_>) -> Poll<io::Result<OwnedDescriptor>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            // tokio's: an error leaves it ready, and is of a connection that was gone before it was accepted,
            // or of the moment.
            Self::Tcp(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Tcp(stream)),
            Self::Pipe(pipe) => pipe.poll_accept(cx),
        }
    }

    /// Whether a connection may wait in the backlog: only an accept shows that.
    pub(crate) fn poll_waiting(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// There is no reserve to do it with.
    pub(crate) fn refuse(&self, _most: usize) -> usize {
        0
    }
}

impl Descriptor for Acceptor {
    fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::Tcp(listener) => Some(SockRef::from(listener)),
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

    /// Besides the owner of a pipe, administrators and the system.
    fn open_to_all(&self, readable: bool, writable: bool) -> io::Result<()> {
        let Self::Pipe(pipe) = self else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        // All instances of a pipe share what is set on one.
        match pipe.waiting.lock().iter().find_map(Waiting::pipe) {
            Some(instance) => pipe_security::open_to_all(instance, readable, writable),
            None => Err(io::Error::from(io::ErrorKind::NotConnected)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_read_as_node_reads_it() {
        for (setting, wanted) in [
            (None, INSTANCES),
            (Some(""), INSTANCES),
            (Some("many"), INSTANCES),
            (Some("-3"), INSTANCES),
            (Some("7"), 7),
            (Some(" 12 instances"), 12),
            (Some("0"), 1),
        ] {
            assert_eq!(instances(setting), wanted, "{setting:?}");
        }
    }
}
