//! The making of handles: sockets new, bound or adopted, listeners, connections made and accepted.
//!
//! An unregistered socket becomes a listener or a connection in its place in the table: its id stays.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::task::Wake as _;

use ferronet_core::handles::HandleId;
use ferronet_core::state::Writing;

use crate::event::event::Event;
use crate::listener::{Adopt, Incoming, Listener};
use crate::socket::errno::Errno;
use crate::stream::Connection;
use crate::sys::{
    self, Acceptor, Descriptor as _, LocalAccess, SocketOptions, Stream, Target, Transport,
    UnregisteredSocket,
};

use super::endpoint::Endpoint;
use super::entry::Entry;
use super::reactor::Reactor;
use super::shared::Shared;
use super::unregistered::Unregistered;

/// Opens a TCP socket and sets its options. An option that the system refuses is left as the system has it:
/// nothing is connected that could fail for it, and a socket can be used without.
fn open_tcp(ipv6: bool, options: &SocketOptions) -> Result<UnregisteredSocket, Errno> {
    let unregistered = sys::tcp_socket(ipv6)?;
    if let Some(socket) = unregistered.socket() {
        let _refused = sys::set_options(&socket, options);
    }
    Ok(unregistered)
}

impl Reactor {
    fn insert(&self, socket: UnregisteredSocket) -> Result<HandleId, Errno> {
        Ok(self.insert_unregistered(Unregistered::new(socket, false))?.0)
    }

    pub(super) fn insert_unregistered(
        &self,
        unregistered: Unregistered,
    ) -> Result<(HandleId, Arc<Unregistered>), Errno> {
        self.running()?;
        let unregistered = Arc::new(unregistered);
        let entry = Entry::Unregistered(Arc::clone(&unregistered));
        let inserted = self.shared.table.lock().insert_with(|id| (entry, id));
        Ok((inserted.ok_or(Errno::ENFILE)?, unregistered))
    }

    /// Makes a TCP socket with options, and binds it.
    ///
    /// # Errors
    /// What `socket(2)`, `setsockopt(2)` (of the options of the address) or `bind(2)` say.
    pub fn bind_tcp(&self, address: &SocketAddr, options: &SocketOptions) -> Result<HandleId, Errno> {
        let unregistered = open_tcp(address.is_ipv6(), options)?;
        unregistered.bind(address, options.address)?;
        self.insert(unregistered)
    }

    /// Makes a local socket and binds it to a path, or to an abstract name (leading NUL, Linux), for the
    /// users that `access` names.
    ///
    /// # Errors
    /// [`Errno::EACCES`] for a directory that is not there (as libuv), [`Errno::EINVAL`] for a path too long,
    /// else what the system says.
    pub fn bind_local(&self, path: &str, access: LocalAccess) -> Result<HandleId, Errno> {
        self.insert(sys::bind_local(path, access)?)
    }

    /// Takes over a descriptor: it is made non-blocking, and closed with the handle unless it is 0, 1 or 2,
    /// which stay the process's. If another handle of this process has the number ([`Reactor::holder_of`]
    /// knows those of this reactor), this one gets a duplicate with a number of its own, so that neither
    /// closes what the other has.
    ///
    /// # Errors
    /// [`Errno::EBADF`] when it is not open, [`Errno::ENOTSUP`] where descriptors can't be adopted, what
    /// `fcntl(2)` says of a duplicate. The descriptor is still the caller's then.
    pub fn open(&self, fd: i32, transport: Transport) -> Result<HandleId, Errno> {
        self.running()?;
        self.insert(sys::adopt(fd, transport)?)
    }

    /// Has a listener accept a connection when an [`Event::Connection`](crate::Event::Connection) is
    /// answered, and none before. Default: threads that drive accept ahead of the consumer, as many as the
    /// backlog holds.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a handle that does not listen.
    pub fn accept_on_demand(&self, id: HandleId) -> Result<(), Errno> {
        self.listener(id)?.accept_on_demand_only();
        Ok(())
    }

    /// Has a handle that listens, or will, give the descriptors of its connections, for another owner, and
    /// accept each when an [`Event::Connection`](crate::Event::Connection) is answered.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle, [`Errno::EINVAL`] for one that can't listen, [`Errno::ENOTSUP`]
    /// where connections have no descriptors.
    pub fn give_descriptors(&self, id: HandleId) -> Result<(), Errno> {
        if !sys::GIVES_DESCRIPTORS {
            return Err(Errno::ENOTSUP);
        }
        match self.entry(id)?.unregistered() {
            Some(unregistered) => unregistered.give_descriptors(),
            None => self.listener(id)?.give_descriptors(),
        }
        Ok(())
    }

    /// Begins to listen on a bound or adopted handle.
    ///
    /// # Errors
    /// What `listen(2)` says; the handle is still there. [`Errno::EINVAL`] for one that can't listen.
    pub fn listen(&self, id: HandleId, backlog: i32) -> Result<(), Errno> {
        let entry = self.entry(id)?;
        let Some(unregistered) = entry.unregistered() else {
            return entry.endpoint()?.listen_again(backlog);
        };
        unregistered.with(|socket| socket.listen(backlog))?;
        self.begin_listening(id, unregistered, backlog)?;
        Ok(())
    }

