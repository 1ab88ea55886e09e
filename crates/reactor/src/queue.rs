//! The one way out: events in order, each with its own delivery.
//!
//! Two threads push: the reactor's, whose events gather until its runtime parks (or [`BATCH`] of them wait), so that
//! one burst of the kernel wakes the other side once; and JavaScript's own, whose events are announced before its event
//! loop can turn. `data` comes before `end` comes before `close` because of this queue, never because of a timer.
//!
//! What is announced while JavaScript runs the callbacks of a turn belongs to the next one ([`Phase`]): such events
//! stay here until the turn's end. What a call of JavaScript's own completed at once (a FIN with nothing before it)
//! then goes first: libuv runs such callbacks before it looks for I/O, so a program sees its `finish` before the answer
//! to it.
//!
//! Invariant: at least as many deliveries are asked of [`Wake`] as events are announced, and a delivery takes at most one
//! event. One that finds nothing is no error: it made the loop turn.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;

use crate::Event;
use crate::turn::{Asker, Phase};

/// How many unannounced events the reactor's thread lets gather at most.
const BATCH: usize = 32;

/// The other side of the queue. The core owns this trait and the binding implements it, so that the call goes up
/// while the import points down.
pub trait Wake: Send + Sync {
    /// Asks for `deliveries` calls of [`Reactor::next_event`](crate::Reactor::next_event) on the consumer's thread. Any
    /// thread may call it.
    fn wake(&self, deliveries: usize);
}

#[derive(Debug, Default)]
struct Queued {
    /// Each has its delivery.
    announced: VecDeque<Event>,
    /// Completed by the call that asked for them.
    completed: VecDeque<Event>,
    events: VecDeque<Event>,
    /// Wait for a whole poll of the consumer's loop that begins after them, and are in one.
    unpolled: VecDeque<Event>,
    polled: VecDeque<Event>,
    phase: Phase,
    /// Whether the consumer says where its loop is.
    turns: bool,
}

impl Queued {
    /// Announces what waits, if this is the time. Answers how many deliveries to ask for.
    fn announce(&mut self, asker: Asker) -> usize {
        if !self.phase.may_announce(asker) {
            return 0;
        }
        let deliveries = self.completed.len() + self.events.len();
        self.announced.append(&mut self.completed);
        self.announced.append(&mut self.events);
        deliveries
    }

    /// A delivery that may find nothing: it makes the loop turn, for what waits for a poll.
    fn nudge(&self) -> usize {
        usize::from(!self.unpolled.is_empty())
    }
}

/// Events on their way to JavaScript.
pub(crate) struct EventQueue {
    queued: Mutex<Queued>,
    wake: Box<dyn Wake>,
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue")
            .field("queued", &*self.queued.lock())
            .finish_non_exhaustive()
    }
}

impl EventQueue {
    pub(crate) fn new(wake: Box<dyn Wake>) -> Self {
        Self {
            queued: Mutex::default(),
            wake,
        }
    }

    /// Changes the queue, then asks for the deliveries that are due: outside of the lock, since whoever is woken pops.
    fn change(&self, change: impl FnOnce(&mut Queued) -> usize) {
        let deliveries = change(&mut self.queued.lock());
        if deliveries > 0 {
            self.wake.wake(deliveries);
        }
    }

    /// Queues an event of the reactor's thread; [`EventQueue::flush`] announces it.
    pub(crate) fn push(&self, event: Event) {
        self.change(|queued| {
            queued.events.push_back(event);
            if queued.events.len() >= BATCH {
                queued.announce(Asker::Reactor)
            } else {
                0
            }
        });
    }

    /// Queues and announces an event that the consumer's own thread caused.
    pub(crate) fn push_now(&self, event: Event) {
        self.change(|queued| {
            queued.events.push_back(event);
            queued.announce(Asker::Consumer)
        });
    }

    /// Queues and announces the end of what a call asked for, when it came with the call.
    pub(crate) fn push_completed(&self, event: Event) {
        self.change(|queued| {
            queued.completed.push_back(event);
            queued.announce(Asker::Consumer)
        });
    }

    /// Queues an event that the consumer's own thread caused, to be told when its loop has asked the kernel once: for
    /// what the kernel has news of its own about, to others than us.
    pub(crate) fn push_after_poll(&self, event: Event) {
        self.change(|queued| {
            if !queued.turns {
                queued.events.push_back(event);
                return queued.announce(Asker::Consumer);
            }
            queued.unpolled.push_back(event);
            if queued.phase.may_announce(Asker::Consumer) {
                queued.nudge()
            } else {
                0
            }
        });
    }

    /// The consumer will say where its loop is.
    pub(crate) fn keep_turns(&self) {
        self.queued.lock().turns = true;
    }

