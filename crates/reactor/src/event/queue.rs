//! The one way out: events in order, each with its own delivery.
//!
//! `data` comes before `end` comes before `close` because of this queue, never because of a timer.
//!
//! A consumer that says where its loop is ([`EventQueue::keep_turns`]) hears of things as libuv's callers do. libuv
//! asks the kernel once a turn, runs the callbacks of what it was told (the *poll phase*), then the program's
//! immediates, then the closing callbacks; what a callback brings about is told in the next turn. So such a consumer
//! takes what is there, all at once but each event by itself, when the reactor's poller has news or when it is rung for
//! ([`EventQueue::deliverable`]), and the rest stands in lanes until its time:
//! - `completed`: what a call of the consumer's own completed at once (a FIN with nothing before it). It has libuv's
//!   pending queue: before the poll, and right after it.
//! - `caused`: what else its own calls brought about. In the next turn, in its order.
//! - `unpolled`, `polled`: waits for a whole poll of the consumer's loop that begins after it.
//! - `closed`: the last events of closed handles, for the closing phase.
//!
//! A consumer's loop may be embedded in another one, which sleeps for it ([`EventQueue::embed`]; Electron's does). Its
//! thread then also runs the consumer outside of the loop's turns, and the loop may be asleep meanwhile: between two turns it is
//! rung, once, for what such calls bring about, and at the end of a turn for what is left.
//!
//! For any other consumer all is one lane, and each event asks for its delivery.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;

use crate::Event;

/// How many events the reactor's threads let gather at most before one asks for their delivery.
const BATCH: usize = 32;

/// The other side of the queue. The core owns this trait and the binding implements it, so that the call goes up
/// while the import points down.
pub trait Wake: Send + Sync {
    /// Asks for `deliveries` calls of [`Reactor::next_event`](crate::Reactor::next_event) on the consumer's thread; one
    /// that keeps turns is asked once for all that is there. A call may be for the reactor itself and find no event. Any
    /// thread may call it.
    fn wake(&self, deliveries: usize);
}

/// Whether the consumer says where its loop is, and where that loop is then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turns {
    /// It does not.
    #[default]
    Untold,
    /// It looks before it sleeps.
    Here,
    /// It is embedded, and in a turn or rung for the next one.
    Awake,
    /// It is embedded, between two turns, and was not rung yet.
    Away,
}

#[derive(Debug, Default)]
struct Queued {
    /// To be taken now.
    due: VecDeque<Event>,
    /// What the reactor's tasks have told, on whichever thread.
    events: VecDeque<Event>,
    completed: VecDeque<Event>,
    caused: VecDeque<Event>,
    unpolled: VecDeque<Event>,
    polled: VecDeque<Event>,
    closed: VecDeque<Event>,
    /// Of `events`: nobody was asked yet to take them.
    unasked: usize,
    /// What the tasks have told since the last time that was asked.
    told: u32,
    /// The consumer's loop drives all there is, and looks by itself.
    attended: bool,
    turns: Turns,
}

impl Queued {
    /// How many deliveries to ask for now.
    fn ask(&mut self) -> usize {
        let unasked = std::mem::take(&mut self.unasked);
        if self.keeps_turns() {
            unasked.min(1)
        } else {
            unasked
        }
    }

    fn keeps_turns(&self) -> bool {
        self.turns != Turns::Untold
    }

    /// Whether everything is told that is not for the closing phase.
    fn is_told(&self) -> bool {
        let lanes = [
            &self.due,
            &self.events,
            &self.completed,
            &self.caused,
            &self.unpolled,
            &self.polled,
        ];
        lanes.iter().all(|lane| lane.is_empty())
    }

    /// How many deliveries to ask for, so that a loop that may be asleep takes its next turn.
    fn call_back(&mut self) -> usize {
        let is_away = self.turns == Turns::Away;
        if is_away {
            self.turns = Turns::Awake;
        }
        usize::from(is_away)
    }

    /// Queues what the consumer's own call has brought about.
    fn push_caused(&mut self, event: Event, lane: impl FnOnce(&mut Self) -> &mut VecDeque<Event>) -> usize {
        if self.keeps_turns() {
            lane(self).push_back(event);
            // The consumer's thread is here, and looks before it sleeps, unless it sleeps elsewhere.
            return self.call_back();
        }
        self.events.push_back(event);
        self.unasked += 1;
        self.ask()
    }
}

