//! A consumer with a loop of its own, which turns the reactor as libuv's does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferronet_reactor::{Drive, Event, Reactor, Sleep, Wake};

#[derive(Clone, Default)]
struct Wakes(Arc<AtomicUsize>);

impl Wake for Wakes {
    fn wake(&self, _deliveries: usize) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub struct Loop {
    pub reactor: Reactor,
    wakes: Wakes,
}

impl Loop {
    pub fn new(drive: Drive) -> Self {
        Self::with_threads(drive, 1)
    }

    pub fn with_threads(drive: Drive, threads: usize) -> Self {
        Self::sleeping(Sleep::Inside, drive, threads)
    }

    pub fn sleeping(sleep: Sleep, drive: Drive, threads: usize) -> Self {
        let wakes = Wakes::default();
        let reactor = Reactor::in_loop(Box::new(wakes.clone()), sleep, drive, threads);
        Self { reactor, wakes }
    }

    /// How often the loop was woken since its last turn.
    pub fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// Whether the reactor's poller is readable within so many milliseconds.
    pub fn poll(&self, milliseconds: i32) -> bool {
        let mut poller = libc::pollfd {
            fd: self.reactor.poller().unwrap(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one entry, which lives through the call.
        unsafe { libc::poll(&raw mut poller, 1, milliseconds) > 0 }
    }

    /// One turn, which waits for so many milliseconds if nothing is due. Gives each event to `deliver`, as
    /// one batch. Returns whether there was anything to do.
    pub fn turn(&self, milliseconds: i32, mut deliver: impl FnMut(Event)) -> bool {
        let mut deliver = |count: usize| {
            self.reactor.begin_batch();
            for _ in 0..count {
                if let Some(event) = self.reactor.next_event() {
                    deliver(event);
                }
            }
            self.reactor.end_batch();
        };
        deliver(self.reactor.completed());
        let is_due = self.reactor.poll_begins();
        let is_readable = self.poll(if is_due { 0 } else { milliseconds });
        if is_readable {
            deliver(self.reactor.turn());
        }
        let is_woken = self.wakes.0.swap(0, Ordering::SeqCst) > 0;
        if is_woken {
            self.reactor.woken();
        }
        deliver(self.reactor.poll_ended());
        self.reactor.turn_ended();
        is_due || is_readable || is_woken
    }
}
