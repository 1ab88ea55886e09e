//! One listening socket: accepts ahead of JavaScript, up to the backlog, and hands connections over in order.
//!
//! Locks are taken in the order `acceptor`, `accepting`, then `accepted` or the reactor's table.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::{Mutex, RwLock};
use socket2::SockAddr;

use crate::event::Event;
use crate::queue::EventQueue;
use crate::shard::Shard;
use crate::sys::{self, Acceptor, Idle, Stream};
use crate::task::{Driving, Task};
use crate::{Errno, HandleId, Target};

/// How many connections one turn accepts before the others get theirs.
const ACCEPTS_PER_TURN: usize = 32;

/// Makes a connection of what was accepted. The reactor's part: it owns the table.
pub(crate) trait Adopt: Send + Sync {
    /// Where the next connection belongs: its socket is registered there when it is accepted.
    fn next_shard(&self) -> &Arc<Shard>;
    fn adopt(&self, stream: Stream, shard: &Arc<Shard>) -> Result<HandleId, Errno>;
    /// Closes a connection that nobody took.
    fn abandon(&self, id: HandleId);
}

pub(crate) struct Listener {
    id: HandleId,
    acceptor: RwLock<Option<Acceptor>>,
    accepted: Mutex<VecDeque<HandleId>>,
    /// Held from a connection's leaving the backlog until it is told.
    accepting: Mutex<()>,
    /// Where it listens.
    address: Option<SockAddr>,
    /// How many accepted connections may wait for JavaScript.
    ahead: usize,
    /// The table that its connections go to. Weak: the table owns the listener.
    connections: Weak<dyn Adopt>,
    /// On the run queue.
    queued: AtomicBool,
    /// Where its own task runs.
    shard: Arc<Shard>,
    events: Arc<EventQueue>,
}

/// Which thread an accepted connection is told from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Teller {
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
            accepting: Mutex::new(()),
            acceptor: RwLock::new(Some(acceptor)),
            accepted: Mutex::new(VecDeque::new()),
            ahead: usize::try_from(backlog).unwrap_or(0).max(1),
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
    pub(crate) fn listen(&self, backlog: i32) -> Result<(), Errno> {
        self.with_acceptor(|acceptor| Ok(acceptor.listen(backlog)?))
    }

    /// Answers one [`Event::Connection`].
    pub(crate) fn accept(self: &Arc<Self>) -> Option<HandleId> {
        let mut accepted = self.accepted.lock();
        let was_full = accepted.len() >= self.ahead;
        let id = accepted.pop_front();
        drop(accepted);
        if was_full {
            Arc::clone(self).wake();
        }
        id
    }

    /// Closes the descriptor before it returns (a port is free, a socket's path is gone) and abandons what was
    /// accepted and never taken, as the kernel does with its own backlog.
    pub(crate) fn close(&self) {
        let acceptor = self.acceptor.write().take();
        drop(acceptor);
        let abandoned = std::mem::take(&mut *self.accepted.lock());
        let Some(connections) = self.connections.upgrade() else {
            return;
        };
        for id in abandoned {
            connections.abandon(id);
        }
    }

    /// Closes the descriptor and leaves the rest to whoever has another one: its path, and what was accepted.
    pub(crate) fn retire(&self) {
        let acceptor = self.acceptor.write().take();
        if let Some(mut acceptor) = acceptor {
            acceptor.set_path(None);
        }
    }

    /// Has the file at `path` go with the listener.
    pub(crate) fn own_path(&self, path: &Path) -> Result<(), Errno> {
        let mut acceptor = self.acceptor.write();
        acceptor.as_mut().ok_or(Errno::EBADF)?.set_path(Some(path));
        Ok(())
    }

    /// Takes the socket out, as [`Listener::close`] does, with the backlog and what was accepted and never taken. After
    /// an error it listens as before.
    pub(crate) fn detach(&self) -> Result<(Idle, i32, VecDeque<HandleId>), Errno> {
        let mut place = self.acceptor.write();
        let idle = match place.take().ok_or(Errno::EBADF)?.into_idle() {
            Ok(idle) => idle,
            Err(acceptor) => {
                *place = Some(acceptor);
                return Err(Errno::ENOTSUP);
            }
        };
        drop(place);
        let backlog = i32::try_from(self.ahead).unwrap_or(i32::MAX);
        Ok((idle, backlog, std::mem::take(&mut *self.accepted.lock())))
    }

    /// A connection that another listener has accepted from this socket. Whoever calls tells of it.
    pub(crate) fn take_over(&self, connection: HandleId) {
        self.accepted.lock().push_back(connection);
    }

    /// Whether a connect to `to` would end in this listener's backlog.
    pub(crate) fn is_reached_by(&self, to: &Target<'_>) -> bool {
        self.address
            .as_ref()
            .is_some_and(|address| sys::reaches(to, address))
    }

    /// Accepts what is in the backlog on the thread of the caller, who has just filled it: a connect that ends at once
    /// has made a connection here, and epoll would tell of that first.
    pub(crate) fn accept_now(&self) {
        let acceptor = self.acceptor.read();
        let Some(acceptor) = acceptor.as_ref() else { return };
        // Waits for a connection that the task is just taking: its news comes first as well.
        let accepting = self.accepting.lock();
        let Some(connections) = self.connections.upgrade() else {
            return;
        };
        while self.accepted.lock().len() < self.ahead {
            let shard = connections.next_shard();
            let entered = shard.enter();
            let Some(accepted) = acceptor.accept_now() else {
                break;
            };
            drop(entered);
            let adopted = accepted
                .map_err(Errno::from)
                .and_then(|stream| connections.adopt(stream, shard));
            self.tell(adopted, Teller::Caller);
        }
        drop(accepting);
    }

    fn accept_some(self: &Arc<Self>, connections: &dyn Adopt) {
        let acceptor = self.acceptor.read();
        let Some(acceptor) = acceptor.as_ref() else { return };
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        for _ in 0..ACCEPTS_PER_TURN {
            let _accepting = self.accepting.lock();
            if self.accepted.lock().len() >= self.ahead {
                return;
            }
            let shard = connections.next_shard();
            let entered = shard.enter();
            let Poll::Ready(accepted) = acceptor.poll_accept(&mut cx) else {
                return;
            };
            drop(entered);
            let adopted = accepted
                .map_err(Errno::from)
                .and_then(|stream| connections.adopt(stream, shard));
            self.tell(adopted, Teller::Task);
        }
        waker.wake();
    }

    fn tell(&self, adopted: Result<HandleId, Errno>, by: Teller) {
        let result = adopted.map(|connection| self.accepted.lock().push_back(connection));
        let event = Event::Connection { id: self.id, result };
        match by {
            Teller::Task => self.events.push(event),
            Teller::Caller => self.events.push_caused(event),
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