/// Nearly always there is nothing to move, and a loop looks into each lane several times a turn.
fn move_all(from: &mut VecDeque<Event>, to: &mut VecDeque<Event>) {
    if !from.is_empty() {
        to.append(from);
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

    /// Queues an event of a task; [`EventQueue::flush`], or the turn of the loop that runs the task, has it delivered.
    pub(crate) fn push(&self, event: Event) {
        self.change(|queued| {
            queued.events.push_back(event);
            queued.unasked += 1;
            queued.told = queued.told.saturating_add(1);
            if queued.unasked >= BATCH && !queued.attended {
                queued.ask()
            } else {
                0
            }
        });
    }

    /// Queues an event that the consumer's own thread caused.
    pub(crate) fn push_caused(&self, event: Event) {
        self.change(|queued| queued.push_caused(event, |queued| &mut queued.caused));
    }

    /// Queues the end of what a call asked for, when it came with the call.
    pub(crate) fn push_completed(&self, event: Event) {
        self.change(|queued| queued.push_caused(event, |queued| &mut queued.completed));
    }

    /// Queues an event that the consumer's own thread caused, to be told when its loop has asked the kernel once: for
    /// what the kernel has news of its own about, to others than us.
    pub(crate) fn push_after_poll(&self, event: Event) {
        self.change(|queued| queued.push_caused(event, |queued| &mut queued.unpolled));
    }

    /// Queues the last event of a handle.
    pub(crate) fn push_closed(&self, event: Event) {
        self.change(|queued| queued.push_caused(event, |queued| &mut queued.closed));
    }

    /// The consumer will say where its loop is.
    pub(crate) fn keep_turns(&self) {
        self.queued.lock().turns = Turns::Here;
    }

    /// The loop of the consumer, who keeps turns, is embedded in another. At first it may be asleep.
    pub(crate) fn embed(&self) {
        self.queued.lock().turns = Turns::Away;
    }

    /// Whether the consumer's loop drives all tasks, and so finds what they tell without being asked.
    pub(crate) fn attended(&self, attended: bool) {
        self.queued.lock().attended = attended;
    }

    /// How many events of tasks there were since the last time, once that were `enough`.
    pub(crate) fn take_told_from(&self, enough: u32) -> Option<u32> {
        let told = &mut self.queued.lock().told;
        (*told >= enough).then(|| std::mem::take(told))
    }

    /// Asks for the delivery of what was queued since the last time. For a thread of the reactor's: when its runtime is
    /// about to sleep.
    pub(crate) fn flush(&self) {
        self.change(Queued::ask);
    }

    /// Has a consumer that keeps turns look, whether or not there is anything new.
    pub(crate) fn ring(&self) {
        self.change(|queued| {
            let unasked = queued.ask();
            if queued.keeps_turns() { 1 } else { unasked }
        });
    }

    /// The consumer's loop is about to ask the kernel. Answers whether there is something to tell when it has, so that
    /// it must not sleep.
    pub(crate) fn poll_begins(&self) -> bool {
        let mut queued = self.queued.lock();
        let Queued {
            due,
            events,
            completed,
            caused,
            unpolled,
            polled,
            unasked,
            turns,
            ..
        } = &mut *queued;
        if *turns == Turns::Away {
            *turns = Turns::Awake;
        }
        move_all(caused, due);
        move_all(events, due);
        move_all(unpolled, polled);
        *unasked = 0;
        !due.is_empty() || !polled.is_empty() || !completed.is_empty()
    }

    /// How many ends of calls there are to take now.
    pub(crate) fn completed(&self) -> usize {
        let mut queued = self.queued.lock();
        let Queued { due, completed, .. } = &mut *queued;
        move_all(completed, due);
        due.len()
    }

    /// In the poll phase: how many events there are to take now. What is queued from now on is not among them.
    pub(crate) fn deliverable(&self) -> usize {
        let mut queued = self.queued.lock();
        let Queued {
            due, events, unasked, ..
        } = &mut *queued;
        move_all(events, due);
        *unasked = 0;
        due.len()
    }

    /// At the end of the poll phase: how many events are left to take in this turn.
    pub(crate) fn poll_ended(&self) -> usize {
        let mut queued = self.queued.lock();
        let Queued { due, polled, .. } = &mut *queued;
        move_all(polled, due);
        due.len()
    }

    /// The consumer's loop has told all that it will in this turn. One that is embedded is rung, if there is more to tell
    /// or `more` to do, since it may fall asleep before it looks.
    pub(crate) fn turn_ended(&self, more: bool) {
        self.change(|queued| {
            if queued.turns == Turns::Awake {
                queued.turns = Turns::Away;
            }
            if more || !queued.is_told() {
                queued.call_back()
            } else {
                0
            }
        });
    }

    /// The consumer's own call has brought about a turn of its loop, of which the queue knows nothing.
    pub(crate) fn call_back(&self) {
        self.change(Queued::call_back);
    }

    /// In the closing phase: the next of the last events.
    pub(crate) fn pop_closed(&self) -> Option<Event> {
        self.queued.lock().closed.pop_front()
    }

    /// Takes the next event.
    pub(crate) fn pop(&self) -> Option<Event> {
        let mut queued = self.queued.lock();
        if queued.keeps_turns() {
            queued.due.pop_front()
        } else {
            queued.events.pop_front()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::HandleId;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Arc<Counter> {
        fn wake(&self, deliveries: usize) {
            self.0.fetch_add(deliveries, Ordering::Relaxed);
        }
    }

    /// A queue, and how many deliveries it has asked for since the last time.
    fn queue(turns: bool) -> (EventQueue, impl Fn() -> usize) {
        let counter = Arc::new(Counter::default());
        let queue = EventQueue::new(Box::new(Arc::clone(&counter)));
        if turns {
            queue.keep_turns();
        }
        (queue, move || counter.0.swap(0, Ordering::Relaxed))
    }

    fn event(n: u64) -> Event {
        Event::Readable {
            id: HandleId::from_bits(n),
        }
    }

    fn all(queue: &EventQueue) -> Vec<Event> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn each_event_asks_for_its_delivery_and_a_burst_only_when_it_ends() {
        let (queue, asked) = queue(false);
        for n in 0..5 {
            queue.push(event(n));
        }
        assert_eq!(asked(), 0);
        queue.flush();
        queue.flush();
        assert_eq!(asked(), 5);
        assert_eq!(all(&queue), (0..5).map(event).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_burst_does_not_wait_for_its_end() {
        let (queue, asked) = queue(false);
        for n in 0..=BATCH as u64 {
            queue.push(event(n));
        }
        assert_eq!(asked(), BATCH);
    }

    #[test]
    fn an_event_of_the_consumers_thread_takes_the_waiting_ones_along() {
        let (queue, asked) = queue(false);
        queue.push(event(1));
        queue.push_caused(event(2));
        assert_eq!(asked(), 2);
        assert_eq!(queue.pop(), Some(event(1)));
    }

    #[test]
    fn a_consumer_that_keeps_turns_is_rung_once_for_all() {
        let (queue, asked) = queue(true);
        queue.push(event(1));
        queue.push(event(2));
        queue.flush();
        assert_eq!(asked(), 1);
        assert_eq!(queue.deliverable(), 2);
        assert_eq!(all(&queue), [event(1), event(2)]);
    }

    #[test]
    fn while_its_loop_drives_it_is_not_rung() {
        let (queue, asked) = queue(true);
        queue.attended(true);
        for n in 0..=BATCH as u64 {
            queue.push(event(n));
        }
        assert_eq!(asked(), 0);
        assert_eq!(queue.deliverable(), BATCH + 1);
    }

    #[test]
    fn what_a_callback_brings_about_is_told_in_the_next_turn_and_completions_before_it_ends() {
        let (queue, _asked) = queue(true);
        queue.push(event(1));
        assert_eq!(queue.deliverable(), 1);
        assert_eq!(queue.pop(), Some(event(1)));
        queue.push_caused(event(3));
        queue.push_completed(event(2));
        assert_eq!(queue.pop(), None, "not in this turn");
        assert_eq!(queue.poll_ended(), 0);
        assert_eq!(queue.completed(), 1);
        assert_eq!(all(&queue), [event(2)]);
        assert!(queue.poll_begins(), "the loop must not sleep");
        queue.push(event(4));
        assert_eq!(queue.deliverable(), 2);
        assert_eq!(all(&queue), [event(3), event(4)]);
        assert!(!queue.poll_begins());
        queue.push_completed(event(5));
        assert!(queue.poll_begins(), "nor for what was completed");
    }

    #[test]
    fn what_waits_for_a_poll_is_told_after_a_whole_one_that_began_later() {
        let (queue, _asked) = queue(true);
        queue.push_after_poll(event(1));
        assert!(queue.poll_begins(), "the loop has to turn");
        queue.push_after_poll(event(2));
        assert_eq!(queue.deliverable(), 0);
        assert_eq!(queue.poll_ended(), 1);
        assert_eq!(all(&queue), [event(1)]);
        assert!(queue.poll_begins());
        assert_eq!(queue.poll_ended(), 1);
        assert_eq!(all(&queue), [event(2)]);
    }

    #[test]
    fn a_loop_that_sleeps_in_its_turns_needs_no_ring_for_its_own_calls() {
        let (queue, asked) = queue(true);
        queue.turn_ended(true);
        queue.push_caused(event(1));
        queue.call_back();
        assert_eq!(asked(), 0);
    }

    #[test]
    fn an_embedded_loop_is_rung_once_between_two_turns() {
        let (queue, asked) = queue(true);
        queue.embed();
        queue.push_caused(event(1));
        queue.push_completed(event(2));
        queue.call_back();
        assert_eq!(asked(), 1, "it may be asleep from the start");
        assert!(queue.poll_begins());
        queue.push_caused(event(3));
        assert_eq!(asked(), 0, "it is awake");
        assert_eq!(queue.completed(), 2);
        assert_eq!(all(&queue), [event(1), event(2)]);
        queue.turn_ended(false);
        assert_eq!(asked(), 1, "something is left");
        assert!(queue.poll_begins());
        assert_eq!((queue.deliverable(), queue.pop()), (1, Some(event(3))));
        queue.turn_ended(false);
        assert_eq!(asked(), 0);
        queue.push_closed(event(4));
        assert_eq!(asked(), 1);
        queue.turn_ended(true);
        assert_eq!(asked(), 1, "a task is due");
    }

    #[test]
    fn last_events_are_for_the_closing_phase() {
        let (queue, _asked) = queue(true);
        queue.push_closed(event(1));
        assert!(!queue.poll_begins());
        assert_eq!((queue.pop(), queue.pop_closed()), (None, Some(event(1))));
    }
}
