//! One listening socket: accepts ahead of JavaScript, up to the backlog, and hands connections over in order.
//!
//! Where descriptors are scarce nothing is accepted ahead: a connection is accepted when the consumer has taken the one
//! before. When none is left for the connections that wait, they are refused, so that their clients do not wait for a
//! server that cannot serve them: on the consumer's thread, in order with its events. One that is busy leaves them
//! waiting, and may close something before its turn comes. Other errors of accept(2) are of one connection or of the moment;
//! like libuv, the task tries again and reports none, with pauses when nothing succeeds.
//!
//! If another process accepts from the socket as well, nothing is accepted ahead: the other process could not have it any
//! more, while this one is busy, ends, or closes its handle. The task only reports that there may be a connection, and the
//! consumer's answer accepts one, as libuv does.
//!
//! Locks are taken in the order `acceptor`, `accepting`, then `accepted` or the reactor's table.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::{Mutex, RwLock};
use socket2::SockAddr;

use crate::drive::retry::Retry;
use crate::drive::run_queue::{Driving, Task};
use crate::drive::shard::Shard;
use crate::event::event::Event;
use crate::event::queue::EventQueue;
use crate::socket::errno::Errno;
use crate::sys::Target;
use crate::sys::{self, Acceptor, Stream, UnregisteredSocket};
use ferronet_core::handles::HandleId;

/// How many connections one turn accepts or refuses, or tries to, before the others get theirs.
const ACCEPTS_PER_TURN: usize = 32;

/// How many accepted connections may wait for the consumer, who has asked for `backlog`: as many as the kernel would let
/// wait. To a negative number it gives its largest.
fn accept_limit(backlog: i32) -> usize {
    let largest = sys::largest_backlog();
    usize::try_from(backlog).unwrap_or(largest).min(largest).max(1)
}

/// Connections that were accepted and not taken.
#[derive(Debug, Default)]
struct Accepted {
    waiting: VecDeque<HandleId>,
    /// The task accepts no more until one is taken.
    is_full: bool,
}

impl Accepted {
    /// Whether one more may wait, if `most` may.
    fn has_room(&mut self, most: usize) -> bool {
        self.is_full = self.waiting.len() >= most;
        !self.is_full
    }
}

/// What keeps the task from accepting.
#[derive(Debug, Default)]
struct AcceptState {
    /// No descriptor is left for the connections that wait, and the consumer's thread is asked to refuse them.
    exhausted: bool,
    retry: Retry,
}

impl AcceptState {
    fn is_paused(&self) -> bool {
        self.exhausted || self.retry.is_pausing()
    }
}

/// Makes a connection of what was accepted. The reactor's part: it owns the table.
pub(crate) trait Adopt: Send + Sync {
    /// Where the next connection belongs: its socket is registered there when it is accepted.
    fn next_shard(&self) -> &Arc<Shard>;
    fn adopt(&self, stream: Stream, shard: &Arc<Shard>) -> Result<HandleId, Errno>;
    /// Closes a connection that was never taken.
    fn abandon(&self, id: HandleId);
}

pub(crate) struct Listener {
    id: HandleId,
    acceptor: RwLock<Option<Acceptor>>,
    accepted: Mutex<Accepted>,
    /// Held from a connection's leaving the backlog until it is reported.
    accepting: Mutex<AcceptState>,
    /// Another process accepts from the socket as well.
    shared: AtomicBool,
    /// If it is shared: an [`Event::Connection`] is queued for which nothing was accepted.
    reported: AtomicBool,
    /// Where it listens.
    address: Option<SockAddr>,
    /// How many accepted connections may wait for the consumer.
    max_waiting: AtomicUsize,
    /// The last one that was accepted has left few descriptors.
    scarce: AtomicBool,
    /// The table that its connections go to. Weak: the table owns the listener.
    connections: Weak<dyn Adopt>,
    /// On the run queue.
    queued: AtomicBool,
    /// Where its own task runs.
    shard: Arc<Shard>,
    events: Arc<EventQueue>,
}

