//! One listening socket: accepts ahead of the consumer, up to the backlog, and hands connections over in
//! order. The consumer takes several in a turn of its loop, or one ([`Listener::accepts_one_a_turn`]).
//!
//! Where descriptors are scarce nothing is accepted ahead: a connection is accepted when the consumer has
//! taken the one before. When none is left, connections that wait are refused (`refuse.rs`).
//!
//! Nothing is accepted ahead while the consumer's loop drives, which would gain nothing; if the consumer
//! limits how many connections it has, since it would count some that have ended in the meantime; if another
//! process accepts from the socket as well, which could not have it any more while this one is busy, ends, or
//! closes its handle; and from a Unix socket, since the kernel reports a connection that no one has accepted
//! as reset, and one that was accepted and is closed as ended. The task only reports that there is a
//! connection then, and the consumer's answer accepts it. So it is, too, where the consumer wants descriptors
//! ([`Listener::give_descriptors`]): nothing would be read from them ahead.
//!
//! Locks are taken in the order `acceptor`, `accepting`, then `accepted` or the reactor's table.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::Wake;
use std::time::Duration;

use ferronet_core::handles::HandleId;
use parking_lot::{MappedRwLockReadGuard, Mutex, RwLock, RwLockReadGuard};
use socket2::SockAddr;

use crate::drive::shard::Shard;
use crate::event::event::Event;
use crate::event::queue::EventQueue;
use crate::socket::errno::Errno;
use crate::stream::Detached;
use crate::sys::{self, Acceptor, Descriptor, Stream, Target, Transport, UnregisteredSocket};

use super::state::{AcceptState, Accepted, Incoming, Reporter, accept_limit};

/// How long the exit of the process waits for a thread that accepts: an accept never blocks, but a thread may
/// have stopped.
const ACCEPT_TIMEOUT: Duration = Duration::from_millis(500);

/// Makes a connection of what was accepted. The reactor's part: it owns the table.
pub(crate) trait Adopt: Send + Sync {
    /// Where the next connection belongs: its socket is registered there when it is accepted.
    fn next_shard(&self) -> &Arc<Shard>;
    fn adopt(&self, stream: Stream, shard: &Arc<Shard>) -> Result<HandleId, Errno>;
    /// Closes a connection that was never taken.
    fn abandon(&self, id: HandleId);
    /// Takes out a connection that was never taken, for another reactor.
    fn detach(&self, id: HandleId) -> Option<Detached>;
    /// The descriptor of a listener is about to be closed, or belongs to another reactor.
    fn forget(&self, listener: HandleId);
}

pub(crate) struct Listener {
    pub(super) id: HandleId,
    pub(super) acceptor: RwLock<Option<Acceptor>>,
    pub(super) accepted: Mutex<Accepted>,
    /// Locked from the moment a connection leaves the backlog until it is reported.
    pub(super) accepting: Mutex<AcceptState>,
    /// Another process accepts from the socket as well.
    pub(super) shared: AtomicBool,
    /// The consumer counts its connections, and asks for each.
    pub(super) on_demand: AtomicBool,
    /// The consumer gets descriptors, which no runtime has.
    pub(super) descriptors: AtomicBool,
    pub(super) transport: Transport,
    /// Where it listens.
    pub(super) address: Option<SockAddr>,
    /// How many accepted connections may wait for the consumer.
    pub(super) max_waiting: AtomicUsize,
    /// The last one that was accepted ahead has left few descriptors.
    pub(super) scarce: AtomicBool,
    /// The table that its connections go to. Weak: the table owns the listener.
    pub(super) connections: Weak<dyn Adopt>,
    /// On the run queue.
    pub(super) queued: AtomicBool,
    /// Where its own task runs.
    pub(super) shard: Arc<Shard>,
    pub(super) events: Arc<EventQueue>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Listener {
    pub(crate) fn new(
        id: HandleId,
        acceptor: Acceptor,
        backlog: i32,
        connections: Weak<dyn Adopt>,
        shard: Arc<Shard>,
        events: Arc<EventQueue>,
    ) -> Arc<Self> {
        let address = acceptor.socket().and_then(|socket| socket.local_addr().ok());
        Arc::new(Self {
            id,
            transport: acceptor.transport(),
            address,
            accepting: Mutex::default(),
            acceptor: RwLock::new(Some(acceptor)),
            accepted: Mutex::default(),
            max_waiting: AtomicUsize::new(accept_limit(backlog)),
            scarce: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            on_demand: AtomicBool::new(false),
            descriptors: AtomicBool::new(false),
            connections,
            queued: AtomicBool::new(false),
            shard,
            events,
        })
    }

    pub(crate) fn id(&self) -> HandleId {
        self.id
    }

    /// The open descriptor.
    pub(crate) fn opened(&self) -> Result<MappedRwLockReadGuard<'_, dyn Descriptor>, Errno> {
        let opened = RwLockReadGuard::try_map(self.acceptor.read(), |place| {
            place.as_ref().map(|acceptor| acceptor as &dyn Descriptor)
        });
        opened.map_err(|_closed| Errno::EBADF)
    }

