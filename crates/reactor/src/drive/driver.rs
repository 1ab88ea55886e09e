//! Who turns a reactor's first runtime, mostly its only one: a thread of the reactor's, or the consumer's event loop.
//!
//! A turn on the consumer's thread has no hop from one thread to another, which with few cores is what a lone
//! connection pays most for; and it reads when the bytes are wanted, into the consumer's memory. A turn on the
//! reactor's thread goes on while the consumer computes. Both turn the same runtime, one at a time: whoever has the seat
//! drives.
//!
//! | Seat | on | becomes |
//! | --- | --- | --- |
//! | Thread | the loop comes to its poll phase again | Loop |
//! | Loop | something waits, and the loop's thread has given no sign for [`PATIENCE`] | Thread |
//! | Loop | [`QUIET_TURNS`] had work for relays and none for the consumer | Thread, entrusted |
//! | Thread, entrusted | more than one turn in [`TURNS_AN_EVENT`] has work for the consumer | Loop |
//! | any | stop | Thread, which ends |
//!
//! While the loop has the seat, the reactor's thread looks on: it sleeps until the runtime's poller has something, and
//! then looks every [`PATIENCE`] whether the loop still turns, until nothing happens any more. An idle process wakes
//! for nothing.
//!
//! Relays need no consumer, and the thread turns them with one system call for the poller where the loop needs three.
//! While it is entrusted with the seat, the loop does not watch the poller and may sleep.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::task::{coop::unconstrained, yield_now};

use crate::drive::flush_list::Keeper;
use crate::drive::run_queue::Driving;
use crate::drive::shard::{Shard, runtime};
use crate::event::queue::EventQueue;
use crate::sys::{Bell, Poller, ThreadClock};

/// How long the consumer's thread may compute until the reactor's takes over.
const PATIENCE: Duration = Duration::from_millis(5);
/// After so many times that long without a sign the reactor's takes over from a thread that does not compute, but is
/// kept by a system call. One that only waits for a processor is not helped by another that wants one.
const SILENT: u32 = 4;

/// How many turns of the loop relays alone had work in, until the thread is entrusted with them. A turn that has an event
/// outweighs [`TURNS_AN_EVENT`] of them.
const QUIET_TURNS: u32 = 64;
/// One event in so many turns, and the consumer's loop is better at it.
const TURNS_AN_EVENT: u32 = 8;
/// How many events it takes to judge by.
const EVENTS_TO_JUDGE: u32 = 16;

/// Whose turn it is to drive, as far as the load does not decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// The load decides.
    #[default]
    Auto,
    /// Always the reactor's thread.
    Thread,
    /// Always the consumer's loop, where it can.
    Loop,
}

#[derive(Debug)]
struct Shared {
    runtime: Runtime,
    shard: Arc<Shard>,
    events: Arc<EventQueue>,
    /// There is no other runtime.
    alone: bool,
    /// Who drives. Held for the length of a turn by the loop.
    seat: Mutex<Driving>,
    poller: Option<Poller>,
    bell: Bell,
    /// Of the consumer's thread.
    clock: ThreadClock,
    /// The thread is asked to leave the seat.
    leave: AtomicBool,
    stop: AtomicBool,
    /// Who may take the seat.
    drive: Drive,
    /// Counts what the loop's thread does: turns, poll phases, events taken.
    beats: AtomicU64,
    /// The loop leaves the seat to the thread, though it turns. Only the loop's thread changes it.
    entrusted: AtomicBool,
    /// Turns of the loop that speak for that.
    quiet_turns: AtomicU32,
    /// Turns of the thread since it was last judged.
    entrusted_turns: AtomicU32,
}

