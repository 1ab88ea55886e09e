//! Events in the order in which a consumer is to see them, in lanes that are the phases of libuv's loop.
//!
//! A consumer that reports the phases of its loop ([`Lanes::track_loop`]) sees events as libuv's callers do.
//! libuv asks the kernel once a turn and runs the callbacks of what the kernel reported (the *poll phase*),
//! then the program's immediates, then the closing callbacks; what a callback causes is reported in the next
//! turn. So such a consumer takes what is due, all at once but each event by itself, when the poller is
//! readable or when it is woken ([`Lanes::deliverable`]). The rest waits in its lane ([`Lane`]).
//!
//! The loop of a consumer may be embedded in another one, which sleeps for it
//! ([`Lanes::track_embedded_loop`]; Electron's is). That thread then also runs the consumer outside of the
//! loop's turns, and the loop may be asleep meanwhile: between two turns it is woken, once, for what such
//! calls cause, and at the end of a turn for what is left.
//!
//! For any other consumer everything is one lane, and each event asks for its own delivery.
//!
//! What queues an event returns how many deliveries to ask the consumer for now.

use std::collections::VecDeque;

/// How many events of tasks gather at most before their delivery is asked for.
const BATCH: usize = 32;

/// When a consumer that reports the phases of its loop sees an event that its own call has caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What the call has completed at once, such as a FIN with nothing before it. libuv's pending queue:
    /// before the poll, and right after it.
    Pending,
    /// In the next turn, in its order.
    NextTurn,
    /// After a whole poll that begins later.
    AfterPoll,
    /// The last event of a handle: in the closing phase.
    Closing,
}

/// What is known of the consumer's loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Loop {
    /// It does not report its phases.
    #[default]
    Untracked,
    /// It sleeps in its own poll phase, and looks for events before it does.
    Own,
    /// It is embedded, and in a turn or woken for the next one.
    EmbeddedAwake,
    /// It is embedded and between two turns, and was not woken yet.
    EmbeddedIdle,
}

/// Events of type `E`, on their way to the consumer.
#[derive(Debug)]
pub struct Lanes<E> {
    /// To be taken now.
    due: VecDeque<E>,
    /// From tasks, on whichever thread.
    from_tasks: VecDeque<E>,
    pending: VecDeque<E>,
    next_turn: VecDeque<E>,
    /// For [`Lane::AfterPoll`], before such a poll has begun.
    before_poll: VecDeque<E>,
    /// For [`Lane::AfterPoll`], since such a poll has begun.
    in_poll: VecDeque<E>,
    closing: VecDeque<E>,
    /// How many of `from_tasks` no delivery was asked for.
    unasked: usize,
    /// How many events came from tasks since [`Lanes::take_task_events`] last returned them.
    task_events: u32,
    /// How often the consumer has asked for the next event, modulo 2^32.
    taken: u32,
    /// The consumer's loop runs all tasks, and finds their events without being asked.
    loop_drives: bool,
    consumer: Loop,
}

impl<E> Default for Lanes<E> {
    fn default() -> Self {
        Self {
            due: VecDeque::new(),
            from_tasks: VecDeque::new(),
            pending: VecDeque::new(),
            next_turn: VecDeque::new(),
            before_poll: VecDeque::new(),
            in_poll: VecDeque::new(),
            closing: VecDeque::new(),
            unasked: 0,
            task_events: 0,
            taken: 0,
            loop_drives: false,
            consumer: Loop::default(),
        }
    }
}

/// Nearly always there is nothing to move, or nothing behind which it has to go, and a loop looks into each
/// lane several times a turn.
fn move_all<E>(from: &mut VecDeque<E>, to: &mut VecDeque<E>) {
    if to.is_empty() {
        std::mem::swap(from, to);
    } else if !from.is_empty() {
        to.append(from);
    }
}

impl<E> Lanes<E> {
    /// The consumer will report the phases of its loop.
    pub fn track_loop(&mut self) {
        self.consumer = Loop::Own;
    }

    /// As [`Lanes::track_loop`], of a loop that is embedded in another one. It may be asleep from the start.
    pub fn track_embedded_loop(&mut self) {
        self.consumer = Loop::EmbeddedIdle;
    }

