//! The reactor of one environment: its handles, and the calls from outside.
//!
//! One thread of the environment calls in (the JavaScript thread). Every handle has one task, which runs on whichever
//! thread turns the runtime (`driver.rs`). Sockets are made, bound, connected and closed on the calling thread, so that
//! errors and freed ports are seen at once, as libuv's callers see them; accepting, reading and the rest of a write
//! happen where the tasks run.
//!
//! Here it is made, tells its events and ends. `handles.rs` makes sockets of every kind, `streams.rs` uses those that are
//! connected, `turns.rs` is for a caller who turns the runtime in a loop of its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Wake as _;

use parking_lot::Mutex;

use crate::drive::driver::{Drive, Driver};
use crate::drive::shard::{Shard, Shards};
use crate::drive::thread::Thread;
use crate::event::queue::EventQueue;
use crate::event::wake::Wake;
use crate::listener::{Adopt, Listener};
use crate::stream::{Closing, Connection};
use crate::sys::{Acceptor, Idle, Refused, Spare, Stream};
use crate::{Errno, Event, HandleId};
use ferronet_core::handles::HandleTable;
use ferronet_core::state::Writing;

use super::exit;

/// What stands in the table.
#[derive(Debug)]
pub(super) enum Entry {
    Idle {
        idle: Idle,
        /// What it becomes has another owner as well.
        shared: bool,
    },
    Connection(Arc<Connection>),
    Listener(Arc<Listener>),
    /// Its descriptor is closed; the slot is free when [`Event::Closed`] is delivered.
    Closed,
}

impl Entry {
    /// Makes something else of an idle entry, which may be shared. After an error it is what it was, or closed where the system has closed it.
    ///
    /// # Errors
    /// `EBADF` for any other entry, which is left alone; what `make` says.
    pub(super) fn advance<R>(
        &mut self,
        make: impl FnOnce(Idle, bool) -> Result<(Self, R), Refused>,
    ) -> Result<R, Errno> {
        let (idle, shared) = match std::mem::replace(self, Self::Closed) {
            Self::Idle { idle, shared } => (idle, shared),
            other => {
                *self = other;
                return Err(Errno::EBADF);
            }
        };
        match make(idle, shared) {
            Ok((entry, result)) => {
                *self = entry;
                Ok(result)
            }
            Err(Refused { left, error }) => {
                if let Some(idle) = left {
                    *self = Self::Idle { idle, shared };
                }
                Err(error.into())
            }
        }
    }
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

/// Who is to turn the runtimes, and how many there are to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    drive: Drive,
    pub(super) sleep: Sleep,
    threads: usize,
}

/// What takes descriptors and threads.
#[derive(Debug)]
pub(super) struct Runtimes {
    pub(super) shards: Shards,
    driver: Driver,
    /// Those beside the driver's.
    threads: Vec<Thread>,
}

impl Runtimes {
    fn start(plan: Plan, events: &Arc<EventQueue>) -> io::Result<Self> {
        let driver = Driver::start(Arc::clone(events), plan.drive, plan.threads <= 1)?;
        let threads = (1..plan.threads)
            .map(|_| Thread::start(events))
            .collect::<io::Result<Vec<_>>>()?;
        let others = threads.iter().map(|thread| Arc::clone(thread.shard()));
        let shards = Shards::new(Arc::clone(driver.shard()), others);
        Ok(Self {
            shards,
            driver,
            threads,
        })
    }

    /// Ends the threads; comes back when all have ended.
    fn stop(&self) {
        for thread in &self.threads {
            thread.ask_to_stop();
        }
        self.driver.stop();
        for thread in &self.threads {
            thread.stop();
        }
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) table: Mutex<HandleTable<Entry>>,
    pub(super) events: Arc<EventQueue>,
    pub(super) plan: Plan,
    /// Started with the first handle.
    pub(super) runtimes: OnceLock<Runtimes>,
    /// None are started any more.
    ended: AtomicBool,
    pub(super) spare: Spare,
    pub(super) listeners: Mutex<Vec<Arc<Listener>>>,
    /// Connections whose handles are closed and which send first what was reported as written. Those that have done so
    /// are dropped when another one comes.
    pub(super) lingering: Mutex<Vec<Arc<Connection>>>,
}

