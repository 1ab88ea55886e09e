//! How connections are accepted: by the task, ahead of the consumer, or on the consumer's thread.
//!
//! Errors of accept(2) other than the lack of descriptors are of one connection or of the moment; like libuv,
//! the task tries again and reports none, with pauses when nothing succeeds.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use ferronet_core::handles::HandleId;
use ferronet_core::lanes::Lane;

use crate::drive::run_queue::{Driving, Task};
use crate::drive::shard::Shard;
use crate::event::event::Event;
use crate::sys::{self, Acceptor, Descriptor as _, Stream};

use super::listener::{Adopt, Listener};
use super::state::{ACCEPTS_PER_TURN, Incoming, Reporter};

impl Listener {
    /// Whether connections stay in the backlog until the consumer asks for one, while `by` drives.
    fn accepts_on_demand(&self, by: Driving) -> bool {
        by == Driving::Loop || self.is_shared() || self.stays_in_backlog()
    }

    /// Whether no connection is accepted ahead, whichever thread drives.
    fn stays_in_backlog(&self) -> bool {
        !self.transport.accepts_ahead() || self.is_on_demand() || self.gives_descriptors()
    }

    /// Reports that there is a connection. Another process may accept it before the consumer does.
    fn report(&self, by: Reporter) {
        if std::mem::replace(&mut self.accepted.lock().is_reported, true) {
            return;
        }
        let event = Event::Connection { id: self.id };
        match by {
            Reporter::Task => self.events.push(event),
            // After what the coming poll finds: the end of a connection that this one takes the place of,
            // say.
            Reporter::Caller => self.events.push_in(Lane::AfterPoll, event),
        }
    }

    /// Accepts one on the thread of the caller. If there is none, the next one wakes the task.
    pub(super) fn accept_on_demand(self: &Arc<Self>) -> Option<Incoming> {
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
            let Poll::Ready(incoming) = self.poll_incoming(acceptor, &*connections, &mut cx) else {
                state.retry.end();
                return None;
            };
            match incoming {
                Ok(incoming) => {
                    state.retry.end();
                    return Some(incoming);
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

    /// Accepts one as the consumer wants it.
    fn poll_incoming(
        &self,
        acceptor: &Acceptor,
        connections: &dyn Adopt,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Incoming>> {
        if self.gives_descriptors() {
            return acceptor.poll_accept_descriptor(cx).map_ok(Incoming::Descriptor);
        }
        let shard = connections.next_shard();
        let entered = shard.enter();
        let accepted = ready!(acceptor.poll_accept(cx));
        drop(entered);
        Poll::Ready(adopt(accepted, connections, shard).map(Incoming::Handle))
    }

    /// Accepts what is in the backlog, on the caller's thread: its connect, which has just ended, has put a
    /// connection there, and epoll would report that one first.
    pub(crate) fn accept_now(&self) {
        let acceptor = self.acceptor.read();
        let Some(acceptor) = acceptor.as_ref() else { return };
        // Waits for a connection that the task is just accepting: it is reported first as well.
        let accepting = self.accepting.lock();
        let Some(connections) = self.connections.upgrade() else {
            return;
        };
        if self.stays_in_backlog() {
            self.report(Reporter::Caller);
        } else {
            while !self.is_shared() && self.has_room() && self.accept_one(acceptor, &*connections) {}
        }
        drop(accepting);
    }

    /// Accepts one on the thread of the caller. Returns whether there was one.
    pub(super) fn accept_one(&self, acceptor: &Acceptor, connections: &dyn Adopt) -> bool {
        if self.gives_descriptors() {
            let accepted = acceptor.accept_descriptor_now().map(Incoming::Descriptor);
            return accepted
                .map(|incoming| self.deliver(incoming, Reporter::Caller))
                .is_some();
        }
        let shard = connections.next_shard();
        let entered = shard.enter();
        let accepted = acceptor.accept_now();
        drop(entered);
        let Some(accepted) = accepted else { return false };
        if let Ok(connection) = self.adopt_ahead(accepted, connections, shard) {
            self.deliver(Incoming::Handle(connection), Reporter::Caller);
        }
        true
    }

    /// As [`adopt`], of what was accepted ahead of the consumer. Finds out whether more may be.
    fn adopt_ahead(
        &self,
        accepted: io::Result<Stream>,
        connections: &dyn Adopt,
        shard: &Arc<Shard>,
    ) -> io::Result<HandleId> {
        if let Ok(stream) = &accepted {
            let scarce = sys::are_descriptors_scarce(stream.raw());
            self.scarce.store(scarce, Ordering::Relaxed);
        }
        adopt(accepted, connections, shard)
    }

    fn accept_some(self: &Arc<Self>, connections: &dyn Adopt, by: Driving) {
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
            if self.accepts_on_demand(by) {
                if acceptor.poll_waiting(&mut cx).is_ready() {
                    self.accepted.lock().task_waits = true;
                    self.report(Reporter::Task);
                } else {
                    state.retry.end();
                }
                return;
            }
            if !self.await_room() {
                return;
            }
            let shard = connections.next_shard();
            let entered = shard.enter();
            let Poll::Ready(accepted) = acceptor.poll_accept(&mut cx) else {
                state.retry.end();
                return;
            };
            drop(entered);
            match self.adopt_ahead(accepted, connections, shard) {
                Ok(connection) => {
                    state.retry.end();
                    has_accepted = true;
                    self.deliver(Incoming::Handle(connection), Reporter::Task);
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

    pub(super) fn deliver(&self, incoming: Incoming, by: Reporter) {
        self.accepted.lock().waiting.push_back(incoming);
        self.report(by);
    }
}

/// Makes a connection of what was accepted, which is closed when that fails.
fn adopt(accepted: io::Result<Stream>, connections: &dyn Adopt, shard: &Arc<Shard>) -> io::Result<HandleId> {
    connections
        .adopt(accepted?, shard)
        .map_err(|_no_room| io::ErrorKind::OutOfMemory.into())
}

impl Task for Listener {
    fn turn(self: Arc<Self>, by: Driving) {
        // First, so that a wake from now on is not lost.
        self.queued.store(false, Ordering::Release);
        if let Some(connections) = self.connections.upgrade() {
            self.accept_some(&*connections, by);
        }
    }
}
