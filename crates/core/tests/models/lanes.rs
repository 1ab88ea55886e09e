//! A loop that turns as libuv's does, and callbacks and other threads that queue events at any moment of it.

use std::collections::HashMap;

use ferronet_core::lanes::{Lane, Lanes};
use proptest::prelude::*;

/// Who queues an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum From {
    Task,
    Consumer(&'static str),
}

const PENDING: From = From::Consumer("pending");
const NEXT_TURN: From = From::Consumer("next turn");
const AFTER_POLL: From = From::Consumer("after poll");
const CLOSING: From = From::Consumer("closing");

impl From {
    fn lane(self) -> Lane {
        match self {
            PENDING => Lane::Pending,
            AFTER_POLL => Lane::AfterPoll,
            CLOSING => Lane::Closing,
            _ => Lane::NextTurn,
        }
    }
}

fn from() -> impl Strategy<Value = From> {
    prop_oneof![
        Just(From::Task),
        Just(PENDING),
        Just(NEXT_TURN),
        Just(AFTER_POLL),
        Just(CLOSING)
    ]
}

/// What is queued in each of the places of one turn where something can be.
fn turn() -> impl Strategy<Value = Vec<Vec<From>>> {
    prop::collection::vec(prop::collection::vec(from(), 0..3), PLACES)
}

/// How many turns a loop takes at most, before those in which it has nothing to do.
const TURNS: usize = if cfg!(miri) { 3 } else { 8 };

/// Before the turn, before the poll, in the poll, in callbacks of the poll phase, behind it, in the closing
/// phase.
const PLACES: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Poll,
    Pending,
    Closing,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    from: From,
    /// How many polls had begun when it was queued.
    polls: usize,
}

struct Model {
    lanes: Lanes<usize>,
    /// By event. Those that are not delivered yet.
    waiting: HashMap<usize, Queued>,
    /// The last event that was delivered of each origin.
    last: HashMap<From, usize>,
    events: usize,
    polls_begun: usize,
    polls_ended: usize,
    /// How many deliveries were asked for since the loop last looked.
    asked: usize,
}

impl Model {
    fn new(embedded: bool) -> Self {
        let mut lanes = Lanes::default();
        if embedded {
            lanes.track_embedded_loop();
        } else {
            lanes.track_loop();
        }
        Self {
            lanes,
            waiting: HashMap::new(),
            last: HashMap::new(),
            events: 0,
            polls_begun: 0,
            polls_ended: 0,
            asked: 0,
        }
    }

    fn push(&mut self, all: &[From]) {
        for &from in all {
            let event = self.events;
            self.events += 1;
            let queued = Queued {
                from,
                polls: self.polls_begun,
            };
            self.waiting.insert(event, queued);
            self.asked += match from {
                // A thread that drives asks before it sleeps.
                From::Task => self.lanes.push_from_task(event) + self.lanes.ask(),
                From::Consumer(_) => self.lanes.push_from_consumer(event, from.lane()),
            };
        }
    }

    /// Takes so many events, as one phase of the loop does.
    fn take(&mut self, events: usize, phase: Phase) -> Result<(), TestCaseError> {
        for _ in 0..events {
            let event = self.lanes.pop();
            prop_assert!(event.is_some(), "as many as were announced");
            self.delivered(event.unwrap(), phase)?;
        }
        Ok(())
    }

    fn delivered(&mut self, event: usize, phase: Phase) -> Result<(), TestCaseError> {
        let queued = self.waiting.remove(&event);
        prop_assert!(queued.is_some(), "event {} is delivered once", event);
        let queued = queued.unwrap();
        let before = self.last.insert(queued.from, event);
        prop_assert!(
            before.is_none_or(|before| before < event),
            "in the order of its lane"
        );
        match queued.from {
            From::Task => prop_assert!(phase != Phase::Closing),
            PENDING => prop_assert!(phase != Phase::Closing),
            AFTER_POLL => prop_assert!(
                phase == Phase::Poll && self.polls_ended > queued.polls,
                "a whole poll lies between"
            ),
            CLOSING => prop_assert_eq!(phase, Phase::Closing),
            From::Consumer(_) => {
                prop_assert!(
                    phase != Phase::Closing && self.polls_begun > queued.polls,
                    "not in this turn"
                );
            }
        }
        Ok(())
    }

