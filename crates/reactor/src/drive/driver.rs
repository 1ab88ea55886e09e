//! Who turns a reactor's first runtime, mostly its only one: a thread of the reactor's, or the consumer's event loop.
//!
//! A turn on the consumer's thread has no hop from one thread to another, which with few cores is what a lone connection
//! pays most for; and it reads when the bytes are wanted, into the consumer's memory. A turn on the reactor's thread goes on
//! while the consumer computes. Both turn the same runtime, one at a time.
//!
//! | Driving | on | becomes |
//! | --- | --- | --- |
//! | Thread | the loop comes to its poll phase again | Loop |
//! | Loop | something waits, and the loop's thread has given no sign for [`TAKEOVER_DELAY`] | Thread |
//! | Loop | relays alone had work for many turns (`delegation.rs`) | Thread, delegated |
//! | Thread, delegated | events for the consumer become frequent | Loop |
//! | any | stop | Thread, which ends |
//!
//! While the loop drives, the reactor's thread watches: it sleeps until the runtime's poller is readable, and then checks
//! every [`TAKEOVER_DELAY`] whether the loop still turns, until nothing happens any more. An idle process does not wake.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::task::{coop::unconstrained, yield_now};

use crate::event::queue::EventQueue;
use crate::sys::{Poller, ThreadClock, ThreadWaker};

use super::delegation::Delegation;
use super::flush_list::FlushOwner;
use super::run_queue::Driving;
use super::shard::{Shard, runtime};

/// How long the consumer's thread may compute until the reactor's takes over.
const TAKEOVER_DELAY: Duration = Duration::from_millis(5);
/// After so many times that long without a sign the reactor's thread takes over from one that does not compute, but is
/// blocked in a system call. A thread that only waits for a processor is not helped by another that wants one.
const BLOCKED_PERIODS: u32 = 4;

/// Who drives, as far as the load does not decide.
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
    is_only_runtime: bool,
    /// Who drives. The loop holds the lock for the length of a turn.
    driving: Mutex<Driving>,
    poller: Option<Poller>,
    /// Wakes the reactor's thread while it watches.
    waker: ThreadWaker,
    /// Of the consumer's thread.
    clock: ThreadClock,
    /// The thread is asked to let the loop drive.
    yield_requested: AtomicBool,
    stop: AtomicBool,
    /// Who may drive.
    drive: Drive,
    /// Counts what the loop's thread does: turns, poll phases, events taken.
    activity: AtomicU64,
    delegation: Delegation,
}

