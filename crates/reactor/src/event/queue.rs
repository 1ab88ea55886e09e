//! The one way out: events in order, each with its own delivery.
//!
//! `data` comes before `end` comes before `close` because of this queue, never because of a timer. Which
//! event is due when is decided by [`Lanes`]; this is the lock around them, and what asks the consumer to
//! take what is due.

use std::fmt;

use ferronet_core::lanes::{Lane, Lanes};

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

use super::event::Event;
use super::wake::Wake;

/// Events on their way to the consumer.
pub(crate) struct EventQueue {
    lanes: Mutex<Lanes<Event>>,
    /// [`Lanes::is_quiet`], changed under the lock: a loop asks six times a turn, and nearly always in vain.
    /// Who queues an event on another thread wakes the loop afterwards, so it does not matter if that finds an
    /// older value.
    is_quiet: AtomicBool,
    consumer: Box<dyn Wake>,
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue")
            .field("lanes", &*self.lanes.lock())
            .finish_non_exhaustive()
    }
}

impl EventQueue {
    pub(crate) fn new(consumer: Box<dyn Wake>) -> Self {
        Self {
            lanes: Mutex::default(),
            is_quiet: AtomicBool::new(false),
            consumer,
        }
    }

    /// Changes the lanes, then asks for the deliveries that are due: outside of the lock, which the consumer
    /// takes when it is woken.
    fn change(&self, change: impl FnOnce(&mut Lanes<Event>) -> usize) {
        let mut lanes = self.lanes.lock();
        let deliveries = change(&mut lanes);
        self.is_quiet.store(false, Ordering::Release);
        drop(lanes);
        if deliveries > 0 {
            self.consumer.wake(deliveries);
        }
    }

    /// What `phase` finds in the lanes; the default while they are quiet.
    fn in_phase<T: Default>(&self, phase: impl FnOnce(&mut Lanes<Event>) -> T) -> T {
        if self.is_quiet.load(Ordering::Acquire) {
            return T::default();
        }
        let mut lanes = self.lanes.lock();
        let found = phase(&mut lanes);
        self.is_quiet.store(lanes.is_quiet(), Ordering::Release);
        found
    }

    /// Queues an event of a task; [`EventQueue::flush`], or the turn of the loop that runs the task, has it
    /// delivered.
    pub(crate) fn push(&self, event: Event) {
        self.change(|lanes| lanes.push_from_task(event));
    }

    /// Queues an event that a call of the consumer has caused.
    pub(crate) fn push_in(&self, lane: Lane, event: Event) {
        self.change(|lanes| lanes.push_from_consumer(event, lane));
    }

    /// As [`EventQueue::push_in`], for the next turn of the consumer's loop.
    pub(crate) fn push_next_turn(&self, event: Event) {
        self.push_in(Lane::NextTurn, event);
    }

    /// Queues the end of what a call of the consumer asked for, when it came with the call.
    pub(crate) fn push_pending(&self, event: Event) {
        self.push_in(Lane::Pending, event);
    }

    /// Queues the last event of a handle.
    pub(crate) fn push_closing(&self, event: Event) {
        self.push_in(Lane::Closing, event);
    }

    /// [`Lanes::track_loop`].
    pub(crate) fn track_loop(&self) {
        self.lanes.lock().track_loop();
    }

    /// [`Lanes::track_embedded_loop`].
    pub(crate) fn track_embedded_loop(&self) {
        self.lanes.lock().track_embedded_loop();
    }

    /// [`Lanes::set_loop_drives`].
    pub(crate) fn set_loop_drives(&self, loop_drives: bool) {
        self.lanes.lock().set_loop_drives(loop_drives);
    }

    /// [`Lanes::take_task_events`].
    pub(crate) fn take_task_events(&self, enough: u32) -> Option<u32> {
        self.lanes.lock().take_task_events(enough)
    }

    /// [`Lanes::taken`].
    pub(crate) fn taken(&self) -> u32 {
        self.lanes.lock().taken()
    }

    /// Asks for the delivery of what was queued since the last time. For a thread of the reactor's: when its
    /// runtime is about to sleep.
    pub(crate) fn flush(&self) {
        self.change(Lanes::ask);
    }

    /// Wakes a consumer that reports the phases of its loop, whether or not there is anything new.
    pub(crate) fn wake_consumer(&self) {
        self.change(Lanes::ask_anyway);
    }

    /// A call of the consumer has given its loop something to do, of which the queue knows nothing.
    pub(crate) fn wake_embedded(&self) {
        self.change(Lanes::wake_embedded);
    }

    // ---- the phases of the consumer's loop

    /// [`Lanes::poll_begins`].
    pub(crate) fn poll_begins(&self) -> bool {
        self.in_phase(Lanes::poll_begins)
    }

    /// [`Lanes::run_pending`].
    pub(crate) fn run_pending(&self) -> usize {
        self.in_phase(Lanes::run_pending)
    }

    /// [`Lanes::deliverable`].
    pub(crate) fn deliverable(&self) -> usize {
        self.in_phase(Lanes::deliverable)
    }

    /// [`Lanes::poll_ended`].
    pub(crate) fn poll_ended(&self) -> usize {
        self.in_phase(Lanes::poll_ended)
    }

    /// [`Lanes::turn_ended`].
    pub(crate) fn turn_ended(&self, more: bool) {
        if !self.is_quiet.load(Ordering::Acquire) {
            self.change(|lanes| lanes.turn_ended(more));
        }
    }

    /// Takes the next event that is due.
    pub(crate) fn pop(&self) -> Option<Event> {
        self.in_phase(Lanes::pop)
    }

    /// In the closing phase: takes the next of the last events.
    pub(crate) fn pop_closing(&self) -> Option<Event> {
        self.lanes.lock().pop_closing()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ferronet_core::handles::HandleId;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Arc<Counter> {
        fn wake(&self, deliveries: usize) {
            self.0.fetch_add(deliveries, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_consumer_is_asked_for_the_deliveries_that_are_due() {
        let asked = Arc::new(Counter::default());
        let queue = EventQueue::new(Box::new(Arc::clone(&asked)));
        let event = Event::Readable { id: HandleId::NONE };
        queue.push(event);
        queue.push_next_turn(event);
        assert_eq!(asked.0.swap(0, Ordering::Relaxed), 2);
        queue.push(event);
        assert_eq!(asked.0.load(Ordering::Relaxed), 0, "a burst asks when it ends");
        queue.flush();
        assert_eq!(asked.0.load(Ordering::Relaxed), 1);
    }

    /// Takes what it is asked to take, on the thread that asks.
    struct TakesAtOnce(std::sync::Weak<Consumer>);

    struct Consumer {
        queue: EventQueue,
        taken: AtomicUsize,
    }

    impl Wake for TakesAtOnce {
        fn wake(&self, deliveries: usize) {
            if let Some(consumer) = self.0.upgrade() {
                for _ in 0..deliveries {
                    assert!(consumer.queue.pop().is_some());
                }
                consumer.taken.fetch_add(deliveries, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn a_consumer_may_take_events_while_it_is_asked_to() {
        let consumer = Arc::new_cyclic(|weak: &std::sync::Weak<Consumer>| Consumer {
            queue: EventQueue::new(Box::new(TakesAtOnce(std::sync::Weak::clone(weak)))),
            taken: AtomicUsize::new(0),
        });
        consumer
            .queue
            .push_pending(Event::Readable { id: HandleId::NONE });
        assert_eq!(consumer.taken.load(Ordering::Relaxed), 1);
    }
}
