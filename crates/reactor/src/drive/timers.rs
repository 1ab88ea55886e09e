//! Deadlines of tasks: wakes a task at a time.
//!
//! A task sets a [`Timer`] with its waker ([`Timers::wake_at`]) and keeps it for as long as it wants to be
//! woken: dropped, it is cancelled; another one in its place sets another time. A task is also woken for
//! other reasons, so it asks [`Timer::is_due`].
//!
//! All deadlines of a runtime are in one ordered queue, and one [`TimerSource`] is set to the earliest of
//! them: a descriptor that the runtime's poller watches, where the system has such descriptors. It wakes the
//! thread that sleeps there, also the consumer's loop, which watches the poller and knows nothing of tokio's
//! own timers. Elsewhere, and for as long as the process has no descriptor left, a thread sleeps until then.
//! Without a deadline nothing is set, and no task is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Instant;

use ferronet_core::deadlines::{Deadline, Deadlines};
use parking_lot::Mutex;
use tokio::runtime;

use super::run_queue::{Driving, RunQueue, Task};
use super::timer_source::TimerSource;

#[derive(Debug, Default)]
struct Set {
    deadlines: Deadlines<Waker>,
    source: TimerSource,
    /// What the source is set to.
    armed: Option<Instant>,
    /// The runtime has ended: no task will be woken.
    ended: bool,
}

/// The deadlines of one runtime, which have a task of their own.
#[derive(Debug)]
pub(crate) struct Timers {
    runtime: runtime::Handle,
    tasks: Arc<RunQueue>,
    set: Mutex<Set>,
    /// Their task is on the run queue.
    queued: AtomicBool,
}

impl Timers {
    /// Of the runtime whose tasks are in `tasks`.
    pub(crate) fn new(runtime: runtime::Handle, tasks: Arc<RunQueue>) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            tasks,
            set: Mutex::default(),
            queued: AtomicBool::new(false),
        })
    }

    /// Wakes `waker` at `deadline`, or soon after. On any thread; takes no lock of a task.
    pub(crate) fn wake_at(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Timer {
        let mut set = self.set.lock();
        let deadline = set.deadlines.add(deadline, waker);
        // After the end the waker is dropped at once: outside of the lock, since it may be the last of a task
        // with timers.
        let unwanted = if set.ended {
            set.deadlines.remove(deadline)
        } else {
            None
        };
        self.arm(&mut set);
        drop(set);
        drop(unwanted);
        Timer {
            deadline,
            timers: Arc::clone(self),
        }
    }

    /// Sets the source to the earliest deadline. One that comes too early is left: it is set again when it
    /// comes.
    fn arm(self: &Arc<Self>, set: &mut Set) {
        let next = set.deadlines.next().filter(|_| !set.ended);
        let is_set = match (next, set.armed) {
            (Some(next), Some(armed)) => armed <= next,
            (next, armed) => next == armed,
        };
        if is_set {
            return;
        }
        let waker = Waker::from(Arc::clone(self));
        // Not set, if all fails, which is tried again with the next timer.
        let is_set = set.source.set(next, &self.runtime, &waker);
        set.armed = if is_set { next } else { None };
    }

    /// The runtime has ended: drops the wakers and the source.
    pub(crate) fn end(&self) {
        let mut set = self.set.lock();
        set.ended = true;
        set.armed = None;
        let deadlines = std::mem::take(&mut set.deadlines);
        let source = std::mem::take(&mut set.source);
        // Outside of the lock: the last of a task may drop timers of its own, and the thread comes back when
        // it ends.
        drop(set);
        drop((deadlines, source));
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let set = self.set.lock();
        set.armed.is_none() && set.deadlines.next().is_none()
    }
}

/// One deadline of a task, which is woken then unless this is dropped before.
#[derive(Debug)]
pub(crate) struct Timer {
    deadline: Deadline,
    timers: Arc<Timers>,
}

impl Timer {
    /// Whether its time has come.
    pub(crate) fn is_due(&self) -> bool {
        self.deadline.is_due(Instant::now())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let mut set = self.timers.set.lock();
        let waker = set.deadlines.remove(self.deadline);
        // One that has come was handled by the task that woke it.
        if waker.is_some() {
            self.timers.arm(&mut set);
        }
        // Outside of the lock: it may be the last of a task, with other timers.
        drop(set);
        drop(waker);
    }
}

impl Wake for Timers {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let tasks = Arc::clone(&self.tasks);
            tasks.push(self);
        }
    }
}

impl Task for Timers {
    /// The source has woken the runtime.
    fn turn(self: Arc<Self>, _by: Driving) {
        self.queued.store(false, Ordering::Release);
        let mut set = self.set.lock();
        set.source.wake_next(&Waker::from(Arc::clone(&self)));
        // Whether it has come or was set again meanwhile is not known.
        set.armed = None;
        let due = set.deadlines.take_due(Instant::now());
        self.arm(&mut set);
        drop(set);
        for waker in due {
            waker.wake();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::drive::timer_thread::TimerThread;

    /// Counts how often it is woken, and rouses the thread that sleeps in a runtime, as a task does.
    #[derive(Debug, Default)]
    struct Count {
        woken: AtomicUsize,
        tasks: Option<Arc<RunQueue>>,
    }

    impl Count {
        fn get(&self) -> usize {
            self.woken.load(Ordering::SeqCst)
        }
    }

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.woken.fetch_add(1, Ordering::SeqCst);
            if let Some(tasks) = &self.tasks {
                tasks.wake_sleeper();
            }
        }
    }