    /// `listen(2)` once more, for another backlog; two servers may share a handle.
    pub(crate) fn listen(self: &Arc<Self>, backlog: i32) -> Result<(), Errno> {
        self.acceptor
            .read()
            .as_ref()
            .ok_or(Errno::EBADF)?
            .listen(backlog)?;
        self.max_waiting.store(accept_limit(backlog), Ordering::Relaxed);
        Arc::clone(self).wake();
        Ok(())
    }

    /// Whether one more connection may wait for the consumer now.
    pub(super) fn has_room(&self) -> bool {
        let most = self.most_waiting();
        self.accepted.lock().has_room(most)
    }

    /// As [`Listener::has_room`], for the task: if there is none, it is woken when a connection is taken.
    pub(super) fn await_room(&self) -> bool {
        let most = self.most_waiting();
        let mut accepted = self.accepted.lock();
        accepted.task_waits = !accepted.has_room(most);
        !accepted.task_waits
    }

    fn most_waiting(&self) -> usize {
        if self.scarce.load(Ordering::Relaxed) {
            1
        } else {
            self.max_waiting.load(Ordering::Relaxed)
        }
    }

    /// The next connection. After one, none is reported until the consumer finds no further one, or has
    /// called [`Listener::accept_later`].
    pub(crate) fn accept(self: &Arc<Self>) -> Option<Incoming> {
        loop {
            let mut accepted = self.accepted.lock();
            let task_waits = std::mem::take(&mut accepted.task_waits);
            let incoming = accepted.waiting.pop_front();
            accepted.is_reported = true;
            drop(accepted);
            if incoming.is_some() {
                if task_waits {
                    Arc::clone(self).wake();
                }
                return incoming;
            }
            // Looks itself, and has the task woken by the next connection.
            let incoming = self.accept_on_demand();
            let mut accepted = self.accepted.lock();
            if incoming.is_some() {
                // No readiness is reported for what the kernel has in the backlog already.
                accepted.task_waits = true;
                return incoming;
            }
            // The task has reported nothing meanwhile, since the consumer is answering.
            if accepted.waiting.is_empty() && !accepted.task_waits {
                accepted.is_reported = false;
                return None;
            }
        }
    }

    /// The consumer takes the others in a later turn of its loop, if there are any.
    pub(crate) fn accept_later(self: &Arc<Self>) {
        let mut accepted = self.accepted.lock();
        let task_waits = std::mem::take(&mut accepted.task_waits);
        accepted.is_reported = !accepted.waiting.is_empty();
        let has_more = accepted.is_reported;
        drop(accepted);
        if has_more {
            self.events.push_next_turn(Event::Connection { id: self.id });
        }
        if task_waits {
            Arc::clone(self).wake();
        }
    }

    /// Whether each connection has a turn of the consumer's loop for itself, as libuv gives it: the consumer
    /// counts its connections, and one that ends in a turn makes room for the next; or other processes have
    /// theirs meanwhile.
    pub(crate) fn accepts_one_a_turn(&self) -> bool {
        self.is_shared() || self.is_on_demand()
    }

    /// A connection that was accepted and not taken. None is accepted for it.
    pub(crate) fn take_accepted(&self) -> Option<HandleId> {
        self.accepted.lock().waiting.pop_front()?.handle()
    }

    /// Gives the consumer the descriptors of connections from now on. What was accepted before is a handle.
    pub(crate) fn give_descriptors(&self) {
        self.descriptors.store(true, Ordering::Relaxed);
    }

    pub(super) fn gives_descriptors(&self) -> bool {
        self.descriptors.load(Ordering::Relaxed)
    }

