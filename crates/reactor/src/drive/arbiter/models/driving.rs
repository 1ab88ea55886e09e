//! Which thread drives, and that what is due is run and reported by the one or the other.

use std::sync::Arc;

use ferronet_core::handles::HandleId;

use super::{Reactor, check};
use crate::drive::run_queue::{Driving, Task};
use crate::event::event::Event;
use crate::event::queue::EventQueue;

/// A task that has an event to report.
struct Reports(Arc<EventQueue>);

impl Task for Reports {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.0.push(Event::Readable { id: HandleId::NONE });
    }
}

impl Reactor {
    fn make_due(&self) {
        self.arbiter
            .driven
            .tasks
            .push(Arc::new(Reports(Arc::clone(&self.arbiter.events))));
    }

    /// Turns the loop, which sleeps when there is nothing to do, until an event is delivered.
    fn turn_until_reported(&self) {
        loop {
            let is_due = self.arbiter.poll_begins();
            if !self.arbiter.events.poll_begins() && !is_due {
                self.woken.wait();
            }
            self.arbiter.turn();
            self.arbiter.events.deliverable();
            if self.arbiter.events.pop().is_some() {
                return;
            }
        }
    }
}

#[test]
fn a_thread_that_drives_ends_when_it_is_stopped() {
    check(|| Reactor::start(Driving::Thread).end());
}

#[test]
fn a_thread_that_watches_ends_when_it_is_stopped() {
    check(|| Reactor::start(Driving::Loop).end());
}

#[test]
fn a_loop_that_comes_to_its_poll_phase_drives_again() {
    check(|| {
        let reactor = Reactor::start(Driving::Thread);
        // It sleeps until the thread has let it drive.
        while !reactor.arbiter.turn() {
            reactor.arbiter.poll_begins();
            reactor.woken.wait();
        }
        reactor.end();
    });
}

#[test]
fn what_is_due_while_the_thread_lets_the_loop_drive_is_run_and_reported() {
    check(|| {
        let reactor = Reactor::start(Driving::Thread);
        reactor.make_due();
        reactor.turn_until_reported();
        reactor.end();
    });
}

#[test]
fn what_is_due_while_the_thread_drives_by_delegation_is_run_and_reported() {
    check(|| {
        let reactor = Reactor::start(Driving::Loop);
        reactor.arbiter.delegate();
        reactor.make_due();
        reactor.turn_until_reported();
        reactor.end();
    });
}

#[test]
fn what_is_due_when_the_loop_computes_is_run_by_the_thread() {
    check(|| {
        let reactor = Reactor::start(Driving::Loop);
        reactor.arbiter.driven.change(|waits| waits.is_readable = true);
        reactor.make_due();
        reactor.arbiter.driven.change(|waits| waits.computes = true);
        reactor.woken.wait();
        reactor.arbiter.events.deliverable();
        assert!(reactor.arbiter.events.pop().is_some());
        reactor.end();
    });
}

#[test]
fn what_a_thread_leaves_due_that_lets_the_loop_drive_is_run_when_the_loop_computes() {
    check(|| {
        let reactor = Reactor::start(Driving::Thread);
        reactor.make_due();
        reactor.arbiter.poll_begins();
        reactor.arbiter.driven.change(|waits| waits.computes = true);
        loop {
            reactor.woken.wait();
            reactor.arbiter.events.deliverable();
            if reactor.arbiter.events.pop().is_some() {
                break;
            }
        }
        reactor.end();
    });
}