impl Shared {
    /// A connection over a stream that is registered in `shard`.
    pub(super) fn connection(
        &self,
        id: HandleId,
        stream: Stream,
        writing: Writing,
        shard: &Arc<Shard>,
    ) -> Arc<Connection> {
        if let Some(runtimes) = self.runtimes.get() {
            runtimes.shards.give();
        }
        Connection::new(id, stream, writing, Arc::clone(shard), Arc::clone(&self.events))
    }

    /// As `connection`, with a handle of its own.
    pub(super) fn insert_connection(
        &self,
        stream: Stream,
        writing: Writing,
        shard: &Arc<Shard>,
    ) -> Result<Arc<Connection>, Errno> {
        let inserted = self.table.lock().insert_with(|id| {
            let connection = self.connection(id, stream, writing, shard);
            (Entry::Connection(Arc::clone(&connection)), connection)
        });
        inserted.ok_or(Errno::ENFILE)
    }

    /// Gives a connection its first turn.
    pub(super) fn serve(connection: &Arc<Connection>) {
        Arc::clone(connection).wake();
    }

    fn close(&self, connection: &Arc<Connection>, closing: Closing) {
        if connection.close(closing) {
            let mut lingering = self.lingering.lock();
            lingering.retain(|other| other.is_lingering());
            lingering.push(Arc::clone(connection));
        }
    }

    /// The runtimes, for making a handle. On the consumer's thread, which is the one that the driver knows as such.
    fn running(&self) -> Result<&Runtimes, Errno> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(Errno::ECANCELED);
        }
        if let Some(running) = self.runtimes.get() {
            return Ok(running);
        }
        let started = Runtimes::start(self.plan, &self.events)?;
        let running = self.runtimes.get_or_init(|| started);
        if self.plan.sleep == Sleep::Outside {
            // For a loop that may be asleep, and does not know their poller.
            self.events.wake_consumer();
        }
        Ok(running)
    }

    fn stop(&self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(runtimes) = self.runtimes.get() {
            runtimes.stop();
        }
    }
}

impl Adopt for Shared {
    fn next_shard(&self) -> &Arc<Shard> {
        let runtimes = self.runtimes.get();
        runtimes.expect("a listener was made when they ran").shards.next()
    }

    fn adopt(&self, stream: Stream, shard: &Arc<Shard>) -> Result<HandleId, Errno> {
        let connection = self.insert_connection(stream, Writing::Open, shard)?;
        Self::serve(&connection);
        Ok(connection.id())
    }

    fn abandon(&self, id: HandleId) {
        let mut table = self.table.lock();
        let Some(Entry::Connection(connection)) = table.get(id) else {
            return;
        };
        let connection = Arc::clone(connection);
        table.remove(id);
        drop(table);
        self.close(&connection, Closing::Reset);
    }
}

/// Where the loop of a consumer that says where it is sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sleep {
    /// In its turns, and nothing of the consumer's runs outside of them.
    #[default]
    Inside,
    /// It is embedded in another loop, which sleeps for it, has it take a turn without waiting when its descriptors have
    /// news, and runs the consumer between those turns as well.
    Outside,
}

/// The sockets of one environment. Calls come from one thread; [`Reactor::shutdown`] (or drop) ends the others.
#[derive(Debug)]
pub struct Reactor {
    pub(super) shared: Arc<Shared>,
    /// Whether a batch keeps what is written: it would be sent even at the exit of the process.
    pub(super) keeps_writes: bool,
}

impl Reactor {
    /// A reactor whose threads start with the first handle. `wake` is asked for one [`Reactor::next_event`] an event. The
    /// reactor's thread drives, or, if `threads` are more than 1, so many do, each with a part of the connections; 0
    /// counts as 1.
    pub fn new(wake: Box<dyn Wake>, threads: usize) -> Self {
        let plan = Plan {
            drive: Drive::Thread,
            sleep: Sleep::Inside,
            threads,
        };
        Self::planned(wake, plan)
    }

    /// The reactor of a consumer that says where its loop is ([`Reactor::poll_begins`] and what follows it), and
    /// takes all events that are there at once. The loop drives the first of the `threads` as far as `drive` and
    /// [`Reactor::poller`] say; the others drive themselves.
    pub fn in_loop(wake: Box<dyn Wake>, sleep: Sleep, drive: Drive, threads: usize) -> Self {
        let plan = Plan {
            drive,
            sleep,
            threads,
        };
        let reactor = Self::planned(wake, plan);
        reactor.shared.events.track_loop();
        if sleep == Sleep::Outside {
            reactor.shared.events.track_embedded_loop();
        }
        reactor.stand_apart(true);
        reactor
    }