    fn is_tracked(&self) -> bool {
        self.consumer != Loop::Untracked
    }

    /// Whether the consumer's loop runs all tasks, and so finds their events without being asked.
    pub fn set_loop_drives(&mut self, loop_drives: bool) {
        self.loop_drives = loop_drives;
    }

    // ---- in

    /// Queues an event of a task. It is delivered after [`Lanes::ask`], or by the turn of the loop that runs
    /// the task.
    pub fn push_from_task(&mut self, event: E) -> usize {
        self.from_tasks.push_back(event);
        self.unasked += 1;
        self.task_events = self.task_events.saturating_add(1);
        if self.unasked >= BATCH && !self.loop_drives {
            self.ask()
        } else {
            0
        }
    }

    /// Queues an event that a call of the consumer has caused, on its own thread.
    pub fn push_from_consumer(&mut self, event: E, lane: Lane) -> usize {
        if !self.is_tracked() {
            self.from_tasks.push_back(event);
            self.unasked += 1;
            return self.ask();
        }
        match lane {
            Lane::Pending => self.pending.push_back(event),
            Lane::NextTurn => self.next_turn.push_back(event),
            Lane::AfterPoll => self.before_poll.push_back(event),
            Lane::Closing => self.closing.push_back(event),
        }
        // The consumer's loop looks before it sleeps, unless another one sleeps for it.
        self.wake_embedded()
    }

    /// Asks for the delivery of what tasks have queued since the last time.
    pub fn ask(&mut self) -> usize {
        let unasked = std::mem::take(&mut self.unasked);
        if self.is_tracked() {
            unasked.min(1)
        } else {
            unasked
        }
    }

    /// As [`Lanes::ask`]; a consumer that reports its phases is asked whether or not there is anything new.
    pub fn ask_anyway(&mut self) -> usize {
        let unasked = self.ask();
        if self.is_tracked() { 1 } else { unasked }
    }

    /// Asks an embedded loop that may be asleep to take its next turn.
    pub fn wake_embedded(&mut self) -> usize {
        let may_sleep = self.consumer == Loop::EmbeddedIdle;
        if may_sleep {
            self.consumer = Loop::EmbeddedAwake;
        }
        usize::from(may_sleep)
    }

    /// How many events came from tasks since they were last taken, if there are `enough`.
    pub fn take_task_events(&mut self, enough: u32) -> Option<u32> {
        (self.task_events >= enough).then(|| std::mem::take(&mut self.task_events))
    }

    /// How often the consumer has asked for the next event, modulo 2^32.
    pub fn taken(&self) -> u32 {
        self.taken
    }

    // ---- the phases of the consumer's loop

    /// The loop is about to ask the kernel. Returns whether something will be due after that, so that it must
    /// not sleep.
    pub fn poll_begins(&mut self) -> bool {
        if self.consumer == Loop::EmbeddedIdle {
            self.consumer = Loop::EmbeddedAwake;
        }
        move_all(&mut self.next_turn, &mut self.due);
        move_all(&mut self.from_tasks, &mut self.due);
        move_all(&mut self.before_poll, &mut self.in_poll);
        self.unasked = 0;
        !self.due.is_empty() || !self.in_poll.is_empty() || !self.pending.is_empty()
    }

    /// The loop runs its pending queue: how many events are due.
    pub fn run_pending(&mut self) -> usize {
        move_all(&mut self.pending, &mut self.due);
        self.due.len()
    }

    /// In the poll phase: how many events are due. What is queued from now on is not among them.
    pub fn deliverable(&mut self) -> usize {
        move_all(&mut self.from_tasks, &mut self.due);
        self.unasked = 0;
        self.due.len()
    }

    /// At the end of the poll phase: how many events are left to take in this turn.
    pub fn poll_ended(&mut self) -> usize {
        move_all(&mut self.in_poll, &mut self.due);
        self.due.len()
    }

    /// The loop has taken all that it will in this turn. One that is embedded may fall asleep before it looks
    /// again, so it is woken if events are left, or if there is `more` to do.
    pub fn turn_ended(&mut self, more: bool) -> usize {
        if self.consumer == Loop::EmbeddedAwake {
            self.consumer = Loop::EmbeddedIdle;
        }
        if more || self.has_events_before_closing() {
            self.wake_embedded()
        } else {
            0
        }
    }

