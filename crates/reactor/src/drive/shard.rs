//! The runtimes of a reactor, as its handles see them.
//!
//! A reactor has one runtime, or several if it was asked for several threads (`driver.rs` turns the first, a
//! `Thread` each of the others). A connection belongs to one of them for its whole life: that runtime's
//! poller watches the socket, and that runtime's thread runs the task, so that a connection's events stay in
//! order. Connections take turns (round-robin); listeners are the first runtime's.
//!
//! What two runtimes do together is a relay from a connection of the one to a connection of the other; the
//! source's thread does it. All else that they share is behind locks which are held for moments: the handles'
//! table and the event queue.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use tokio::runtime::{self, Runtime};

use crate::drive::buffers::Buffers;
use crate::drive::flush_deadline::FlushDeadline;
use crate::drive::flush_list::FlushList;
use crate::drive::run_queue::RunQueue;
use crate::drive::timers::Timers;
use crate::drive::traffic::Traffic;
use crate::event::queue::EventQueue;

/// A runtime for one thread at a time. Before it sleeps, it asks for the delivery of the events of its tasks.
pub(crate) fn runtime(events: &Arc<EventQueue>) -> io::Result<Runtime> {
    let parking = Arc::clone(events);
    runtime::Builder::new_current_thread()
        .enable_io()
        .on_thread_park(move || parking.flush())
        .build()
}

/// One runtime, with what its tasks share.
#[derive(Debug)]
pub(crate) struct Shard {
    runtime: runtime::Handle,
    pub(crate) tasks: Arc<RunQueue>,
    pub(crate) flush_list: Arc<FlushList>,
    pub(crate) flush_deadline: Arc<FlushDeadline>,
    pub(crate) buffers: Buffers,
    pub(crate) timers: Arc<Timers>,
    pub(crate) traffic: Traffic,
    reads_ahead: AtomicBool,
}

impl Shard {
    pub(crate) fn of(runtime: &Runtime) -> Arc<Self> {
        let interrupt = runtime.block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
        let runtime = runtime.handle().clone();
        let tasks = Arc::new(RunQueue::new(interrupt));
        let timers = Timers::new(runtime.clone(), Arc::clone(&tasks));
        let flush_list = Arc::new(FlushList::default());
        let (list, queue) = (Arc::clone(&flush_list), Arc::clone(&tasks));
        Arc::new(Self {
            flush_deadline: FlushDeadline::new(list, queue, Arc::clone(&timers)),
            timers,
            runtime,
            tasks,
            flush_list,
            buffers: Buffers::default(),
            traffic: Traffic::default(),
            reads_ahead: AtomicBool::new(true),
        })
    }

    /// The runtime's context, for registering sockets on any thread.
    pub(crate) fn enter(&self) -> runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Whether a thread that drives reads ahead of the consumer.
    pub(crate) fn reads_ahead(&self) -> bool {
        self.reads_ahead.load(Ordering::Relaxed)
    }

    pub(crate) fn set_reads_ahead(&self, reads_ahead: bool) {
        self.reads_ahead.store(reads_ahead, Ordering::Relaxed);
    }

    /// No thread turns the runtime any more: what waits for that is dropped.
    pub(crate) fn end(&self) {
        self.tasks.end();
        self.flush_list.end();
        self.timers.end();
    }
}

/// All runtimes of a reactor.
#[derive(Debug)]
pub(crate) struct Shards {
    all: Box<[Arc<Shard>]>,
    /// Counts the connections that were assigned to one.
    assigned: AtomicUsize,
}

impl Shards {
    /// At least one.
    pub(crate) fn new(first: Arc<Shard>, others: impl Iterator<Item = Arc<Shard>>) -> Self {
        Self {
            all: std::iter::once(first).chain(others).collect(),
            assigned: AtomicUsize::new(0),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Shard>> {
        self.all.iter()
    }

    pub(crate) fn first(&self) -> &Arc<Shard> {
        &self.all[0]
    }

    /// The one that the next connection is assigned to, until [`Shards::note_assigned`].
    pub(crate) fn next(&self) -> &Arc<Shard> {
        &self.all[self.assigned.load(Ordering::Relaxed) % self.all.len()]
    }

    /// A connection was assigned to it.
    pub(crate) fn note_assigned(&self) {
        self.assigned.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_shard_has_its_turn_when_a_connection_is_assigned_to_it() {
        let runtimes: Vec<_> = (0..3)
            .map(|_| {
                runtime::Builder::new_current_thread()
                    .enable_io()
                    .build()
                    .unwrap()
            })
            .collect();
        let all: Vec<_> = runtimes.iter().map(Shard::of).collect();
        let shards = Shards::new(Arc::clone(&all[0]), all[1..].iter().map(Arc::clone));
        for n in 0..7 {
            assert!(Arc::ptr_eq(shards.next(), &all[n % 3]));
            assert!(Arc::ptr_eq(shards.next(), &all[n % 3]));
            shards.note_assigned();
        }
    }
}
