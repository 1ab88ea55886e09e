//! Whether the consumer's loop leaves driving to the reactor's thread though it turns: while relays are all
//! there is to do, or while the consumer has no time for more (`meter.rs`).
//!
//! Relays need no consumer, and the thread turns them with one system call for the poller where the loop
//! needs three. While the thread drives, the loop does not watch the poller and may sleep.

use crate::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How many turns of the loop had work for relays alone when they are delegated. A turn that has an event
/// outweighs [`TURNS_PER_EVENT`] of them.
const RELAY_ONLY_TURNS: u32 = 64;
/// With an event in so many turns or more often, the consumer's loop is the better driver.
const TURNS_PER_EVENT: u32 = 8;
/// How many events it takes to judge by.
const EVENTS_TO_JUDGE: u32 = 16;

/// What the thread drives for though the loop turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reason {
    /// Relays alone have work. The loop's thread begins and ends it.
    Relays = 1,
    /// The consumer's thread is busy. The reactor's thread begins and ends it.
    Load = 2,
}

/// No [`Reason`].
const NONE: u8 = 0;

#[derive(Debug, Default)]
pub(super) struct Delegation {
    /// A [`Reason`], or [`NONE`].
    reason: AtomicU8,
    /// Turns of the loop that speak for it.
    relay_only_turns: AtomicU32,
    /// Turns of the thread since it was last judged.
    thread_turns: AtomicU32,
}

impl Delegation {
    pub(super) fn is_for(&self, reason: Reason) -> bool {
        self.reason.load(Ordering::Relaxed) == reason as u8
    }

    /// The loop's turn is over, in which there were so many `events`, and relays had work or not. Returns
    /// whether it is time to delegate, if the loop can.
    pub(super) fn loop_turned(&self, events: usize, relayed: bool) -> bool {
        let before = self.relay_only_turns.load(Ordering::Relaxed);
        let turns = if events > 0 {
            before.saturating_sub(TURNS_PER_EVENT)
        } else {
            // A loop that is pinned never delegates, and goes on counting.
            before.saturating_add(u32::from(relayed))
        };
        self.relay_only_turns.store(turns, Ordering::Relaxed);
        turns >= RELAY_ONLY_TURNS
    }

    pub(super) fn begin(&self, reason: Reason) {
        self.relay_only_turns.store(0, Ordering::Relaxed);
        self.thread_turns.store(0, Ordering::Relaxed);
        self.reason.store(reason as u8, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.reason.store(NONE, Ordering::Relaxed);
    }

    /// A turn of the thread begins.
    pub(super) fn thread_turns(&self) {
        self.thread_turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the loop is to drive again, which ends a delegation of relays. `take_events` returns how many events
    /// the tasks have had since it last did, if those are as many as it is given.
    pub(super) fn ends(&self, take_events: impl FnOnce(u32) -> Option<u32>) -> bool {
        match self.reason.load(Ordering::Relaxed) {
            NONE => return true,
            reason if reason == Reason::Load as u8 => return false,
            _ => {}
        }
        let Some(events) = take_events(EVENTS_TO_JUDGE) else {
            return false;
        };
        let turns = self.thread_turns.swap(0, Ordering::Relaxed);
        let ends = turns < events.saturating_mul(TURNS_PER_EVENT);
        if ends {
            self.end();
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_delegated_when_they_alone_had_work_for_many_turns() {
        let delegation = Delegation::default();
        for _ in 1..RELAY_ONLY_TURNS {
            assert!(!delegation.loop_turned(0, true));
        }
        assert!(!delegation.loop_turned(0, false), "nothing had work");
        assert!(delegation.loop_turned(0, true));
    }

    #[test]
    fn a_turn_with_events_outweighs_several_without() {
        let delegation = Delegation::default();
        for _ in 0..1000 {
            for _ in 0..TURNS_PER_EVENT {
                assert!(!delegation.loop_turned(0, true));
            }
            assert!(!delegation.loop_turned(1, true));
        }
    }

    #[test]
    fn a_loop_that_never_delegates_counts_without_overflow() {
        let delegation = Delegation::default();
        delegation.relay_only_turns.store(u32::MAX - 1, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(delegation.loop_turned(0, true));
        }
    }

    #[test]
    fn it_ends_when_events_become_frequent() {
        let delegation = Delegation::default();
        delegation.begin(Reason::Relays);
        assert!(!delegation.ends(|_enough| None), "too few events to judge by");
        for _ in 0..TURNS_PER_EVENT * EVENTS_TO_JUDGE {
            delegation.thread_turns();
        }
        assert!(!delegation.ends(Some), "an event in so many turns");
        assert!(delegation.is_for(Reason::Relays));
        for _ in 1..TURNS_PER_EVENT * EVENTS_TO_JUDGE {
            delegation.thread_turns();
        }
        assert!(delegation.ends(Some));
        assert!(!delegation.is_for(Reason::Relays));
    }

    #[test]
    fn the_load_of_the_consumer_is_not_for_its_loop_to_judge() {
        let delegation = Delegation::default();
        delegation.begin(Reason::Load);
        assert!(!delegation.ends(Some));
        delegation.end();
        assert!(delegation.ends(|_enough| None));
    }
}
