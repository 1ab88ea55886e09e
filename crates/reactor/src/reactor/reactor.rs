//! The reactor of one environment: its handles, and the calls from outside.
//!
//! One thread of the environment calls in (the JavaScript thread). Every handle has one task, which runs on
//! whichever thread turns the runtime (`driver.rs`). Sockets are made, bound, connected and closed on the
//! calling thread, so that errors and freed ports are seen at once, as libuv's callers see them; accepting,
//! reading and the rest of a write happen where the tasks run.
//!
//! Here it is made, gives its events and ends. `handles.rs` makes sockets of every kind, `streams.rs` uses
//! those that are connected, `options.rs` asks and sets what a socket is, `handover.rs` and `transfer.rs`
//! give handles away, and `turns.rs` is for a caller who turns the runtime in a loop of its own.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use ferronet_core::handles::{HandleId, HandleTable};
use parking_lot::Mutex;

use crate::drive::driver::{Drive, Driver};
use crate::drive::shard::Shard;
use crate::event::event::Event;
use crate::event::queue::EventQueue;
use crate::event::wake::Wake;
use crate::socket::errno::Errno;
use crate::stream::Closing;
use crate::sys::ReserveFd;

use super::endpoint::Endpoint;
use super::entry::Entry;
use super::exit;
use super::runtimes::{Plan, Runtimes, Sleep};
use super::shared::Shared;

/// The sockets of one environment. Calls come from one thread; [`Reactor::shutdown`] (or drop) ends the
/// others.
#[derive(Debug)]
pub struct Reactor {
    pub(super) shared: Arc<Shared>,
    /// Whether writes are batched: only where they would be sent even at the exit of the process.
    pub(super) batches_writes: bool,
    /// When the batch that is being delivered began.
    pub(super) batch_began: Mutex<Option<Instant>>,
}

impl Reactor {
    /// A reactor whose threads start with the first handle. `wake` is asked for one [`Reactor::next_event`]
    /// an event. The reactor's thread drives, or, if `threads` are more than 1, so many do, each with a part
    /// of the connections; 0 counts as 1.
    pub fn new(wake: Box<dyn Wake>, threads: usize) -> Self {
        let plan = Plan {
            drive: Drive::Thread,
            sleep: Sleep::Inside,
            threads,
        };
        Self::planned(wake, plan)
    }

    /// The reactor of a consumer that reports the phases of its loop ([`Reactor::poll_begins`] and what
    /// follows it), and takes all events that are due at once. The loop drives the first of the `threads` as
    /// far as `drive` and [`Reactor::poller`] say; the others drive themselves.
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
        reactor.set_must_interrupt(true);
        reactor
    }

    fn planned(wake: Box<dyn Wake>, plan: Plan) -> Self {
        let shared = Arc::new(Shared {
            table: Mutex::new(HandleTable::default()),
            events: Arc::new(EventQueue::new(wake)),
            plan,
            runtimes: OnceLock::new(),
            ended: AtomicBool::new(false),
            spare: ReserveFd::default(),
            listeners: Mutex::default(),
            lingering: Mutex::default(),
        });
        let batches_writes = exit::at_exit(&shared);
        Self {
            shared,
            batches_writes,
            batch_began: Mutex::default(),
        }
    }

    pub(super) fn running(&self) -> Result<&Runtimes, Errno> {
        self.shared.running()
    }

    /// Closes every handle and ends the threads; returns when they have ended, and what was reported as
    /// written is sent, which takes 2 s at the longest. Calls that come later find no handle.
    pub fn shutdown(&self) {
        self.shared.stop();
        let listeners = self.shared.listeners.lock().clone();
        for listener in listeners {
            listener.abandon_untaken();
        }
        let entries = self.shared.table.lock().drain();
        for entry in entries {
            self.close_entry(entry, Closing::Orderly);
        }
        let lingering = std::mem::take(&mut *self.shared.lingering.lock());
        exit::drain_now(lingering);
        for shard in self.shards() {
            shard.end();
        }
        exit::note_ended(&self.shared);
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

    /// Takes the oldest event. Answer each call of [`Wake::wake`]'s deliveries with one, or, for a consumer
    /// that reports the phases of its loop, as many as [`Reactor::turn`], [`Reactor::completed`] and
    /// [`Reactor::poll_ended`] say.
    pub fn next_event(&self) -> Option<Event> {
        if let Some(driver) = self.driver() {
            driver.note_activity();
        }
        loop {
            let event = self.shared.events.pop()?;
            match event {
                Event::Closed { id } => self.free(id),
                // libuv asks for the error when it reports the connect. A peer that has reset the connection
                // since has refused it.
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
                // `take` finds nothing of a handle that was closed meanwhile.
                Event::Readable { .. } => {}
                // It was closed meanwhile, its last event was delivered, and its slot may be another's.
                _ if !self.knows(event.id()) => continue,
                _ => {}
            }
            return Some(event);
        }
    }

    fn knows(&self, id: HandleId) -> bool {
        self.shared.table.lock().get(id).is_some()
    }

    /// In the closing phase of the consumer's loop: takes the last event of the next closed handle.
    pub fn next_closed(&self) -> Option<Event> {
        let event = self.shared.events.pop_closing()?;
        self.free(event.id());
        Some(event)
    }

    /// Frees the slot of a closed handle whose last event is delivered.
    fn free(&self, id: HandleId) {
        let mut table = self.shared.table.lock();
        if table.get(id).is_some_and(Entry::is_closed) {
            table.remove(id);
        }
    }

    /// How many handles there are, including closed ones whose last event is not delivered yet.
    pub fn handles(&self) -> usize {
        self.shared.table.lock().len()
    }

    pub(crate) fn ids(&self) -> Vec<HandleId> {
        self.shared.table.lock().ids().collect()
    }

    // ---- the end

    /// Closes the descriptor before it returns. After an orderly close of a connection with bytes that were
    /// reported as written and that the kernel has no room for, the descriptor is closed when the kernel has
    /// taken them. The id stays taken until the [`Event::Closed`] that [`Reactor::report_closed`] queues is
    /// delivered.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for an id that names no handle.
    pub fn close(&self, id: HandleId, closing: Closing) -> Result<(), Errno> {
        let entry = match self.shared.table.lock().get_mut(id) {
            Some(entry) => std::mem::replace(entry, Entry::Closed),
            None => return Err(Errno::EBADF),
        };
        self.close_entry(entry, closing);
        Ok(())
    }

    fn close_entry(&self, entry: Entry, closing: Closing) {
        if let Ok(endpoint) = entry.endpoint() {
            self.shared.close(endpoint, closing);
        }
    }

    /// Queues the last event of a closed handle. For an id that names no closed handle it is just an event.
    pub fn report_closed(&self, id: HandleId) {
        self.shared.events.push_closing(Event::Closed { id });
    }

    /// Has `open` open one descriptor, if need be with the reserve. What it opens must not stay open for
    /// long.
    pub(crate) fn with_reserve<T>(&self, open: impl Fn() -> io::Result<T>) -> Result<T, Errno> {
        Ok(self.shared.spare.lend(open)?)
    }

    /// What the table holds for a handle.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for an id that names no handle.
    pub(super) fn entry(&self, id: HandleId) -> Result<Entry, Errno> {
        self.shared.table.lock().get(id).cloned().ok_or(Errno::EBADF)
    }

    /// What a handle has open.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle.
    pub(super) fn endpoint(&self, id: HandleId) -> Result<Arc<dyn Endpoint>, Errno> {
        self.entry(id)?.endpoint()
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.shutdown();
    }
}