    /// One turn of the loop. `places` says what is queued meanwhile.
    fn turn(&mut self, places: &[Vec<From>], embedded: bool) -> Result<(), TestCaseError> {
        self.push(&places[0]);
        if embedded && !places[0].is_empty() {
            prop_assert!(self.asked > 0, "a loop that may be asleep is woken");
        }
        let due = self.lanes.run_pending();
        self.take(due, Phase::Pending)?;
        self.push(&places[1]);
        self.asked = 0;
        let must_not_sleep = self.lanes.poll_begins();
        self.polls_begun += 1;
        let will_be_due = self.waiting.values().any(|queued| queued.from != CLOSING);
        prop_assert_eq!(
            must_not_sleep,
            will_be_due,
            "the loop sleeps if, and only if, nothing waits"
        );
        self.push(&places[2]);
        if places[2].contains(&From::Task) {
            prop_assert!(
                self.asked > 0,
                "a loop that sleeps is woken for what tasks report"
            );
        }
        let due = self.lanes.deliverable();
        self.take(due, Phase::Poll)?;
        self.push(&places[3]);
        self.polls_ended += 1;
        let due = self.lanes.poll_ended();
        self.take(due, Phase::Poll)?;
        let due = self.lanes.run_pending();
        self.take(due, Phase::Pending)?;
        self.push(&places[4]);
        self.asked = self.lanes.turn_ended(false);
        if embedded {
            let left = self.waiting.values().any(|queued| queued.from != CLOSING);
            prop_assert_eq!(self.asked > 0, left, "it is woken for what is left");
        }
        while let Some(event) = self.lanes.pop_closing() {
            self.delivered(event, Phase::Closing)?;
        }
        self.push(&places[5]);
        Ok(())
    }
}

fn turns_of_a_loop(turns: &[Vec<Vec<From>>], embedded: bool) -> Result<(), TestCaseError> {
    let mut model = Model::new(embedded);
    for places in turns {
        model.turn(places, embedded)?;
    }
    let quiet = vec![Vec::new(); PLACES];
    for _ in 0..2 {
        model.turn(&quiet, embedded)?;
    }
    prop_assert!(model.waiting.is_empty(), "nothing is left: {:?}", model.waiting);
    Ok(())
}

proptest! {
    #[test]
    fn a_loop_delivers_every_event_once_in_its_phase_and_sleeps_only_when_nothing_waits(
        turns in prop::collection::vec(turn(), 1..TURNS),
    ) {
        turns_of_a_loop(&turns, false)?;
    }

    #[test]
    fn an_embedded_loop_is_woken_for_whatever_waits(turns in prop::collection::vec(turn(), 1..TURNS)) {
        turns_of_a_loop(&turns, true)?;
    }

    #[test]
    fn without_phases_every_event_is_asked_for_once_and_in_order(
        steps in prop::collection::vec((from(), any::<bool>(), 0usize..4), 1..crate::steps(80)),
    ) {
        let mut lanes = Lanes::default();
        let (mut asked, mut taken) = (0, 0);
        for (number, (from, ends_burst, takes)) in steps.iter().enumerate() {
            asked += match from {
                From::Task => lanes.push_from_task(number),
                From::Consumer(_) => lanes.push_from_consumer(number, from.lane()),
            };
            if *ends_burst {
                asked += lanes.ask();
            }
            for _ in 0..(*takes).min(asked) {
                prop_assert_eq!(lanes.pop(), Some(taken));
                taken += 1;
                asked -= 1;
            }
        }
        asked += lanes.ask();
        prop_assert_eq!(asked + taken, steps.len());
        for _ in 0..asked {
            prop_assert_eq!(lanes.pop(), Some(taken));
            taken += 1;
        }
        prop_assert_eq!(lanes.pop(), None);
    }
}