    fn has_events_before_closing(&self) -> bool {
        let lanes = [
            &self.due,
            &self.from_tasks,
            &self.pending,
            &self.next_turn,
            &self.before_poll,
            &self.in_poll,
        ];
        lanes.iter().any(|lane| !lane.is_empty())
    }

    /// Whether the phases of the loop, but for the closing one, would find nothing and change nothing until an
    /// event is queued. Never so for a loop that is embedded, whose phases decide whether it is woken.
    pub fn is_quiet(&self) -> bool {
        self.consumer == Loop::Own && self.unasked == 0 && !self.has_events_before_closing()
    }

    // ---- out

    /// Takes the next event that is due.
    pub fn pop(&mut self) -> Option<E> {
        self.taken = self.taken.wrapping_add(1);
        if self.is_tracked() {
            self.due.pop_front()
        } else {
            self.from_tasks.pop_front()
        }
    }

    /// In the closing phase: takes the next event of that lane.
    pub fn pop_closing(&mut self) -> Option<E> {
        self.closing.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn untracked() -> Lanes<u64> {
        Lanes::default()
    }

    fn tracked() -> Lanes<u64> {
        let mut lanes = Lanes::default();
        lanes.track_loop();
        lanes
    }

    fn all(lanes: &mut Lanes<u64>) -> Vec<u64> {
        std::iter::from_fn(|| lanes.pop()).collect()
    }

    #[test]
    fn each_event_asks_for_its_delivery_and_a_burst_only_when_it_ends() {
        let mut lanes = untracked();
        for n in 0..5 {
            assert_eq!(lanes.push_from_task(n), 0);
        }
        assert_eq!((lanes.ask(), lanes.ask()), (5, 0));
        assert_eq!(all(&mut lanes), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_long_burst_does_not_wait_for_its_end() {
        let mut lanes = untracked();
        let asked: usize = (0..=BATCH as u64).map(|n| lanes.push_from_task(n)).sum();
        assert_eq!(asked, BATCH);
    }

    #[test]
    fn an_event_that_the_consumer_causes_takes_the_waiting_ones_along() {
        let mut lanes = untracked();
        assert_eq!(lanes.push_from_task(1), 0);
        assert_eq!(lanes.push_from_consumer(2, Lane::NextTurn), 2);
        assert_eq!(all(&mut lanes), [1, 2]);
    }

    #[test]
    fn a_tracked_loop_is_woken_once_for_all() {
        let mut lanes = tracked();
        lanes.push_from_task(1);
        lanes.push_from_task(2);
        assert_eq!(lanes.ask(), 1);
        assert_eq!(lanes.deliverable(), 2);
        assert_eq!(all(&mut lanes), [1, 2]);
        assert_eq!((lanes.ask(), lanes.ask_anyway()), (0, 1));
    }

    #[test]
    fn a_loop_that_drives_is_not_woken() {
        let mut lanes = tracked();
        lanes.set_loop_drives(true);
        let asked: usize = (0..=BATCH as u64).map(|n| lanes.push_from_task(n)).sum();
        assert_eq!(asked, 0);
        assert_eq!(lanes.deliverable(), BATCH + 1);
    }

    #[test]
    fn events_of_tasks_are_counted_until_they_are_enough() {
        let mut lanes = tracked();
        lanes.push_from_task(1);
        lanes.push_from_consumer(2, Lane::NextTurn);
        assert_eq!(lanes.take_task_events(2), None);
        lanes.push_from_task(3);
        assert_eq!(lanes.take_task_events(2), Some(2));
        assert_eq!(lanes.take_task_events(1), None);
    }

    #[test]
    fn what_a_callback_causes_is_due_in_the_next_turn_and_completions_before_it_ends() {
        let mut lanes = tracked();
        lanes.push_from_task(1);
        assert_eq!(lanes.deliverable(), 1);
        assert_eq!(lanes.pop(), Some(1));
        lanes.push_from_consumer(3, Lane::NextTurn);
        lanes.push_from_consumer(2, Lane::Pending);
        assert_eq!(lanes.pop(), None, "not in this turn");
        assert_eq!(lanes.poll_ended(), 0);
        assert_eq!(lanes.run_pending(), 1);
        assert_eq!(all(&mut lanes), [2]);
        assert!(lanes.poll_begins(), "the loop must not sleep");
        lanes.push_from_task(4);
        assert_eq!(lanes.deliverable(), 2);
        assert_eq!(all(&mut lanes), [3, 4]);
        assert!(!lanes.poll_begins());
        lanes.push_from_consumer(5, Lane::Pending);
        assert!(lanes.poll_begins(), "nor for what was completed");
    }

    #[test]
    fn what_waits_for_a_poll_is_due_after_a_whole_one_that_began_later() {
        let mut lanes = tracked();
        lanes.push_from_consumer(1, Lane::AfterPoll);
        assert!(lanes.poll_begins(), "the loop has to turn");
        lanes.push_from_consumer(2, Lane::AfterPoll);
        assert_eq!(lanes.deliverable(), 0);
        assert_eq!(lanes.poll_ended(), 1);
        assert_eq!(all(&mut lanes), [1]);
        assert!(lanes.poll_begins());
        assert_eq!(lanes.poll_ended(), 1);
        assert_eq!(all(&mut lanes), [2]);
    }

    #[test]
    fn a_loop_that_sleeps_in_its_turns_is_not_woken_for_its_own_calls() {
        let mut lanes = tracked();
        let asked = [
            lanes.turn_ended(true),
            lanes.push_from_consumer(1, Lane::NextTurn),
            lanes.wake_embedded(),
        ];
        assert_eq!(asked, [0, 0, 0]);
    }

    #[test]
    fn an_embedded_loop_is_woken_once_between_two_turns() {
        let mut lanes = Lanes::default();
        lanes.track_embedded_loop();
        let asked = lanes.push_from_consumer(1, Lane::NextTurn);
        assert_eq!(asked, 1, "it may be asleep from the start");
        assert_eq!(lanes.push_from_consumer(2, Lane::Pending), 0);
        assert_eq!(lanes.wake_embedded(), 0);
        assert!(lanes.poll_begins());
        let asked = lanes.push_from_consumer(3, Lane::NextTurn);
        assert_eq!(asked, 0, "it is awake");
        assert_eq!(lanes.run_pending(), 2);
        assert_eq!(all(&mut lanes), [1, 2]);
        assert_eq!(lanes.turn_ended(false), 1, "something is left");
        assert!(lanes.poll_begins());
        assert_eq!((lanes.deliverable(), lanes.pop()), (1, Some(3)));
        assert_eq!(lanes.turn_ended(false), 0);
        assert_eq!(lanes.push_from_consumer(4, Lane::Closing), 1);
        assert_eq!(lanes.turn_ended(true), 1, "a task is due");
    }

    #[test]
    fn lanes_are_quiet_while_no_phase_would_find_anything() {
        let mut lanes = tracked();
        assert!(lanes.is_quiet());
        for lane in [Lane::Pending, Lane::NextTurn, Lane::AfterPoll] {
            lanes.push_from_consumer(1, lane);
            assert!(!lanes.is_quiet(), "{lane:?}");
            lanes.poll_begins();
            lanes.poll_ended();
            lanes.run_pending();
            assert_eq!(all(&mut lanes), [1]);
            assert!(lanes.is_quiet(), "{lane:?}");
        }
        lanes.push_from_consumer(1, Lane::Closing);
        assert!(lanes.is_quiet(), "the closing phase is another matter");
        lanes.push_from_task(1);
        assert!(!lanes.is_quiet());
        let mut embedded = Lanes::<u64>::default();
        embedded.track_embedded_loop();
        assert!(!embedded.is_quiet());
        assert!(!untracked().is_quiet());
    }

    #[test]
    fn last_events_are_for_the_closing_phase() {
        let mut lanes = tracked();
        lanes.push_from_consumer(1, Lane::Closing);
        assert!(!lanes.poll_begins());
        assert_eq!((lanes.pop(), lanes.pop_closing()), (None, Some(1)));
    }
}