    /// Announces what was queued since the last time. For the reactor's thread: when its runtime is about to sleep.
    pub(crate) fn flush(&self, asker: Asker) {
        self.change(|queued| queued.announce(asker));
    }

    /// The consumer's loop is about to ask the kernel.
    pub(crate) fn poll_begins(&self) {
        let mut queued = self.queued.lock();
        let Queued {
            unpolled,
            polled,
            phase,
            ..
        } = &mut *queued;
        polled.append(unpolled);
        phase.poll_begins();
    }

    /// The consumer's loop has run the callbacks of its poll phase.
    pub(crate) fn poll_ended(&self) {
        self.change(|queued| {
            queued.phase.poll_ended();
            let Queued { events, polled, .. } = &mut *queued;
            events.append(polled);
            queued.announce(Asker::Consumer) + queued.nudge()
        });
    }

    /// The consumer's thread calls.
    pub(crate) fn running(&self) {
        self.queued.lock().phase.running();
    }

    /// Takes the next event, for the consumer's thread to hear.
    pub(crate) fn pop(&self) -> Option<Event> {
        let mut queued = self.queued.lock();
        queued.phase.running();
        queued.announced.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::HandleId;

    #[derive(Default)]
    struct Counter {
        calls: AtomicUsize,
        deliveries: AtomicUsize,
    }

    impl Wake for Arc<Counter> {
        fn wake(&self, deliveries: usize) {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.deliveries.fetch_add(deliveries, Ordering::Relaxed);
        }
    }

    fn event(n: u64) -> Event {
        Event::Readable {
            id: HandleId::from_bits(n),
        }
    }

    #[test]
    fn a_burst_is_announced_once_and_keeps_its_order() {
        let counter = Arc::new(Counter::default());
        let queue = EventQueue::new(Box::new(Arc::clone(&counter)));
        for n in 0..5 {
            queue.push(event(n));
        }
        assert_eq!(counter.calls.load(Ordering::Relaxed), 0);
        queue.flush(Asker::Reactor);
        queue.flush(Asker::Reactor);
        assert_eq!(counter.calls.load(Ordering::Relaxed), 1);
        assert_eq!(counter.deliveries.load(Ordering::Relaxed), 5);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, (0..5).map(event).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_call_completed_is_told_before_what_happened_meanwhile() {
        let queue = EventQueue::new(Box::new(Arc::new(Counter::default())));
        queue.poll_begins();
        queue.running();
        queue.push(event(1));
        queue.push_completed(event(2));
        queue.push_completed(event(3));
        assert_eq!(queue.pop(), None, "not in this turn");
        queue.poll_ended();
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [event(2), event(3), event(1)]);
    }

    #[test]
    fn what_waits_for_a_poll_is_told_after_a_whole_one_that_began_later() {
        let counter = Arc::new(Counter::default());
        let queue = EventQueue::new(Box::new(Arc::clone(&counter)));
        let deliveries = || counter.deliveries.swap(0, Ordering::Relaxed);
        queue.push_after_poll(event(1));
        assert_eq!(
            (deliveries(), queue.pop()),
            (1, Some(event(1))),
            "without turns at once"
        );
        queue.keep_turns();
        queue.push_after_poll(event(2));
        assert_eq!(deliveries(), 1, "the loop has to turn");
        queue.poll_begins();
        assert_eq!(queue.pop(), None);
        queue.push_after_poll(event(3));
        assert_eq!(deliveries(), 0);
        queue.poll_ended();
        assert_eq!(
            (deliveries(), queue.pop(), queue.pop()),
            (2, Some(event(2)), None)
        );
        queue.poll_begins();
        queue.poll_ended();
        assert_eq!(
            (deliveries(), queue.pop(), queue.pop()),
            (1, Some(event(3)), None)
        );
    }

    #[test]
    fn a_long_burst_does_not_wait_for_its_end() {
        let counter = Arc::new(Counter::default());
        let queue = EventQueue::new(Box::new(Arc::clone(&counter)));
        for n in 0..=BATCH as u64 {
            queue.push(event(n));
        }
        assert_eq!(counter.deliveries.load(Ordering::Relaxed), BATCH);
    }

    #[test]
    fn an_event_of_the_consumers_thread_takes_the_waiting_ones_along() {
        let counter = Arc::new(Counter::default());
        let queue = EventQueue::new(Box::new(Arc::clone(&counter)));
        queue.push(event(1));
        queue.push_now(event(2));
        assert_eq!(counter.calls.load(Ordering::Relaxed), 1);
        assert_eq!(counter.deliveries.load(Ordering::Relaxed), 2);
        assert_eq!(queue.pop(), Some(event(1)));
    }
}