    /// Accepts nothing ahead of the consumer any more. What was accepted is delivered.
    pub(crate) fn accept_on_demand_only(self: &Arc<Self>) {
        self.on_demand.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_on_demand(&self) -> bool {
        self.on_demand.load(Ordering::Relaxed)
    }

    // ---- shared with another process

    /// Whether connections are accepted only when the consumer asks. Those that were accepted before are
    /// delivered.
    pub(crate) fn set_shared(self: &Arc<Self>, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
        // A task that holds the lock may not have seen it, and accepts; one that takes the lock later sees
        // it.
        drop(self.accepting.lock());
        Arc::clone(self).wake();
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// Closes the descriptor before it returns (a port is free, a socket's path is gone) and abandons what
    /// was accepted and never taken, as the kernel does with its own backlog.
    pub(crate) fn close(&self) {
        if let Some(connections) = self.connections.upgrade() {
            connections.forget(self.id);
        }
        self.end_accepting();
        self.abandon_untaken();
    }

    /// Closes the descriptor and leaves the rest to the owner of another one: the path, and what was
    /// accepted.
    pub(crate) fn retire(&self) {
        if let Some(acceptor) = &mut *self.acceptor.write() {
            acceptor.set_path(None);
        }
        self.end_accepting();
    }

    /// The process exits: no thread accepts from now on, so that the kernel resets what is in the backlog.
    /// Waits for what one is accepting, which is untaken then.
    pub(crate) fn stop_at_exit(&self) {
        if let Some(mut state) = self.accepting.try_lock_for(ACCEPT_TIMEOUT) {
            state.stopped = true;
        }
    }

    /// Closes the descriptor, and tries nothing more.
    fn end_accepting(&self) {
        let acceptor = self.acceptor.write().take();
        drop(acceptor);
        *self.accepting.lock() = AcceptState::default();
    }

    /// Has the file at `path` go with the listener.
    pub(crate) fn own_path(&self, path: &Path) -> Result<(), Errno> {
        let mut acceptor = self.acceptor.write();
        acceptor.as_mut().ok_or(Errno::EBADF)?.set_path(Some(path));
        Ok(())
    }

    /// Takes the socket out, as [`Listener::close`] does, with the backlog and what was accepted and never
    /// taken. After an error it listens as before.
    pub(crate) fn detach(&self) -> Result<(UnregisteredSocket, i32, Vec<Detached>), Errno> {
        let mut place = self.acceptor.write();
        let unregistered = match place.take().ok_or(Errno::EBADF)?.deregister() {
            Ok(unregistered) => unregistered,
            Err(acceptor) => {
                *place = Some(acceptor);
                return Err(Errno::ENOTSUP);
            }
        };
        drop(place);
        *self.accepting.lock() = AcceptState::default();
        let backlog = i32::try_from(self.max_waiting.load(Ordering::Relaxed)).unwrap_or(i32::MAX);
        let untaken = std::mem::take(&mut self.accepted.lock().waiting);
        let Some(connections) = self.connections.upgrade() else {
            return Ok((unregistered, backlog, Vec::new()));
        };
        connections.forget(self.id);
        let untaken = untaken.into_iter().filter_map(Incoming::handle);
        let untaken = untaken.filter_map(|id| connections.detach(id));
        Ok((unregistered, backlog, untaken.collect()))
    }

    /// Takes a connection that another listener has accepted from this socket, and reports it.
    pub(crate) fn take_over(&self, connection: HandleId) {
        self.deliver(Incoming::Handle(connection), Reporter::Caller);
    }

    /// The connections that were accepted and not taken.
    pub(crate) fn untaken(&self) -> Vec<HandleId> {
        let accepted = self.accepted.lock();
        let handles = accepted.waiting.iter().filter_map(|incoming| match incoming {
            Incoming::Handle(id) => Some(*id),
            Incoming::Descriptor(_) => None,
        });
        handles.collect()
    }

    /// Abandons what was accepted and never taken, as the kernel does with its own backlog.
    pub(crate) fn abandon_untaken(&self) {
        let abandoned = std::mem::take(&mut self.accepted.lock().waiting);
        let connections = self.connections.upgrade();
        for incoming in abandoned {
            match (incoming, &connections) {
                (Incoming::Handle(id), Some(connections)) => connections.abandon(id),
                (Incoming::Handle(_), None) => {}
                (Incoming::Descriptor(descriptor), _) => descriptor.reset(),
            }
        }
    }

    /// Whether a connect to `to` would end in this listener's backlog, which no other process accepts from.
    pub(crate) fn is_reached_by(&self, to: &Target<'_>) -> bool {
        !self.is_shared()
            && self
                .address
                .as_ref()
                .is_some_and(|address| sys::reaches(to, address))
    }
}

impl Wake for Listener {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.shard).tasks.push(self);
        }
    }
}
