//! The reactor of one environment: its handles, and the calls from outside.
//!
//! One thread of the environment calls in (the JavaScript thread). Every handle has one task, which runs on whichever
//! thread turns the runtime (`driver.rs`). Sockets are made, bound, connected and closed on the calling thread, so that
//! errors and freed ports are seen at once, as libuv's callers see them; accepting, reading and the rest of a write
//! happen where the tasks run.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::task::Wake as _;

use parking_lot::Mutex;

use crate::connection::{Closing, Connection, Relayed, Taken, Told, Written};
use crate::driver::{Drive, Driver};
use crate::handle::HandleTable;
use crate::inbox::BlockPool;
use crate::listener::{Adopt, Listener};
use crate::options::BindFlags;
use crate::outbox::Outbox;
use crate::queue::{EventQueue, Wake};
use crate::state::Writing;
use crate::sys::{self, Acceptor, Idle, Spare, Stream};
use crate::task::RunQueue;
use crate::{Errno, Event, HandleId, Target, Transport};

/// What stands in the table.
#[derive(Debug)]
enum Entry {
    Idle(Idle),
    Connection(Arc<Connection>),
    Listener(Arc<Listener>),
    /// Its descriptor is closed; the slot is free when [`Event::Closed`] is delivered.
    Closed,
}

