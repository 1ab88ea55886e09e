//! Numbers of what is open and what was moved.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use ferronet_reactor::{Reactor as Core, Stats as Numbers, process_stats, read_ahead};
use napi_derive::napi;

use crate::numbers::count;

thread_local! {
    /// The reactors of this thread: one for each time that the package was evaluated.
    static REACTORS: RefCell<Vec<Weak<Core>>> = const { RefCell::new(Vec::new()) };
}

/// Counts a reactor as one of this thread.
pub(crate) fn note(core: &Arc<Core>) {
    REACTORS.with_borrow_mut(|reactors| {
        reactors.retain(|other| other.strong_count() > 0);
        reactors.push(Arc::downgrade(core));
    });
}

fn of_this_thread() -> Numbers {
    REACTORS.with_borrow(|reactors| {
        let running = reactors.iter().filter_map(Weak::upgrade);
        running.fold(Numbers::default(), |sum, core| sum.with(&core.stats()))
    })
}

/// Numbers of the reactors of a thread, or of the process. Bytes and writes since they were made.
#[derive(Debug)]
#[napi(object, object_from_js = false)]
pub struct Stats {
    /// How many reactors there are.
    pub reactors: u32,
    /// Those that a thread of their own drives now, and not the event loop.
    pub driven_by_thread: u32,
    /// The threads that share the connections.
    pub threads: u32,
    /// Open ones, those that connect or were not delivered yet included.
    pub connections: u32,
    /// Handles that listen.
    pub listeners: u32,
    /// Connections whose bytes go to another one without JavaScript.
    pub relays: u32,
    /// Bytes that the kernel gave.
    pub received: f64,
    /// Bytes that the kernel took.
    pub sent: f64,
    /// Bytes that relays have moved.
    pub relayed: f64,
    /// Writes that waited for the end of a batch.
    pub batched: f64,
    /// How often what had waited was sent.
    pub flushed: f64,
    /// Memory of the process for bytes that were read ahead, in bytes.
    pub read_ahead: f64,
    /// The most that reads use of it, in bytes.
    pub read_ahead_limit: f64,
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What is open now and was moved until now, by this thread or by all of the process.
#[napi(catch_unwind)]
pub fn stats(everywhere: bool) -> Stats {
    let numbers = if everywhere {
        process_stats()
    } else {
        of_this_thread()
    };
    let ahead = read_ahead();
    Stats {
        reactors: small(numbers.reactors),
        driven_by_thread: small(numbers.driven_by_thread),
        threads: small(numbers.threads),
        connections: small(numbers.connections),
        listeners: small(numbers.listeners),
        relays: small(numbers.relays),
        received: count(numbers.moved.received),
        sent: count(numbers.moved.sent),
        relayed: count(numbers.moved.relayed),
        batched: count(numbers.moved.batched),
        flushed: count(numbers.moved.flushed),
        read_ahead: count(ahead.charged as u64),
        read_ahead_limit: count(ahead.limit as u64),
    }
}
