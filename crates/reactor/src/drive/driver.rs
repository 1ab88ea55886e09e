//! Drives a reactor's first runtime: the [`Arbiter`] over tokio's runtime and its poller, and the reactor's
//! thread.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::task::{coop::unconstrained, yield_now};

use crate::event::queue::EventQueue;
use crate::sys::{self, Poller, ThreadClock, ThreadWaker};

use super::arbiter::Arbiter;
use super::driven::Driven;
use super::flush_list::FlushList;
use super::run_queue::{Driving, RunQueue};
use super::shard::{Shard, runtime};

pub use super::arbiter::Drive;

#[derive(Debug)]
struct DrivenRuntime {
    runtime: Runtime,
    shard: Arc<Shard>,
    poller: Option<Poller>,
    /// Wakes the reactor's thread while it watches.
    waker: ThreadWaker,
    /// Of the consumer's thread.
    clock: ThreadClock,
}

impl Driven for DrivenRuntime {
    fn tasks(&self) -> &RunQueue {
        &self.shard.tasks
    }

    fn flush_list(&self) -> &FlushList {
        &self.shard.flush_list
    }

    fn run_due(&self) {
        let _entered = self.runtime.enter();
        self.shard.tasks.run(Driving::Loop);
    }

    fn turn(&self) {
        // Unconstrained: what tokio's budget makes wait is woken when the runtime parks, and this one does
        // not.
        self.runtime.block_on(unconstrained(async {
            yield_now().await;
            self.shard.tasks.run(Driving::Loop);
        }));
    }

    fn drive(&self, ended: impl FnMut() -> bool) {
        self.shard.tasks.drive(&self.runtime, ended);
    }

    fn wake_thread(&self) {
        self.waker.wake();
    }

    fn wait(&self, timeout: Option<Duration>) -> bool {
        self.waker.wait(None, timeout)
    }

    fn wait_for_events(&self) -> bool {
        self.waker.wait(self.poller.as_ref(), None)
    }

    fn has_events(&self) -> bool {
        self.poller.as_ref().is_some_and(Poller::is_readable)
    }

    fn consumer_time(&self) -> Duration {
        self.clock.used()
    }

    fn idle_time(&self) -> Option<Duration> {
        sys::idle_time()
    }
}

#[derive(Debug)]
pub(crate) struct Driver {
    arbiter: Arc<Arbiter<DrivenRuntime>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    /// Starts the reactor's thread, for a consumer on the calling one. Where the runtime's poller has no
    /// descriptor, it drives whatever `drive` says. `is_only_runtime`: the reactor has no other.
    pub(crate) fn start(events: Arc<EventQueue>, drive: Drive, is_only_runtime: bool) -> io::Result<Self> {
        let (runtime, poller) = Poller::of(|| runtime(&events))?;
        let drive = if poller.is_some() { drive } else { Drive::Thread };
        let shard = Shard::of(&runtime);
        let driven = DrivenRuntime {
            runtime,
            shard,
            poller,
            waker: ThreadWaker::new()?,
            clock: ThreadClock::of_this_thread(),
        };
        let arbiter = Arc::new(Arbiter::new(driven, events, drive, is_only_runtime));
        let own = Arc::clone(&arbiter);
        let thread = Builder::new()
            .name("ferronet".into())
            .spawn(move || own.run_thread())?;
        Ok(Self {
            arbiter,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.arbiter.driven().shard
    }

    /// Ends the thread, and returns when it has ended.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        self.arbiter.stop();
        // Fails only for a thread that has panicked and so has ended.
        drop(thread.join());
    }

    // ---- the consumer's loop

    /// The loop calls [`Driver::turn`] whenever this is readable; `None` if only the thread drives.
    pub(crate) fn poller(&self) -> Option<i32> {
        if !self.arbiter.allows_loop() {
            return None;
        }
        self.arbiter.driven().poller.as_ref().map(Poller::raw)
    }

    /// [`Arbiter::poll_begins`].
    pub(crate) fn poll_begins(&self) -> bool {
        self.arbiter.poll_begins()
    }

    /// [`Arbiter::turn`].
    pub(crate) fn turn(&self) -> bool {
        self.arbiter.turn()
    }

    /// [`Arbiter::note_activity`].
    pub(crate) fn note_activity(&self) {
        self.arbiter.note_activity();
    }

    /// [`Arbiter::turn_ended`].
    pub(crate) fn turn_ended(&self, events: usize) {
        self.arbiter.turn_ended(events);
    }

    /// [`Arbiter::is_thread_driving`].
    pub(crate) fn is_thread_driving(&self) -> bool {
        self.arbiter.is_thread_driving()
    }

    /// [`Arbiter::has_due`].
    pub(crate) fn has_due(&self) -> bool {
        self.arbiter.has_due()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
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
        assert!(!driver.is_thread_driving());
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