    /// Makes a listener of a socket that listens.
    pub(super) fn begin_listening(
        &self,
        id: HandleId,
        unregistered: &Unregistered,
        backlog: i32,
    ) -> Result<Arc<Listener>, Errno> {
        let shard = self.running()?.shards.first();
        let _entered = shard.enter();
        let acceptor = unregistered.register(|socket| Acceptor::register(socket, &self.shared.spare))?;
        let connections: Weak<dyn Adopt> = Arc::downgrade(&self.shared) as Weak<dyn Adopt>;
        let events = Arc::clone(&self.shared.events);
        let listener = Listener::new(id, acceptor, backlog, connections, Arc::clone(shard), events);
        if unregistered.is_shared() {
            listener.set_shared(true);
        }
        if unregistered.gives_descriptors() {
            listener.give_descriptors();
        }
        self.shared.replace(id, Entry::Listener(Arc::clone(&listener)));
        self.shared.listeners.lock().push(Arc::clone(&listener));
        Arc::clone(&listener).wake();
        Ok(listener)
    }

    /// Makes a TCP socket with options. It is not bound, so those of the address are not set.
    ///
    /// # Errors
    /// What `socket(2)` says.
    pub fn tcp_socket(&self, ipv6: bool, options: &SocketOptions) -> Result<HandleId, Errno> {
        self.insert(open_tcp(ipv6, options)?)
    }

    /// Makes a local socket.
    ///
    /// # Errors
    /// What `socket(2)` says.
    pub fn local_socket(&self) -> Result<HandleId, Errno> {
        self.insert(sys::local_socket()?)
    }

    /// A handle of a socket that could not be made: nothing is open, and an [`Event::Connected`] reports
    /// `errno`.
    ///
    /// # Errors
    /// [`Errno::ENFILE`] when there are too many handles.
    pub fn failed_connect(&self, errno: Errno) -> Result<HandleId, Errno> {
        let inserted = self.shared.table.lock().insert_with(|id| (Entry::Closed, id));
        let id = inserted.ok_or(Errno::ENFILE)?;
        let result = Err(errno);
        self.shared.events.push_pending(Event::Connected { id, result });
        Ok(id)
    }

    /// Begins to connect a socket that was made, bound or adopted. [`Event::Connected`] reports how it ended.
    ///
    /// # Errors
    /// [`Errno::EALREADY`] and [`Errno::EISCONN`] for a handle that is connecting or connected,
    /// [`Errno::EINVAL`] for a path too long; over TCP what `connect(2)` says at once (an unreachable
    /// network). A refused connection, and all that a local connect fails with, is reported by the event.
    /// After an error the handle is what it was.
    pub fn connect(&self, id: HandleId, to: &Target<'_>) -> Result<(), Errno> {
        self.running()?;
        let entry = self.entry(id)?;
        let Some(unregistered) = entry.unregistered() else {
            return self.refuse_connect(id, &*entry.endpoint()?, to);
        };
        let ended = unregistered.with(|socket| socket.begin_connect(to))?;
        let connection = self.begin_stream(id, unregistered, Writing::Connecting)?;
        match ended {
            Some(Err(error)) => connection.connect_failed(to.transport(), error.into()),
            Some(Ok(())) => {
                self.accept_own(to);
                connection.connected();
            }
            None => {}
        }
        Shared::serve(&connection);
        Ok(())
    }

    /// The end of a connect that does not begin.
    fn refuse_connect(&self, id: HandleId, endpoint: &dyn Endpoint, to: &Target<'_>) -> Result<(), Errno> {
        match endpoint.connect_error() {
            Errno::EISCONN if to.transport().defers_connect_errors() => {
                let result = Err(Errno::EISCONN);
                self.shared.events.push_pending(Event::Connected { id, result });
                Ok(())
            }
            error => Err(error),
        }
    }

    /// A connect that ended at once may have reached a listener of this reactor. Its connection is then
    /// reported before the connect is, as epoll reports the two: a program that closes its server in the
    /// client's `connect` has accepted it.
    fn accept_own(&self, to: &Target<'_>) {
        let reached: Vec<_> = {
            let listeners = self.shared.listeners.lock();
            listeners
                .iter()
                .filter(|listener| listener.is_reached_by(to))
                .map(Arc::clone)
                .collect()
        };
        for listener in reached {
            listener.accept_now();
        }
    }

    /// Makes a stream of an unregistered socket.
    pub(super) fn begin_stream(
        &self,
        id: HandleId,
        unregistered: &Unregistered,
        writing: Writing,
    ) -> Result<Arc<Connection>, Errno> {
        let shard = self.running()?.shards.next();
        let _entered = shard.enter();
        let stream = unregistered.register(Stream::register)?;
        let connection = self.shared.connection(id, stream, writing, shard);
        if unregistered.is_shared() {
            connection.set_shared(true);
        }
        self.shared
            .replace(id, Entry::Connection(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Takes the next connection, after an [`Event::Connection`]. Ask again until there is none, or call
    /// [`Reactor::accept_later`]: until then no connection of this listener is reported.
    pub fn accept(&self, listener: HandleId) -> Option<Incoming> {
        self.listener(listener).ok()?.accept()
    }

    /// Reports the connections that are left in a later turn of the caller's loop.
    pub fn accept_later(&self, listener: HandleId) {
        if let Ok(listener) = self.listener(listener) {
            listener.accept_later();
        }
    }

    /// Whether the caller is to take one connection in a turn of its loop, and then to call
    /// [`Reactor::accept_later`].
    pub fn accepts_one_a_turn(&self, listener: HandleId) -> bool {
        self.listener(listener)
            .is_ok_and(|listener| listener.accepts_one_a_turn())
    }

    pub(crate) fn listener(&self, id: HandleId) -> Result<Arc<Listener>, Errno> {
        let table = self.shared.table.lock();
        let listener = table.get(id).and_then(Entry::listener);
        listener.map(Arc::clone).ok_or(Errno::EINVAL)
    }
}
