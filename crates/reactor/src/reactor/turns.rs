//! The turns of the caller's loop, if it has one and says so: libuv's, phase by phase, and the batches of events that
//! it tells.

use super::reactor::Reactor;
use super::runtimes::Sleep;
use crate::drive::driver::Driver;
use crate::drive::run_queue;

impl Reactor {
    /// The caller's loop calls [`Reactor::turn`] whenever this descriptor is readable. `None` where it can't: the
    /// reactor's thread drives then; and as long as there was no handle.
    pub fn poller(&self) -> Option<i32> {
        self.driver()?.poller()
    }

    /// The poller is readable: turns the runtime on the calling thread, without waiting. Answers how many events there
    /// are to take now.
    pub fn turn(&self) -> usize {
        let Some(driver) = self.driver().filter(|driver| driver.turn()) else {
            return 0;
        };
        let events = self.shared.events.deliverable();
        driver.turned(events);
        events
    }

    /// Whether the poller is to be watched. Not while the reactor's thread drives for relays alone.
    pub fn wants_turns(&self) -> bool {
        !self.driver().is_some_and(Driver::is_entrusted)
    }

    /// The consumer was rung for: what the reactor's thread has told until now is to be taken at the end of this poll
    /// phase, and what it tells from now on in the next.
    pub fn rung(&self) {
        self.shared.events.deliverable();
    }

    /// The loop is about to ask the kernel for events. Answers whether it must not sleep, because there is something
    /// to do when it has.
    pub fn poll_begins(&self) -> bool {
        self.stand_apart(false);
        let is_due = self.driver().is_some_and(Driver::poll_begins);
        self.shared.events.poll_begins() || is_due
    }

    /// How many ends of calls there are to take now. libuv has them in its pending queue, which it runs before it polls
    /// and again, a few times, right after.
    pub fn completed(&self) -> usize {
        self.shared.events.run_pending()
    }

    /// The loop has run the callbacks of what it was told. Answers how many events are to be taken before it goes on.
    pub fn poll_ended(&self) -> usize {
        self.shared.events.poll_ended()
    }

    /// The loop has told what [`Reactor::poll_ended`] and [`Reactor::completed`] have answered, and may do other things
    /// now, or sleep if it is embedded. What is made due from now on has such a loop rung.
    pub fn turn_ended(&self) {
        self.stand_apart(true);
        let is_due = self.driver().is_some_and(Driver::has_due);
        self.shared.events.turn_ended(is_due);
    }

    /// The caller's own call has given its loop something to do that the reactor knows nothing of: one that is embedded is
    /// rung if it may be asleep.
    pub fn call_back(&self) {
        self.shared.events.wake_embedded();
    }

    pub(super) fn stand_apart(&self, apart: bool) {
        if self.shared.plan.sleep == Sleep::Outside {
            run_queue::stands_apart(apart);
        }
    }

    /// A batch of events is about to be told: what is written meanwhile is kept for its end.
    pub fn hold_writes(&self) {
        if !self.keeps_writes {
            return;
        }
        for shard in self.shards() {
            shard.outbox.hold();
        }
    }

    /// The batch is told. What was kept is sent, by this thread or by one of the reactor's that drives.
    pub fn release_writes(&self) {
        for shard in self.shards() {
            shard.outbox.release();
        }
    }
}