/// Which thread reports an accepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deliverer {
    Task,
    Caller,
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
            address,
            accepting: Mutex::default(),
            acceptor: RwLock::new(Some(acceptor)),
            accepted: Mutex::default(),
            max_waiting: AtomicUsize::new(accept_limit(backlog)),
            scarce: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            reported: AtomicBool::new(false),
            connections,
            queued: AtomicBool::new(false),
            shard,
            events,
        })
    }

    pub(crate) fn with_acceptor<R>(&self, f: impl FnOnce(&Acceptor) -> Result<R, Errno>) -> Result<R, Errno> {
        match &*self.acceptor.read() {
            Some(acceptor) => f(acceptor),
            None => Err(Errno::EBADF),
        }
    }

    /// `listen(2)` once more, for another backlog; two servers may share a handle.
    pub(crate) fn listen(self: &Arc<Self>, backlog: i32) -> Result<(), Errno> {
        self.with_acceptor(|acceptor| Ok(acceptor.listen(backlog)?))?;
        self.max_waiting.store(accept_limit(backlog), Ordering::Relaxed);
        Arc::clone(self).wake();
        Ok(())
    }

    /// Whether one more connection may wait for the consumer now. If not, the task is woken when one is taken.
    fn has_room(&self) -> bool {
        let most = if self.scarce.load(Ordering::Relaxed) {
            1
        } else {
            self.max_waiting.load(Ordering::Relaxed)
        };
        self.accepted.lock().has_room(most)
    }

    /// Answers one [`Event::Connection`].
    pub(crate) fn accept(self: &Arc<Self>) -> Option<HandleId> {
        let mut accepted = self.accepted.lock();
        let was_full = std::mem::take(&mut accepted.is_full);
        let id = accepted.waiting.pop_front();
        drop(accepted);
        self.reported.store(false, Ordering::Release);
        if id.is_none() && self.is_shared() {
            return self.accept_shared();
        }
        if was_full {
            Arc::clone(self).wake();
        }
        id
    }

    /// A connection that was accepted and not taken. None is accepted for it.
    pub(crate) fn take_accepted(&self) -> Option<HandleId> {
        self.accepted.lock().waiting.pop_front()
    }

    // ---- shared with another process

    /// Whether connections are accepted only when the consumer asks. Those that were accepted before are delivered.
    pub(crate) fn set_shared(self: &Arc<Self>, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
        // A task that holds the lock may not have seen it, and accepts; one that takes the lock later sees it.
        drop(self.accepting.lock());
        Arc::clone(self).wake();
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// The other process may accept the connection before the consumer answers.
    fn report(&self) {
        if !self.reported.swap(true, Ordering::AcqRel) {
            self.events.push(Event::Connection { id: self.id });
        }
    }

    /// Accepts one on the thread of the caller. If there is none, the next one wakes the task.
    fn accept_shared(self: &Arc<Self>) -> Option<HandleId> {
        let acceptor = self.acceptor.read();
        let acceptor = acceptor.as_ref()?;
        let connections = self.connections.upgrade()?;
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        let mut state = self.accepting.lock();
        if state.is_paused() {
            return None;
        }
        for _ in 0..ACCEPTS_PER_TURN {
            let shard = connections.next_shard();
            let entered = shard.enter();
            let Poll::Ready(accepted) = acceptor.poll_accept(&mut cx) else {
                state.retry.end();
                return None;
            };
            drop(entered);
            match self.adopt(accepted, &*connections, shard) {
                Ok(connection) => {
                    state.retry.end();
                    drop(state);
                    // For the next one, in a turn of its own.
                    waker.wake();
                    return Some(connection);
                }
                Err(error) if sys::is_out_of_descriptors(&error) => {
                    state.exhausted = true;
                    self.events.push_next_turn(Event::Exhausted { id: self.id });
                    return None;
                }
                // The next one may be better off.
                Err(_) => {}
            }
        }
        state.retry.pause(&self.shard.timers, waker);
        None
    }

    /// Closes the descriptor before it returns (a port is free, a socket's path is gone) and abandons what was
    /// accepted and never taken, as the kernel does with its own backlog.
    pub(crate) fn close(&self) {
        self.end_accepting();
        let abandoned = std::mem::take(&mut self.accepted.lock().waiting);
        let Some(connections) = self.connections.upgrade() else {
            return;
        };
        for id in abandoned {
            connections.abandon(id);
        }
    }

    /// Closes the descriptor and leaves the rest to the owner of another one: the path, and what was accepted.
    pub(crate) fn retire(&self) {
        if let Some(acceptor) = &mut *self.acceptor.write() {
            acceptor.set_path(None);
        }
        self.end_accepting();
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

    /// Takes the socket out, as [`Listener::close`] does, with the backlog and what was accepted and never taken. After
    /// an error it listens as before.
    pub(crate) fn detach(&self) -> Result<(UnregisteredSocket, i32, VecDeque<HandleId>), Errno> {
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
        Ok((
            unregistered,
            backlog,
            std::mem::take(&mut self.accepted.lock().waiting),
        ))
    }

    /// Takes a connection that another listener has accepted from this socket. The caller announces it.
    pub(crate) fn take_over(&self, connection: HandleId) {
        self.accepted.lock().waiting.push_back(connection);
    }

    /// Whether a connect to `to` would end in this listener's backlog, which no other process accepts from.
    pub(crate) fn is_reached_by(&self, to: &Target<'_>) -> bool {
        !self.is_shared()
            && self
                .address
                .as_ref()
                .is_some_and(|address| sys::reaches(to, address))
    }

    /// Accepts what is in the backlog, on the caller's thread: its connect, which has just ended, has put a connection there,
    /// and epoll would report that one first.
    pub(crate) fn accept_now(&self) {
        let acceptor = self.acceptor.read();
        let Some(acceptor) = acceptor.as_ref() else { return };
        // Waits for a connection that the task is just accepting: it is reported first as well.
        let accepting = self.accepting.lock();
        let Some(connections) = self.connections.upgrade() else {
            return;
        };
        while !self.is_shared() && self.has_room() && self.accept_one(acceptor, &*connections) {}
        drop(accepting);
    }

    /// Accepts one on the thread of the caller. Answers whether there was one.
    fn accept_one(&self, acceptor: &Acceptor, connections: &dyn Adopt) -> bool {
        let shard = connections.next_shard();
        let entered = shard.enter();
        let accepted = acceptor.accept_now();
        drop(entered);
        let Some(accepted) = accepted else { return false };
        if let Ok(connection) = self.adopt(accepted, connections, shard) {
            self.deliver(connection, Deliverer::Caller);
        }
        true
    }

    /// Makes a connection of what was accepted, which is closed when that fails.
    fn adopt(
        &self,
        accepted: io::Result<Stream>,
        connections: &dyn Adopt,
        shard: &Arc<Shard>,
    ) -> io::Result<HandleId> {
        let stream = accepted?;
        let scarce = sys::are_descriptors_scarce(stream.raw());
        self.scarce.store(scarce, Ordering::Relaxed);
        connections
            .adopt(stream, shard)
            .map_err(|_no_room| io::ErrorKind::OutOfMemory.into())
    }

    fn accept_some(self: &Arc<Self>, connections: &dyn Adopt) {
        let acceptor = self.acceptor.read();
        let Some(acceptor) = acceptor.as_ref() else { return };
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        let mut has_accepted = false;
        for _ in 0..ACCEPTS_PER_TURN {
            let mut state = self.accepting.lock();
            if state.is_paused() {
                return;
            }
            if self.is_shared() {
                self.report();
                return;
            }
            if !self.has_room() {
                return;
            }
            let shard = connections.next_shard();
            let entered = shard.enter();
            let Poll::Ready(accepted) = acceptor.poll_accept(&mut cx) else {
                state.retry.end();
                return;
            };
            drop(entered);
            match self.adopt(accepted, connections, shard) {
                Ok(connection) => {
                    state.retry.end();
                    has_accepted = true;
                    self.deliver(connection, Deliverer::Task);
                }
                Err(error) if sys::is_out_of_descriptors(&error) => {
                    state.exhausted = true;
                    self.events.push(Event::Exhausted { id: self.id });
                    return;
                }
                // The next one may be better off.
                Err(_) => {}
            }
        }
        if has_accepted {
            waker.wake();
        } else {
            self.accepting.lock().retry.pause(&self.shard.timers, waker);
        }
    }

    /// Answers one [`Event::Exhausted`], on the consumer's thread: refuses some of the connections that wait, unless there are
    /// descriptors again.
    pub(crate) fn refuse_some(self: &Arc<Self>) {
        let acceptor = self.acceptor.read();
        let (Some(acceptor), Some(connections)) = (acceptor.as_ref(), self.connections.upgrade()) else {
            return;
        };
        let mut state = self.accepting.lock();
        if !std::mem::take(&mut state.exhausted) {
            return;
        }
        let is_relieved = self.accept_one(acceptor, &*connections) || acceptor.refuse(ACCEPTS_PER_TURN) > 0;
        let waker = Waker::from(Arc::clone(self));
        if is_relieved {
            drop(state);
            waker.wake();
        } else {
            state.retry.pause(&self.shard.timers, waker);
        }
    }

    fn deliver(&self, connection: HandleId, by: Deliverer) {
        self.accepted.lock().waiting.push_back(connection);
        let event = Event::Connection { id: self.id };
        match by {
            Deliverer::Task => self.events.push(event),
            Deliverer::Caller => self.events.push_next_turn(event),
        }
    }
}

impl Wake for Listener {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.shard).tasks.push(self);
        }
    }
}

impl Task for Listener {
    fn turn(self: Arc<Self>, _by: Driving) {
        // First, so that a wake from now on is not lost.
        self.queued.store(false, Ordering::Release);
        if let Some(connections) = self.connections.upgrade() {
            self.accept_some(&*connections);
        }
    }
}