/// What a handle has open.
pub(crate) enum Descriptor<'a> {
    Idle(&'a Idle),
    Stream(&'a Stream),
    Acceptor(&'a Acceptor),
}

impl Descriptor<'_> {
    /// The number, or -1 where there is none.
    pub(crate) fn raw(&self) -> i32 {
        match self {
            Self::Idle(idle) => idle.raw(),
            Self::Stream(stream) => stream.raw(),
            Self::Acceptor(acceptor) => acceptor.raw(),
        }
    }
}

#[derive(Debug)]
struct Shared {
    table: Mutex<HandleTable<Entry>>,
    events: Arc<EventQueue>,
    blocks: Arc<BlockPool>,
    tasks: Arc<RunQueue>,
    outbox: Arc<Outbox>,
    driver: Driver,
    spare: Spare,
    listeners: Mutex<Vec<Arc<Listener>>>,
}

impl Shared {
    fn connection(&self, id: HandleId, stream: Stream, writing: Writing) -> Arc<Connection> {
        let events = Arc::clone(&self.events);
        let (tasks, outbox) = (Arc::clone(&self.tasks), Arc::clone(&self.outbox));
        Connection::new(
            id,
            stream,
            writing,
            tasks,
            outbox,
            events,
            Arc::clone(&self.blocks),
        )
    }

    /// Gives a connection its first turn.
    fn serve(connection: &Arc<Connection>) {
        Arc::clone(connection).wake();
    }

    fn insert_connection(&self, stream: Stream, writing: Writing) -> Result<Arc<Connection>, Errno> {
        let inserted = self.table.lock().insert_with(|id| {
            let connection = self.connection(id, stream, writing);
            (Entry::Connection(Arc::clone(&connection)), connection)
        });
        inserted.ok_or(Errno::ENFILE)
    }
}

impl Adopt for Shared {
    fn adopt(&self, stream: Stream) -> Result<HandleId, Errno> {
        let connection = self.insert_connection(stream, Writing::Open)?;
        Self::serve(&connection);
        Ok(connection.id())
    }

    fn abandon(&self, id: HandleId) {
        if let Some(Entry::Connection(connection)) = self.table.lock().remove(id) {
            connection.close(Closing::Reset);
        }
    }
}

/// The sockets of one environment. Calls come from one thread; [`Reactor::shutdown`] (or drop) ends the other.
#[derive(Debug)]
pub struct Reactor {
    shared: Arc<Shared>,
}

impl Reactor {
    /// Starts the reactor. `wake` is asked for one [`Reactor::next_event`] an event. The reactor's thread drives.
    ///
    /// # Errors
    /// When the system gives no thread or no poller.
    pub fn start(wake: Box<dyn Wake>) -> io::Result<Self> {
        Self::start_driven(wake, Drive::Thread)
    }

    /// Starts the reactor of a consumer that says where its loop is ([`Reactor::poll_begins`] and what follows it), and
    /// takes all events that are there at once. The loop drives as far as `drive` and [`Reactor::poller`] say.
    ///
    /// # Errors
    /// As [`Reactor::start`].
    pub fn start_in_loop(wake: Box<dyn Wake>, drive: Drive) -> io::Result<Self> {
        let reactor = Self::start_driven(wake, drive)?;
        reactor.shared.events.keep_turns();
        Ok(reactor)
    }

    fn start_driven(wake: Box<dyn Wake>, drive: Drive) -> io::Result<Self> {
        let events = Arc::new(EventQueue::new(wake));
        let (tasks, outbox) = (Arc::new(RunQueue::default()), Outbox::new());
        let driver = Driver::start(
            Arc::clone(&tasks),
            Arc::clone(&outbox),
            Arc::clone(&events),
            drive,
        )?;
        let shared = Arc::new(Shared {
            table: Mutex::new(HandleTable::new()),
            events,
            blocks: Arc::default(),
            tasks,
            outbox,
            driver,
            spare: Spare::default(),
            listeners: Mutex::default(),
        });
        Ok(Self { shared })
    }

    /// Closes every handle and ends the thread; comes back when it has ended. Calls that come later find no handle.
    pub fn shutdown(&self) {
        self.shared.driver.stop();
        let entries = self.shared.table.lock().drain();
        for entry in entries {
            self.close_entry(entry, Closing::Orderly);
        }
    }

    /// Nothing is made any more once the thread has ended.
    fn running(&self) -> Result<(), Errno> {
        if self.shared.driver.is_running() {
            Ok(())
        } else {
            Err(Errno::ECANCELED)
        }
    }

    /// Takes the oldest event. Answer each call of [`Wake::wake`]'s deliveries with one, or, for a consumer that keeps
    /// turns, as many as [`Reactor::turn`], [`Reactor::completed`] and [`Reactor::poll_ended`] say.
    pub fn next_event(&self) -> Option<Event> {
        self.shared.driver.beat();
        loop {
            let event = self.shared.events.pop()?;
            match event {
                Event::Closed { id } => self.free(id),
                // libuv asks for the error when it tells. A peer that has reset the connection since has refused it.
                Event::Connected { id, result: Ok(()) } if self.knows(id) => {
                    let result = self.stream(id).map_or(Ok(()), |connection| connection.confirm());
                    return Some(Event::Connected { id, result });
                }
                // It was closed and told meanwhile, and its slot may be another's.
                _ if !self.knows(event.id()) => continue,
                _ => {}
            }
            return Some(event);
        }
    }

    fn knows(&self, id: HandleId) -> bool {
        self.shared.table.lock().get(id).is_some()
    }

    /// In the closing phase of a consumer that keeps turns: takes the next last event.
    pub fn next_closed(&self) -> Option<Event> {
        let event = self.shared.events.pop_closed()?;
        self.free(event.id());
        Some(event)
    }

    /// Frees the slot of a handle that is closed and told.
    fn free(&self, id: HandleId) {
        let mut table = self.shared.table.lock();
        if let Some(Entry::Closed) = table.get(id) {
            table.remove(id);
        }
    }

    /// How many handles there are, closed ones that were not told yet among them.
    pub fn handles(&self) -> usize {
        self.shared.table.lock().len()
    }

    // ---- the turns of the caller's loop, if it has one and says so

    /// The caller's loop calls [`Reactor::turn`] whenever this descriptor is readable. `None` where it can't: the
    /// reactor's thread drives then.
    pub fn poller(&self) -> Option<i32> {
        self.shared.driver.poller()
    }

    /// The poller is readable: turns the runtime on the calling thread, without waiting. Answers how many events there
    /// are to take now.
    pub fn turn(&self) -> usize {
        if self.shared.driver.turn() {
            let events = self.shared.events.deliverable();
            self.shared.driver.turned(events);
            events
        } else {
            0
        }
    }

    /// Whether the poller is to be watched. Not while the reactor's thread drives for relays alone.
    pub fn wants_turns(&self) -> bool {
        !self.shared.driver.is_entrusted()
    }

    /// The consumer was rung for: what the reactor's thread has told until now is to be taken at the end of this poll
    /// phase, and what it tells from now on in the next.
    pub fn rung(&self) {
        self.shared.events.deliverable();
    }

    /// The loop is about to ask the kernel for events. Answers whether it must not sleep, because there is something
    /// to do when it has.
    pub fn poll_begins(&self) -> bool {
        self.shared.driver.poll_begins();
        self.shared.events.poll_begins() || self.shared.driver.has_due()
    }

    /// How many ends of calls there are to take now. libuv has them in its pending queue, which it runs before it polls
    /// and again, a few times, right after.
    pub fn completed(&self) -> usize {
        self.shared.events.completed()
    }

    /// The loop has run the callbacks of what it was told. Answers how many events are to be taken before it goes on.
    pub fn poll_ended(&self) -> usize {
        self.shared.events.poll_ended()
    }

    /// A batch of events is about to be told: what is written meanwhile is kept for its end.
    pub fn hold_writes(&self) {
        self.shared.outbox.hold(true);
    }

    /// The batch is told. What was kept is sent, by this thread or, while it drives, by the reactor's.
    pub fn release_writes(&self) {
        self.shared.outbox.hold(false);
        if self.shared.outbox.is_empty() {
            return;
        }
        if self.shared.driver.is_thread_driving() {
            self.shared.outbox.hand_over();
        } else {
            self.shared.outbox.send();
        }
    }

    // ---- making handles

    fn insert(&self, idle: Idle) -> Result<HandleId, Errno> {
        self.running()?;
        self.shared
            .table
            .lock()
            .insert_with(|id| (Entry::Idle(idle), id))
            .ok_or(Errno::ENFILE)
    }

    /// Makes a TCP socket and binds it.
    ///
    /// # Errors
    /// What `socket(2)`, `setsockopt(2)` or `bind(2)` say.
    pub fn bind_tcp(&self, address: &SocketAddr, flags: BindFlags) -> Result<HandleId, Errno> {
        self.insert(sys::bind_tcp(address, flags)?)
    }

    /// Makes a local socket and binds it to a path, or to an abstract name (leading NUL, Linux).
    ///
    /// # Errors
    /// [`Errno::EACCES`] for a directory that is not there (as libuv), [`Errno::EINVAL`] for a path too long, else
    /// what the system says.
    pub fn bind_local(&self, path: &str) -> Result<HandleId, Errno> {
        self.insert(sys::bind_local(path)?)
    }

    /// Takes over a descriptor; it is made non-blocking and closed with the handle.
    ///
    /// # Errors
    /// [`Errno::EBADF`] when it is not open, [`Errno::ENOTSUP`] where descriptors can't be adopted.
    pub fn open(&self, fd: i32, transport: Transport) -> Result<HandleId, Errno> {
        self.insert(sys::adopt(fd, transport)?)
    }

    /// Begins to listen on a bound or adopted handle.
    ///
    /// # Errors
    /// What `listen(2)` says; the handle is still there. [`Errno::EINVAL`] for one that can't listen.
    pub fn listen(&self, id: HandleId, backlog: i32) -> Result<(), Errno> {
        let mut table = self.shared.table.lock();
        let entry = table.get_mut(id).ok_or(Errno::EBADF)?;
        match entry {
            Entry::Idle(idle) => idle.listen(backlog)?,
            Entry::Listener(listener) => {
                let listener = Arc::clone(listener);
                drop(table);
                return listener.listen(backlog);
            }
            Entry::Closed => return Err(Errno::EBADF),
            Entry::Connection(_) => return Err(Errno::EINVAL),
        }
        let Entry::Idle(idle) = std::mem::replace(entry, Entry::Closed) else {
            return Err(Errno::EINVAL);
        };
        let _entered = self.shared.driver.enter();
        let acceptor = idle.into_acceptor(&self.shared.spare)?;
        let connections: Weak<dyn Adopt> = Arc::downgrade(&self.shared) as Weak<dyn Adopt>;
        let tasks = Arc::clone(&self.shared.tasks);
        let events = Arc::clone(&self.shared.events);
        let listener = Listener::new(id, acceptor, backlog, connections, tasks, events);
        *entry = Entry::Listener(Arc::clone(&listener));
        drop(table);
        self.shared.listeners.lock().push(Arc::clone(&listener));
        listener.wake();
        Ok(())
    }

    /// Makes a TCP socket.
    ///
    /// # Errors
    /// What `socket(2)` says.
    pub fn tcp_socket(&self, ipv6: bool) -> Result<HandleId, Errno> {
        self.insert(sys::tcp_socket(ipv6)?)
    }

    /// Makes a local socket.
    ///
    /// # Errors
    /// What `socket(2)` says.
    pub fn local_socket(&self) -> Result<HandleId, Errno> {
        self.insert(sys::local_socket()?)
    }

    /// Begins to connect a socket that was made, bound or adopted. [`Event::Connected`] tells how it ended.
    ///
    /// # Errors
    /// [`Errno::EALREADY`] and [`Errno::EISCONN`] for a handle that is connecting or connected, [`Errno::EINVAL`] for
    /// a path too long; over TCP what `connect(2)` says at once (an unreachable network). A refused connection, and all that a
    /// local connect fails with, is told by the event. After an error the handle is what it was.
    pub fn connect(&self, id: HandleId, to: &Target<'_>) -> Result<(), Errno> {
        self.running()?;
        let mut table = self.shared.table.lock();
        let entry = table.get_mut(id).ok_or(Errno::EBADF)?;
        let ended = match entry {
            Entry::Idle(idle) => idle.begin_connect(to)?,
            Entry::Connection(connection) if connection.is_connecting() => return Err(Errno::EALREADY),
            // As everything that a local connect fails with.
            Entry::Connection(_) if matches!(to, Target::Local(_)) => {
                let result = Err(Errno::EISCONN);
                self.shared.events.push_completed(Event::Connected { id, result });
                return Ok(());
            }
            Entry::Connection(_) => return Err(Errno::EISCONN),
            Entry::Listener(_) => return Err(Errno::EINVAL),
            Entry::Closed => return Err(Errno::EBADF),
        };
        let connection = self.begin_stream(id, entry, Writing::Connecting)?;
        drop(table);
        match ended {
            Some(Err(error)) => connection.connect_failed(error.into()),
            Some(Ok(())) if self.accept_own(to) => connection.connected(Told::Now),
            // A listener of this process may be another's (an http server of Node's): it hears of its connection in
            // the coming poll, and first.
            Some(Ok(())) => connection.connected(Told::AfterPoll),
            None => {}
        }
        Shared::serve(&connection);
        Ok(())
    }

    /// A connect that ended at once may have ended at a listener of this very reactor. Its connection is told before
    /// the connect is, as epoll finds the two: a program that closes its server in the client's `connect` has it.
    /// Answers whether there is such a listener.
    fn accept_own(&self, to: &Target<'_>) -> bool {
        let reached: Vec<_> = {
            let listeners = self.shared.listeners.lock();
            listeners
                .iter()
                .filter(|listener| listener.is_reached_by(to))
                .map(Arc::clone)
                .collect()
        };
        let _entered = self.shared.driver.enter();
        for listener in &reached {
            listener.accept_now();
        }
        !reached.is_empty()
    }

    /// Makes a stream of an idle entry.
    fn begin_stream(
        &self,
        id: HandleId,
        entry: &mut Entry,
        writing: Writing,
    ) -> Result<Arc<Connection>, Errno> {
        let Entry::Idle(idle) = std::mem::replace(entry, Entry::Closed) else {
            return Err(Errno::EBADF);
        };
        let _entered = self.shared.driver.enter();
        let connection = self.shared.connection(id, idle.into_stream()?, writing);
        *entry = Entry::Connection(Arc::clone(&connection));
        Ok(connection)
    }

    /// Answers one [`Event::Connection`].
    pub fn accept(&self, listener: HandleId) -> Option<HandleId> {
        let listener = match self.shared.table.lock().get(listener) {
            Some(Entry::Listener(listener)) => Arc::clone(listener),
            _ => return None,
        };
        listener.accept()
    }

    // ---- streams

    /// Finds a stream; an adopted descriptor becomes one with its first use.
    fn stream(&self, id: HandleId) -> Result<Arc<Connection>, Errno> {
        let mut table = self.shared.table.lock();
        let entry = table.get_mut(id).ok_or(Errno::EBADF)?;
        match entry {
            Entry::Connection(connection) => return Ok(Arc::clone(connection)),
            Entry::Idle(_) => {}
            Entry::Listener(_) => return Err(Errno::ENOTCONN),
            Entry::Closed => return Err(Errno::EBADF),
        }
        let Entry::Idle(idle) = std::mem::replace(entry, Entry::Closed) else {
            return Err(Errno::EBADF);
        };
        let _entered = self.shared.driver.enter();
        let connection = self.shared.connection(id, idle.into_stream()?, Writing::Open);
        *entry = Entry::Connection(Arc::clone(&connection));
        drop(table);
        Shared::serve(&connection);
        Ok(connection)
    }

    /// Lets bytes flow: [`Event::Readable`] tells of them.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle, [`Errno::ENOTCONN`] for a listener.
    pub fn read_start(&self, id: HandleId) -> Result<(), Errno> {
        self.stream(id)?.read_start();
        Ok(())
    }

    /// Stops them; what was read stays for the next [`Reactor::read_start`].
    ///
    /// # Errors
    /// As [`Reactor::read_start`].
    pub fn read_stop(&self, id: HandleId) -> Result<(), Errno> {
        let connection = match self.shared.table.lock().get(id).ok_or(Errno::EBADF)? {
            Entry::Connection(connection) => Arc::clone(connection),
            // Nothing is read from it as long as it is not used as a stream.
            Entry::Idle(_) => return Ok(()),
            Entry::Listener(_) => return Err(Errno::ENOTCONN),
            Entry::Closed => return Err(Errno::EBADF),
        };
        connection.read_stop();
        Ok(())
    }

    /// Answers one [`Event::Readable`]: what was read before, else what can be read into `space` now. `None` when there
    /// is nothing to tell: the handle was stopped or closed meanwhile.
    pub fn take(&self, id: HandleId, space: &mut [MaybeUninit<u8>]) -> Option<Taken> {
        let connection = match self.shared.table.lock().get(id) {
            Some(Entry::Connection(connection)) => Arc::clone(connection),
            _ => return None,
        };
        connection.take(space)
    }

    /// Announces once more what a [`Taken::more`] has told of, behind what others have to tell.
    pub fn take_later(&self, id: HandleId) {
        if let Some(Entry::Connection(connection)) = self.shared.table.lock().get(id) {
            connection.take_later();
        }
    }

    /// Sends `chunks`, in order: at once as far as the kernel takes them, else behind what waits.
    ///
    /// # Errors
    /// What the system says; nothing was taken then. [`Errno::EPIPE`] after [`Reactor::shutdown_write`].
    pub fn write(&self, id: HandleId, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        self.stream(id)?.write(chunks)
    }

    /// Bytes that were accepted and that the kernel has not taken.
    pub fn write_queue_size(&self, id: HandleId) -> usize {
        match self.shared.table.lock().get(id) {
            Some(Entry::Connection(connection)) => connection.write_queue_size(),
            _ => 0,
        }
    }

    /// Bytes that were read and not taken. At most the credit of a connection and one read: 320 KiB.
    pub fn read_queue_size(&self, id: HandleId) -> usize {
        match self.shared.table.lock().get(id) {
            Some(Entry::Connection(connection)) => connection.read_queue_size(),
            _ => 0,
        }
    }

    /// Sends on `destination` what `source` receives, which has to be flowing, until [`Reactor::stop_relay`]. No
    /// [`Event::Readable`] tells of it; one tells of the end. [`Event::Broken`] tells of a failure of `destination`.
    ///
    /// # Errors
    /// [`Errno::EPIPE`] when `destination` takes no bytes, [`Errno::EALREADY`] when `source` is not flowing or has a relay.
    pub fn relay(&self, source: HandleId, destination: HandleId) -> Result<(), Errno> {
        self.stream(source)?.relay(&self.stream(destination)?)
    }

    /// Ends the relay of `source`: when it returns, no more bytes are moved. What was read goes out before what is
    /// written from now on. Answers what the relay has done, also when it has ended by itself.
    pub fn stop_relay(&self, source: HandleId) -> Relayed {
        self.existing(source)
            .map(|connection| connection.stop_relay())
            .unwrap_or_default()
    }

    /// What the last relay of `source` has done.
    pub fn relayed(&self, source: HandleId) -> Relayed {
        self.existing(source)
            .map(|connection| connection.relayed())
            .unwrap_or_default()
    }

    /// How many relays there are.
    pub fn relays(&self) -> usize {
        let relaying =
            |entry: &&Entry| matches!(entry, Entry::Connection(connection) if connection.is_relaying());
        self.shared.table.lock().values().filter(relaying).count()
    }

    fn existing(&self, id: HandleId) -> Option<Arc<Connection>> {
        match self.shared.table.lock().get(id) {
            Some(Entry::Connection(connection)) => Some(Arc::clone(connection)),
            _ => None,
        }
    }

    /// Sends FIN behind what waits. [`Event::ShutDown`] tells when.
    ///
    /// # Errors
    /// [`Errno::ENOTCONN`] when the stream is not connected or has sent it, [`Errno::EBADF`] when it is closed.
    pub fn shutdown_write(&self, id: HandleId) -> Result<(), Errno> {
        self.stream(id)?.shutdown()
    }

    // ---- the end

    /// Closes the descriptor before it returns. The id stays taken until the [`Event::Closed`] that
    /// [`Reactor::tell_closed`] asks for is delivered.
    ///
    /// # Errors
    /// For a reset, what setting `SO_LINGER` says; nothing is closed then.
    pub fn close(&self, id: HandleId, closing: Closing) -> Result<(), Errno> {
        let entry = match self.shared.table.lock().get_mut(id) {
            Some(entry) => std::mem::replace(entry, Entry::Closed),
            None => return Err(Errno::EBADF),
        };
        self.close_entry(entry, closing);
        Ok(())
    }

    fn close_entry(&self, entry: Entry, closing: Closing) {
        match entry {
            Entry::Connection(connection) => connection.close(closing),
            Entry::Listener(listener) => {
                self.shared
                    .listeners
                    .lock()
                    .retain(|other| !Arc::ptr_eq(other, &listener));
                listener.close();
            }
            Entry::Idle(_) | Entry::Closed => {}
        }
    }

    /// Queues the last event of a closed handle. For an id that names no closed handle it is just an event.
    pub fn tell_closed(&self, id: HandleId) {
        self.shared.events.push_closed(Event::Closed { id });
    }

    /// Runs `f` on what the handle has open. The table is not locked meanwhile: a listener's task, which holds its
    /// acceptor, waits for the table when it makes a connection.
    pub(crate) fn with_descriptor<R>(
        &self,
        id: HandleId,
        f: impl FnOnce(Descriptor<'_>) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let table = self.shared.table.lock();
        match table.get(id).ok_or(Errno::EBADF)? {
            Entry::Idle(idle) => f(Descriptor::Idle(idle)),
            Entry::Connection(connection) => {
                let connection = Arc::clone(connection);
                drop(table);
                connection.with_stream(|stream| f(Descriptor::Stream(stream)))
            }
            Entry::Listener(listener) => {
                let listener = Arc::clone(listener);
                drop(table);
                listener.with_acceptor(|acceptor| f(Descriptor::Acceptor(acceptor)))
            }
            Entry::Closed => Err(Errno::EBADF),
        }
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.shutdown();
    }
}