#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    /// Starts the reactor's thread, for a consumer on the calling one. Where the runtime's poller has no descriptor, it
    /// drives whatever `drive` says. `alone`: the reactor has no other runtime.
    pub(crate) fn start(events: Arc<EventQueue>, drive: Drive, alone: bool) -> io::Result<Self> {
        let (runtime, poller) = Poller::of(|| runtime(&events))?;
        let drive = if poller.is_some() { drive } else { Drive::Thread };
        let first = Shard::of(&runtime);
        if drive == Drive::Loop {
            // Nobody stands in for a loop that is pinned: it is on its own.
            first.outbox.keep(Keeper::Onlooker);
        }
        let seat = if drive == Drive::Thread {
            Driving::Thread
        } else {
            events.set_loop_drives(alone);
            Driving::Loop
        };
        let shared = Arc::new(Shared {
            runtime,
            shard: first,
            events,
            alone,
            seat: Mutex::new(seat),
            poller,
            bell: Bell::new()?,
            clock: ThreadClock::of_this_thread(),
            leave: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            drive,
            beats: AtomicU64::new(0),
            entrusted: AtomicBool::new(false),
            quiet_turns: AtomicU32::new(0),
            entrusted_turns: AtomicU32::new(0),
        });
        let own = Arc::clone(&shared);
        let thread = Builder::new()
            .name("ferronet".into())
            .spawn(move || own.serve())?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.shared.shard
    }

    /// Ends the thread, and comes back when it has ended.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.shard.tasks.rouse();
        self.shared.bell.ring();
        // Fails only for a thread that has panicked, and is no more.
        drop(thread.join());
    }

    // ---- the consumer's loop

    /// The loop calls [`Driver::turn`] whenever this is readable; `None` if only the thread drives.
    pub(crate) fn poller(&self) -> Option<i32> {
        if self.shared.drive == Drive::Thread {
            return None;
        }
        self.shared.poller.as_ref().map(Poller::raw)
    }

    /// The loop is about to poll: it has time. Runs what its callbacks have made due, and answers whether something is
    /// due still that no descriptor tells of. What is due while the thread drives is the thread's: a loop that did not
    /// sleep for it would take the processor that the thread needs.
    pub(crate) fn poll_begins(&self) -> bool {
        let shared = &*self.shared;
        shared.beats.fetch_add(1, Ordering::Relaxed);
        let seat = shared.seat.lock();
        match *seat {
            Driving::Loop if shared.shard.tasks.is_empty() => false,
            Driving::Loop => {
                let _entered = shared.runtime.enter();
                shared.shard.tasks.run(Driving::Loop);
                !shared.shard.tasks.is_empty()
            }
            Driving::Thread => {
                drop(seat);
                if shared.wants_the_seat_back() {
                    shared.ask_to_leave();
                }
                false
            }
        }
    }

    /// One turn on the calling thread: asks the kernel without waiting, and runs what is due. Answers false, and does
    /// nothing, while the thread drives.
    pub(crate) fn turn(&self) -> bool {
        let shared = &*self.shared;
        shared.beats.fetch_add(1, Ordering::Relaxed);
        let seat = shared.seat.lock();
        if *seat == Driving::Thread {
            return false;
        }
        // Unconstrained: whom tokio's budget makes wait is woken when the runtime parks, and this one does not.
        shared.runtime.block_on(unconstrained(async {
            yield_now().await;
            shared.shard.tasks.run(Driving::Loop);
        }));
        true
    }

    /// The consumer's thread takes an event: it is alive.
    pub(crate) fn beat(&self) {
        self.shared.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// What a turn on the calling thread came to.
    pub(crate) fn turned(&self, events: usize) {
        let shared = &*self.shared;
        let relayed = shared.shard.tasks.take_relayed();
        let before = shared.quiet_turns.load(Ordering::Relaxed);
        let quiet = if events > 0 {
            before.saturating_sub(TURNS_AN_EVENT)
        } else {
            // A loop that is pinned is never relieved, and goes on counting.
            before.saturating_add(u32::from(relayed))
        };
        shared.quiet_turns.store(quiet, Ordering::Relaxed);
        if quiet >= QUIET_TURNS && shared.drive == Drive::Auto {
            shared.entrust();
        }
    }

    /// Whether the loop need not watch the poller: the thread drives until further notice.
    pub(crate) fn is_entrusted(&self) -> bool {
        self.shared.entrusted.load(Ordering::Relaxed)
    }

    /// Whether something is due, that no descriptor tells of, on the loop's thread.
    pub(crate) fn has_due(&self) -> bool {
        *self.shared.seat.lock() == Driving::Loop && !self.shared.shard.tasks.is_empty()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Gives the thread the seat for the time being.
    fn entrust(&self) {
        self.quiet_turns.store(0, Ordering::Relaxed);
        self.entrusted_turns.store(0, Ordering::Relaxed);
        let _before = self.events.take_task_events(0);
        self.entrusted.store(true, Ordering::Relaxed);
        let mut seat = self.seat.lock();
        self.leave.store(false, Ordering::SeqCst);
        *seat = Driving::Thread;
        drop(seat);
        self.bell.ring();
    }

    /// While the thread has the seat: whether it is to leave it now. It keeps what it is entrusted with for as long as it
    /// has little to tell.
    fn wants_the_seat_back(&self) -> bool {
        if !self.entrusted.load(Ordering::Relaxed) {
            return true;
        }
        let Some(told) = self.events.take_task_events(EVENTS_TO_JUDGE) else {
            return false;
        };
        let turns = self.entrusted_turns.swap(0, Ordering::Relaxed);
        let back = turns < told.saturating_mul(TURNS_AN_EVENT);
        if back {
            self.entrusted.store(false, Ordering::Relaxed);
        }
        back
    }

    fn ask_to_leave(&self) {
        if self.drive != Drive::Thread && !self.leave.swap(true, Ordering::SeqCst) {
            self.shard.tasks.rouse();
        }
    }

    /// The reactor's thread, from its start to its end.
    fn serve(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let driving = *self.seat.lock();
            match driving {
                Driving::Thread => self.drive(),
                Driving::Loop => self.look_on(),
            }
        }
    }

    /// Turns the runtime until it is asked to leave.
    fn drive(&self) {
        self.events.set_loop_drives(false);
        self.shard.outbox.keep(Keeper::Driver);
        self.shard.tasks.drive(&self.runtime, || {
            let ended = self.stop.load(Ordering::SeqCst) || self.leave.load(Ordering::SeqCst);
            if !ended {
                self.entrusted_turns.fetch_add(1, Ordering::Relaxed);
            }
            ended
        });
        if self.leave.load(Ordering::SeqCst) {
            self.events.set_loop_drives(self.alone);
            *self.seat.lock() = Driving::Loop;
            self.leave.store(false, Ordering::SeqCst);
        }
        // What happened last, or is due still, is for the loop to find.
        self.events.wake_consumer();
    }

    /// Sleeps while the loop drives, and takes the seat when it does not come.
    fn look_on(&self) {
        let Some(poller) = &self.poller else { return };
        if self.drive == Drive::Loop {
            self.bell.wait(None, None);
            return;
        }
        let Shard { tasks, outbox, .. } = &*self.shard;
        if outbox.keep(Keeper::Nobody) && self.bell.wait(Some(poller), None) {
            return;
        }
        outbox.keep(Keeper::Onlooker);
        let mut silent = 0;
        loop {
            let (beats, used) = (self.beats.load(Ordering::Relaxed), self.clock.used());
            if self.bell.wait(None, Some(PATIENCE)) {
                return;
            }
            if self.beats.load(Ordering::Relaxed) != beats {
                silent = 0;
                continue;
            }
            if !poller.is_readable() && tasks.is_empty() && outbox.is_empty() {
                return;
            }
            silent += 1;
            if self.clock.used().saturating_sub(used) < PATIENCE / 2 && silent < SILENT {
                continue;
            }
            outbox.keep(Keeper::Driver);
            outbox.hand_over();
            let mut seat = self.seat.lock();
            self.leave.store(false, Ordering::SeqCst);
            *seat = Driving::Thread;
            return;
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;
    use crate::drive::run_queue::Task;
    use crate::event::wake::Wake;

    struct NoConsumer;

    impl Wake for NoConsumer {
        fn wake(&self, _deliveries: usize) {}
    }

    fn driver(drive: Drive) -> Driver {
        Driver::start(Arc::new(EventQueue::new(Box::new(NoConsumer))), drive, true).unwrap()
    }

    /// Says that it has its turn, and ends it when it may.
    struct Long {
        begun: SyncSender<()>,
        end: Mutex<Receiver<()>>,
    }

    impl Task for Long {
        fn turn(self: Arc<Self>, _by: Driving) {
            self.begun.send(()).unwrap();
            self.end.lock().recv().unwrap();
        }
    }

    /// Is due again when it has had its turn.
    struct Again(Arc<Shard>);

    impl Task for Again {
        fn turn(self: Arc<Self>, by: Driving) {
            if by == Driving::Loop {
                let shard = Arc::clone(&self.0);
                shard.tasks.push(self);
            }
        }
    }

    #[test]
    fn a_loop_does_not_stay_awake_for_what_the_thread_has_to_do() {
        let driver = driver(Drive::Thread);
        let (begun, has_begun) = sync_channel(0);
        let (may_end, end) = sync_channel(0);
        let end = Mutex::new(end);
        driver.shard().tasks.push(Arc::new(Long { begun, end }));
        has_begun.recv().unwrap();
        driver
            .shard()
            .tasks
            .push(Arc::new(Again(Arc::clone(driver.shard()))));
        assert!(!driver.poll_begins());
        assert!(!driver.shard().tasks.is_empty(), "the thread has not come to it");
        may_end.send(()).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pinned_loop_relays_for_ever() {
        let driver = driver(Drive::Loop);
        driver.shared.quiet_turns.store(u32::MAX - 1, Ordering::Relaxed);
        for _ in 0..3 {
            driver.shard().tasks.note_relayed();
            driver.turned(0);
        }
        assert_eq!(driver.shared.quiet_turns.load(Ordering::Relaxed), u32::MAX);
        assert!(!driver.is_entrusted());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_loop_that_drives_stays_awake_for_what_is_due() {
        let driver = driver(Drive::Loop);
        assert!(!driver.poll_begins());
        driver
            .shard()
            .tasks
            .push(Arc::new(Again(Arc::clone(driver.shard()))));
        assert!(driver.poll_begins());
        driver.shard().tasks.end();
    }
}