    fn planned(wake: Box<dyn Wake>, plan: Plan) -> Self {
        let shared = Arc::new(Shared {
            table: Mutex::new(HandleTable::default()),
            events: Arc::new(EventQueue::new(wake)),
            plan,
            runtimes: OnceLock::new(),
            ended: AtomicBool::new(false),
            spare: Spare::default(),
            listeners: Mutex::default(),
            lingering: Mutex::default(),
        });
        let keeps_writes = exit::at_exit(&shared);
        Self { shared, keeps_writes }
    }

    /// Has the threads running, which the first handle sees to as well.
    ///
    /// # Errors
    /// When the system gives no thread or no poller: [`Errno::EMFILE`] without descriptors. Any later call may succeed.
    /// [`Errno::ECANCELED`] after [`Reactor::shutdown`].
    pub fn start(&self) -> Result<(), Errno> {
        self.running().map(drop)
    }

    pub(super) fn running(&self) -> Result<&Runtimes, Errno> {
        self.shared.running()
    }

    /// Closes every handle and ends the threads; comes back when they have ended, and what was reported as written is
    /// sent, which takes 2 s at the longest. Calls that come later find no handle.
    pub fn shutdown(&self) {
        self.shared.stop();
        let entries = self.shared.table.lock().drain();
        for entry in entries {
            self.close_entry(entry, Closing::Orderly);
        }
        let lingering = std::mem::take(&mut *self.shared.lingering.lock());
        exit::drain_now(lingering);
        for shard in self.shards() {
            shard.end();
        }
    }

    /// Those of the runtimes that were started.
    pub(super) fn shards(&self) -> impl Iterator<Item = &Arc<Shard>> {
        self.shared
            .runtimes
            .get()
            .into_iter()
            .flat_map(|runtimes| runtimes.shards.iter())
    }

    pub(super) fn driver(&self) -> Option<&Driver> {
        self.shared.runtimes.get().map(|runtimes| &runtimes.driver)
    }

    /// Takes the oldest event. Answer each call of [`Wake::wake`]'s deliveries with one, or, for a consumer that keeps
    /// turns, as many as [`Reactor::turn`], [`Reactor::completed`] and [`Reactor::poll_ended`] say.
    pub fn next_event(&self) -> Option<Event> {
        if let Some(driver) = self.driver() {
            driver.beat();
        }
        loop {
            let event = self.shared.events.pop()?;
            match event {
                Event::Closed { id } => self.free(id),
                // libuv asks for the error when it tells. A peer that has reset the connection since has refused it.
                Event::Connected { id, result: Ok(()) } if self.knows(id) => {
                    let result = self.stream(id).map_or(Ok(()), |connection| connection.confirm());
                    return Some(Event::Connected { id, result });
                }
                Event::Exhausted { id } => {
                    if let Ok(listener) = self.listener(id) {
                        listener.refuse_some();
                    }
                    continue;
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
        let event = self.shared.events.pop_closing()?;
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

    pub(crate) fn ids(&self) -> Vec<HandleId> {
        self.shared.table.lock().ids().collect()
    }

    // ---- the end

    /// Closes the descriptor before it returns; one of a connection with bytes that were reported as written and that the
    /// kernel has no room for is closed when it has taken them, for a close in order. The id stays taken until the [`Event::Closed`] that
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
            Entry::Connection(connection) => self.shared.close(&connection, closing),
            Entry::Listener(listener) => {
                self.shared
                    .listeners
                    .lock()
                    .retain(|other| !Arc::ptr_eq(other, &listener));
                listener.close();
            }
            Entry::Idle { .. } | Entry::Closed => {}
        }
    }

    /// Queues the last event of a closed handle. For an id that names no closed handle it is just an event.
    pub fn tell_closed(&self, id: HandleId) {
        self.shared.events.push_closing(Event::Closed { id });
    }

    /// Has `open` open one descriptor for a moment, at the limit too.
    pub(crate) fn with_reserve<T>(&self, open: impl Fn() -> io::Result<T>) -> Result<T, Errno> {
        Ok(self.shared.spare.lend(open)?)
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
            Entry::Idle { idle, .. } => f(Descriptor::Idle(idle)),
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
