//! The turns of the caller's loop, if it has one and reports them: libuv's, phase by phase, and the batches
//! of events that it delivers.

use std::time::{Duration, Instant};

use crate::drive::driver::Driver;
use crate::drive::run_queue;

use super::reactor::Reactor;
use super::runtimes::Sleep;

/// How long a batch goes on. Callbacks that compute must not hold up the writes of those before them.
const LONGEST_BATCH: Duration = Duration::from_micros(500);

impl Reactor {
    /// The caller's loop calls [`Reactor::turn`] whenever this descriptor is readable. `None` where it can't:
    /// the reactor's thread drives then; and as long as there was no handle.
    pub fn poller(&self) -> Option<i32> {
        self.driver()?.poller()
    }

    /// The poller is readable: turns the runtime on the calling thread, without waiting. Returns how many
    /// events there are to take now.
    pub fn turn(&self) -> usize {
        let Some(driver) = self.driver().filter(|driver| driver.turn()) else {
            return 0;
        };
        let events = self.shared.events.deliverable();
        driver.turn_ended(events);
        events
    }

    /// Whether the poller is to be watched. Not while the reactor's thread drives, which wakes the loop when it has let
    /// it drive again: a poller that the thread has not come to would keep the loop from sleeping.
    pub fn wants_turns(&self) -> bool {
        !self.driver().is_some_and(Driver::is_thread_driving)
    }

    /// The loop was woken by [`Wake::wake`](crate::Wake::wake): what the reactor's thread has queued until
    /// now is to be taken at the end of this poll phase, and what it queues from now on in the next.
    pub fn woken(&self) {
        self.shared.events.deliverable();
    }

    /// The loop is about to ask the kernel for events. Returns whether it must not sleep, because there is
    /// something to do when it has.
    pub fn poll_begins(&self) -> bool {
        self.set_must_interrupt(false);
        let is_due = self.driver().is_some_and(Driver::poll_begins);
        self.shared.events.poll_begins() || is_due
    }

    /// How many ends of calls there are to take now. libuv has them in its pending queue, which it runs
    /// before it polls and again, a few times, right after.
    pub fn completed(&self) -> usize {
        self.shared.events.run_pending()
    }

    /// The loop has run the callbacks of what the kernel has reported. Returns how many events are to be
    /// taken before it goes on.
    pub fn poll_ended(&self) -> usize {
        self.shared.events.poll_ended()
    }

    /// The loop has delivered what [`Reactor::poll_ended`] and [`Reactor::completed`] have returned, and may
    /// do other things now, or sleep if it is embedded. What is made due from now on wakes such a loop.
    pub fn turn_ended(&self) {
        if self.shared.plan.sleep == Sleep::Inside {
            return;
        }
        self.set_must_interrupt(true);
        let is_due = self.driver().is_some_and(Driver::has_due);
        self.shared.events.turn_ended(is_due);
    }

    /// The caller has given its loop something to do that the reactor knows nothing of: one that is embedded
    /// is woken if it may be asleep.
    pub fn wake_loop(&self) {
        self.shared.events.wake_embedded();
    }

    pub(super) fn set_must_interrupt(&self, apart: bool) {
        if self.shared.plan.sleep == Sleep::Outside {
            run_queue::set_must_interrupt(apart);
        }
    }

    /// An event of a batch is about to be delivered: what is written meanwhile is batched, and sent at the end
    /// of the batch, or before an event that comes too long after its beginning.
    pub fn begin_batch(&self) {
        if !self.batches_writes {
            return;
        }
        let mut began = self.batch_began.lock();
        let now = Instant::now();
        match *began {
            Some(at) if now.duration_since(at) < LONGEST_BATCH => return,
            Some(_) => self.flush_batch(),
            None => {}
        }
        *began = Some(now);
        for shard in self.shards() {
            shard.flush_list.begin_batch();
        }
    }

    /// The batch is delivered. What is batched is sent, by this thread or by one of the reactor's that
    /// drives.
    pub fn end_batch(&self) {
        *self.batch_began.lock() = None;
        self.flush_batch();
    }

    fn flush_batch(&self) {
        for shard in self.shards() {
            shard.flush_list.end_batch(&shard.tasks);
        }
    }
}