    fn counter() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn counter_in(timers: &Timers) -> (Arc<Count>, Waker) {
        let count = Arc::new(Count {
            tasks: Some(Arc::clone(&timers.tasks)),
            ..Count::default()
        });
        (Arc::clone(&count), Waker::from(count))
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_io().build().unwrap()
    }

    fn timers(runtime: &Runtime) -> Arc<Timers> {
        let interrupt = runtime.block_on(std::future::poll_fn(|cx| {
            std::task::Poll::Ready(cx.waker().clone())
        }));
        Timers::new(runtime.handle().clone(), Arc::new(RunQueue::new(interrupt)))
    }

    /// Without a descriptor: their source is a thread.
    fn with_thread(runtime: &Runtime) -> Arc<Timers> {
        let timers = timers(runtime);
        let thread = TimerThread::start(Waker::from(Arc::clone(&timers))).unwrap();
        timers.set.lock().source = TimerSource::Thread { thread, rests: false };
        timers
    }

    fn end(timers: &Timers) {
        timers.tasks.end();
        timers.end();
    }

    const SOON: Duration = Duration::from_millis(2);
    const LATE: Duration = Duration::from_secs(3600);

    fn a_thread_that_sleeps_in_the_runtime_is_woken(runtime: &Runtime, timers: &Arc<Timers>) {
        let (count, waker) = counter_in(timers);
        let timer = timers.wake_at(Instant::now() + SOON, waker);
        let _late = timers.wake_at(Instant::now() + LATE, counter().1);
        timers.tasks.drive(runtime, || count.get() > 0);
        assert!(timer.is_due());
        // Set again, to a time before the one that the source is set to now.
        let (count, waker) = counter_in(timers);
        let _timer = timers.wake_at(Instant::now() + SOON, waker);
        timers.tasks.drive(runtime, || count.get() > 0);
        assert_eq!(count.get(), 1);
        end(timers);
    }

    #[test]
    fn by_a_descriptor_where_there_is_one() {
        let runtime = runtime();
        a_thread_that_sleeps_in_the_runtime_is_woken(&runtime, &timers(&runtime));
    }

    #[test]
    fn by_a_thread_where_there_is_no_descriptor() {
        let runtime = runtime();
        a_thread_that_sleeps_in_the_runtime_is_woken(&runtime, &with_thread(&runtime));
    }

    /// As a loop that watches the poller and looks for what is due before it sleeps.
    #[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
    fn a_loop_that_watches_the_poller_is_woken(make: impl FnOnce(&Runtime) -> Arc<Timers>) {
        use crate::sys::{Poller, ThreadWaker};
        use tokio::task::{coop::unconstrained, yield_now};

        let (runtime, poller) = Poller::of(|| Ok(runtime())).unwrap();
        let (thread_waker, timers) = (ThreadWaker::new().unwrap(), make(&runtime));
        let (count, waker) = counter();
        let _timer = timers.wake_at(Instant::now() + SOON, waker);
        for _turn in 0..100 {
            if count.get() > 0 {
                break;
            }
            thread_waker.wait(poller.as_ref(), None);
            runtime.block_on(unconstrained(async {
                yield_now().await;
                timers.tasks.run(Driving::Loop);
            }));
        }
        assert_eq!(count.get(), 1);
        assert!(timers.is_idle());
        end(&timers);
    }

    #[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
    #[test]
    fn a_loop_is_woken_by_a_descriptor() {
        a_loop_that_watches_the_poller_is_woken(timers);
    }

    #[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
    #[test]
    fn a_loop_is_woken_by_a_thread() {
        a_loop_that_watches_the_poller_is_woken(with_thread);
    }

    #[test]
    fn nothing_is_set_for_a_timer_that_was_dropped_and_what_waits_for_it_is_let_go() {
        let runtime = runtime();
        for timers in [timers(&runtime), with_thread(&runtime)] {
            let (count, waker) = counter();
            let timer = timers.wake_at(Instant::now() + LATE, waker);
            assert!(!timers.is_idle());
            assert!(!timer.is_due());
            drop(timer);
            assert!(timers.is_idle());
            assert_eq!(Arc::strong_count(&count), 1);
            end(&timers);
        }
    }

    #[test]
    fn a_thread_that_rests_is_set_again_or_gives_way_to_a_descriptor() {
        let runtime = runtime();
        let timers = with_thread(&runtime);
        drop(timers.wake_at(Instant::now() + LATE, counter().1));
        let (count, waker) = counter_in(&timers);
        let _timer = timers.wake_at(Instant::now() + SOON, waker);
        let has_descriptor = matches!(timers.set.lock().source, TimerSource::Poller(_));
        assert_eq!(
            has_descriptor,
            cfg!(all(target_os = "linux", not(ferronet_without = "timer")))
        );
        timers.tasks.drive(&runtime, || count.get() > 0);
        assert_eq!(count.get(), 1);
        end(&timers);
    }

    #[test]
    fn the_end_lets_go_of_everything_and_nothing_is_set_afterwards() {
        let runtime = runtime();
        for timers in [timers(&runtime), with_thread(&runtime)] {
            let (count, waker) = counter();
            let _timer = timers.wake_at(Instant::now() + LATE, waker);
            end(&timers);
            assert_eq!(Arc::strong_count(&count), 1);
            let _late = timers.wake_at(Instant::now() + LATE, counter().1);
            assert!(matches!(timers.set.lock().source, TimerSource::None));
        }
    }
}