#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    /// Starts the reactor's thread, for a consumer on the calling one. Where the runtime's poller has no descriptor, it
    /// drives whatever `drive` says. `is_only_runtime`: the reactor has no other.
    pub(crate) fn start(events: Arc<EventQueue>, drive: Drive, is_only_runtime: bool) -> io::Result<Self> {
        let (runtime, poller) = Poller::of(|| runtime(&events))?;
        let drive = if poller.is_some() { drive } else { Drive::Thread };
        let shard = Shard::of(&runtime);
        let driving = if drive == Drive::Thread {
            Driving::Thread
        } else {
            events.set_loop_drives(is_only_runtime);
            Driving::Loop
        };
        let state = Arc::new(Shared {
            runtime,
            shard,
            events,
            is_only_runtime,
            driving: Mutex::new(driving),
            poller,
            waker: ThreadWaker::new()?,
            clock: ThreadClock::of_this_thread(),
            yield_requested: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            drive,
            activity: AtomicU64::new(0),
            delegation: Delegation::default(),
        });
        let own = Arc::clone(&state);
        let thread = Builder::new()
            .name("ferronet".into())
            .spawn(move || own.run_thread())?;
        Ok(Self {
            shared: state,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.shared.shard
    }

    /// Ends the thread, and returns when it has ended.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.shard.tasks.wake_sleeper();
        self.shared.waker.wake();
        // Fails only for a thread that has panicked and so has ended.
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

    /// The loop is about to poll. Runs what its callbacks have made due, and answers whether something is still due that no
    /// descriptor reports. What is due while the thread drives is the thread's: a loop that did not sleep because of it would
    /// take the processor that the thread needs.
    pub(crate) fn poll_begins(&self) -> bool {
        let shared = &*self.shared;
        self.note_activity();
        let driving = shared.driving.lock();
        match *driving {
            Driving::Loop if shared.shard.tasks.is_empty() => false,
            Driving::Loop => {
                let _entered = shared.runtime.enter();
                shared.shard.tasks.run(Driving::Loop);
                !shared.shard.tasks.is_empty()
            }
            Driving::Thread => {
                drop(driving);
                if shared
                    .delegation
                    .ends(|enough| shared.events.take_task_events(enough))
                {
                    shared.request_yield();
                }
                false
            }
        }
    }

    /// One turn on the calling thread: asks the kernel without waiting, and runs what is due. Answers false, and does
    /// nothing, while the thread drives.
    pub(crate) fn turn(&self) -> bool {
        let shared = &*self.shared;
        self.note_activity();
        let driving = shared.driving.lock();
        if *driving == Driving::Thread {
            return false;
        }
        // Unconstrained: what tokio's budget makes wait is woken when the runtime parks, and this one does not.
        shared.runtime.block_on(unconstrained(async {
            yield_now().await;
            shared.shard.tasks.run(Driving::Loop);
        }));
        true
    }

    /// The consumer's thread is neither computing for long nor blocked.
    pub(crate) fn note_activity(&self) {
        self.shared.activity.fetch_add(1, Ordering::Relaxed);
    }

    /// A turn on the calling thread has brought so many events.
    pub(crate) fn turn_ended(&self, events: usize) {
        let shared = &*self.shared;
        let relayed = shared.shard.tasks.take_relayed();
        if shared.delegation.loop_turned(events, relayed) && shared.drive == Drive::Auto {
            shared.delegate();
        }
    }

    /// Whether the loop need not watch the poller: the thread drives until further notice.
    pub(crate) fn is_delegated(&self) -> bool {
        self.shared.delegation.is_active()
    }

    /// Whether something is due on the loop's thread that no descriptor reports.
    pub(crate) fn has_due(&self) -> bool {
        *self.shared.driving.lock() == Driving::Loop && !self.shared.shard.tasks.is_empty()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Lets the thread drive though the loop turns.
    fn delegate(&self) {
        let _before = self.events.take_task_events(0);
        self.delegation.begin();
        self.let_thread_drive();
        self.waker.wake();
    }

    fn let_thread_drive(&self) {
        let mut driving = self.driving.lock();
        self.yield_requested.store(false, Ordering::SeqCst);
        *driving = Driving::Thread;
    }

    /// Asks the thread to let the loop drive.
    fn request_yield(&self) {
        if self.drive != Drive::Thread && !self.yield_requested.swap(true, Ordering::SeqCst) {
            self.shard.tasks.wake_sleeper();
        }
    }

    /// The reactor's thread, from its start to its end.
    fn run_thread(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let driving = *self.driving.lock();
            match driving {
                Driving::Thread => self.drive(),
                Driving::Loop => self.watch(),
            }
        }
    }

    /// Turns the runtime until the loop is to drive.
    fn drive(&self) {
        self.events.set_loop_drives(false);
        self.shard.flush_list.set_owner(FlushOwner::DrivingThread);
        self.shard.tasks.drive(&self.runtime, || {
            let ended = self.stop.load(Ordering::SeqCst) || self.yield_requested.load(Ordering::SeqCst);
            if !ended {
                self.delegation.thread_turns();
            }
            ended
        });
        if self.yield_requested.load(Ordering::SeqCst) {
            self.events.set_loop_drives(self.is_only_runtime);
            *self.driving.lock() = Driving::Loop;
            self.yield_requested.store(false, Ordering::SeqCst);
        }
        // What happened last, or is still due, is for the loop to find.
        self.events.wake_consumer();
    }

    /// Sleeps while the loop drives, and takes over when its thread is late.
    fn watch(&self) {
        let Some(poller) = &self.poller else { return };
        if self.drive == Drive::Loop {
            self.waker.wait(None, None);
            return;
        }
        let Shard {
            tasks, flush_list, ..
        } = &*self.shard;
        if flush_list.set_owner(FlushOwner::None) && self.waker.wait(Some(poller), None) {
            return;
        }
        flush_list.set_owner(FlushOwner::WatchingThread);
        let mut periods = 0;
        loop {
            let (activity, used) = (self.activity.load(Ordering::Relaxed), self.clock.used());
            if self.waker.wait(None, Some(TAKEOVER_DELAY)) {
                return;
            }
            if self.activity.load(Ordering::Relaxed) != activity {
                periods = 0;
                continue;
            }
            if !poller.is_readable() && tasks.is_empty() && flush_list.is_empty() {
                return;
            }
            periods += 1;
            let computes = self.clock.used().saturating_sub(used) >= TAKEOVER_DELAY / 2;
            if !computes && periods < BLOCKED_PERIODS {
                continue;
            }
            flush_list.set_owner(FlushOwner::DrivingThread);
            flush_list.defer_all();
            self.let_thread_drive();
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

    #[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
    #[test]
    fn a_pinned_loop_does_not_delegate() {
        let driver = driver(Drive::Loop);
        for _ in 0..1000 {
            driver.shard().tasks.note_relayed();
            driver.turn_ended(0);
        }
        assert!(!driver.is_delegated());
    }

    #[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
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
