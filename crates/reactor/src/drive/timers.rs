//! Deadlines of tasks: wakes a task at a time.
//!
//! A task sets a [`Timer`] with its waker ([`Shard::wake_at`]) and keeps it for as long as it wants to be woken: dropped,
//! it is cancelled; another one in its place sets another time. A task is also woken for other reasons, so it asks
//! [`Timer::is_due`].
//!
//! All deadlines of a runtime are in one ordered queue, and one alarm is set to the earliest of them. The alarm is a
//! descriptor that the runtime's poller watches, where the system has such descriptors ([`Alarm`]): it wakes whichever
//! thread sleeps there, the consumer's loop too, which watches the poller and knows nothing of tokio's own timers.
//! Elsewhere, and for as long as the process has no descriptor left, a thread sleeps until then ([`AlarmThread`]).
//! Without a deadline nothing is set, and no thread wakes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::drive::run_queue::{Driving, Task};
use crate::drive::shard::Shard;
use crate::sys::Alarm;

use super::timer_thread::AlarmThread;

/// Names one deadline, in the order of their times; those of one time in the order in which they were set.
type Key = (Instant, u64);

/// Who is to be woken when. Time comes in as an argument.
#[derive(Debug, Default)]
struct Deadlines {
    waiting: BTreeMap<Key, Waker>,
    last: u64,
}

impl Deadlines {
    fn add(&mut self, deadline: Instant, waker: Waker) -> Key {
        self.last += 1;
        let key = (deadline, self.last);
        self.waiting.insert(key, waker);
        key
    }

    fn remove(&mut self, key: Key) -> Option<Waker> {
        self.waiting.remove(&key)
    }

    fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(key, _)| key.0)
    }

    /// Takes those whose time has come, the earliest first.
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }
}

/// What wakes the runtime at the earliest deadline.
#[derive(Debug, Default)]
enum Source {
    #[default]
    None,
    /// Kept when nothing is set any more: it costs a descriptor, and to make it again, system calls.
    Descriptor(Alarm),
    /// Ended when nothing is set any more.
    Thread(AlarmThread),
}

#[derive(Debug, Default)]
struct Set {
    deadlines: Deadlines,
    source: Source,
    /// What the source is set to.
    alarm: Option<Instant>,
    /// The runtime has ended: no task will be woken.
    ended: bool,
}

/// The deadlines of one runtime.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: Mutex<Set>,
    /// The task that looks after them is on the run queue.
    queued: AtomicBool,
}

impl Timers {
    /// The runtime has ended: lets go of the wakers, and of the alarm.
    pub(crate) fn end(&self) {
        let mut set = self.set.lock();
        set.ended = true;
        set.alarm = None;
        let waiting = std::mem::take(&mut set.deadlines.waiting);
        let source = std::mem::take(&mut set.source);
        // Outside of the lock: the last of a task may drop timers of its own, and the thread comes back when it ends.
        drop(set);
        drop((waiting, source));
    }

    #[cfg(test)]
    fn is_idle(&self) -> bool {
        let set = self.set.lock();
        set.alarm.is_none() && set.deadlines.next().is_none()
    }
}

impl Set {
    /// Sets the alarm to the earliest deadline. One that comes too early is left: it is set again when it comes.
    fn arm(&mut self, shard: &Arc<Shard>) {
        let next = self.deadlines.next().filter(|_| !self.ended);
        let is_set = match (next, self.alarm) {
            (Some(next), Some(alarm)) => alarm <= next,
            (next, alarm) => next == alarm,
        };
        if is_set {
            return;
        }
        // Not set, if all fails, which is tried again with the next timer.
        self.alarm = self.source.set(next, shard).then_some(next).flatten();
    }
}

impl Source {
    /// Answers whether it is set. It is not where the system has neither a descriptor nor a thread.
    fn set(&mut self, at: Option<Instant>, shard: &Arc<Shard>) -> bool {
        if let Self::None = self
            && at.is_some()
        {
            *self = Self::made(shard);
        }
        match (&*self, at) {
            (Self::None, at) => at.is_none(),
            (Self::Descriptor(alarm), at) => alarm.set(at).is_ok(),
            (Self::Thread(thread), Some(at)) => {
                thread.set(at);
                true
            }
            (Self::Thread(_), None) => {
                *self = Self::None;
                true
            }
        }
    }

    fn made(shard: &Arc<Shard>) -> Self {
        let _entered = shard.enter();
        if let Ok(alarm) = Alarm::new() {
            let waker = Waker::from(Arc::clone(shard));
            alarm.wake_next(&mut Context::from_waker(&waker));
            return Self::Descriptor(alarm);
        }
        AlarmThread::start(Waker::from(Arc::clone(shard))).map_or(Self::None, Self::Thread)
    }
}

/// One deadline of a task, which is woken then unless this is dropped before.
#[derive(Debug)]
pub(crate) struct Timer {
    key: Key,
    shard: Arc<Shard>,
}

impl Timer {
    /// Whether its time has come.
    pub(crate) fn is_due(&self) -> bool {
        self.key.0 <= Instant::now()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let mut set = self.shard.timers.set.lock();
        let waker = set.deadlines.remove(self.key);
        // One that has come has been seen to by the task that woke it.
        if waker.is_some() {
            set.arm(&self.shard);
        }
        // Outside of the lock: it may be the last of a task, with other timers.
        drop(set);
        drop(waker);
    }
}

impl Shard {
    /// Wakes `waker` at `deadline`, or soon after. On any thread; takes no lock of a task.
    pub(crate) fn wake_at(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Timer {
        let mut set = self.timers.set.lock();
        let key = set.deadlines.add(deadline, waker);
        // After the end the waker is dropped at once: outside of the lock, since it may be the last of a task with timers.
        let unwanted = if set.ended {
            set.deadlines.remove(key)
        } else {
            None
        };
        set.arm(self);
        drop(set);
        drop(unwanted);
        let shard = Arc::clone(self);
        Timer { key, shard }
    }
}

/// Ever longer pauses between tries that fail, for a task.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    timer: Option<Timer>,
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_millis(128);

    /// A try has failed: has `waker` woken for the next.
    pub(crate) fn pause(&mut self, shard: &Arc<Shard>, waker: Waker) {
        let pause = Self::FIRST * 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.timer = Some(shard.wake_at(Instant::now() + pause.min(Self::LONGEST), waker));
    }

    /// Whether it is too early for the next try.
    pub(crate) fn is_pausing(&self) -> bool {
        self.timer.as_ref().is_some_and(|timer| !timer.is_due())
    }

    /// A try has succeeded, or there is nothing to try any more.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }
}

impl Wake for Shard {
    fn wake(self: Arc<Self>) {
        if !self.timers.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self).tasks.push(self);
        }
    }
}

/// The runtime's own task: the alarm has come.
impl Task for Shard {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.timers.queued.store(false, Ordering::Release);
        let mut set = self.timers.set.lock();
        if let Source::Descriptor(alarm) = &set.source {
            let waker = Waker::from(Arc::clone(&self));
            alarm.wake_next(&mut Context::from_waker(&waker));
        }
        // Whether it has come or was set again meanwhile is not known.
        set.alarm = None;
        let due = set.deadlines.take_due(Instant::now());
        set.arm(&self);
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

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    /// Counts how often it is woken, and rouses the thread that sleeps in a runtime, as a task does.
    #[derive(Debug, Default)]
    struct Count {
        woken: AtomicUsize,
        shard: Option<Arc<Shard>>,
    }

    impl Count {
        fn get(&self) -> usize {
            self.woken.load(Ordering::SeqCst)
        }
    }

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.woken.fetch_add(1, Ordering::SeqCst);
            if let Some(shard) = &self.shard {
                shard.tasks.rouse();
            }
        }
    }

    fn counter() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn counter_in(shard: &Arc<Shard>) -> (Arc<Count>, Waker) {
        let count = Arc::new(Count {
            shard: Some(Arc::clone(shard)),
            ..Count::default()
        });
        (Arc::clone(&count), Waker::from(count))
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_io().build().unwrap()
    }

    /// A shard without a runtime's poller in it: its alarm is a thread.
    fn with_thread(runtime: &Runtime) -> Arc<Shard> {
        let shard = Shard::of(runtime);
        let thread = AlarmThread::start(Waker::from(Arc::clone(&shard))).unwrap();
        shard.timers.set.lock().source = Source::Thread(thread);
        shard
    }

    const SOON: Duration = Duration::from_millis(2);
    const LATE: Duration = Duration::from_secs(3600);

    #[test]
    fn deadlines_come_in_the_order_of_their_times() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        let counts: Vec<_> = [3, 1, 2, 1]
            .map(|seconds| {
                let (count, waker) = counter();
                deadlines.add(start + Duration::from_secs(seconds), waker);
                count
            })
            .into();
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(1)));
        assert!(deadlines.take_due(start).is_empty());
        for waker in deadlines.take_due(start + Duration::from_secs(2)) {
            waker.wake();
        }
        assert_eq!(
            counts.iter().map(|count| count.get()).collect::<Vec<_>>(),
            [0, 1, 1, 1]
        );
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(3)));
    }

    #[test]
    fn a_deadline_that_was_removed_does_not_come() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        let first = deadlines.add(start, counter().1);
        deadlines.add(start, counter().1);
        assert!(deadlines.remove(first).is_some());
        assert!(deadlines.remove(first).is_none());
        assert_eq!(deadlines.take_due(start).len(), 1);
        assert_eq!(deadlines.next(), None);
    }

    fn a_thread_that_sleeps_in_the_runtime_is_woken(runtime: &Runtime, shard: &Arc<Shard>) {
        let (count, waker) = counter_in(shard);
        let timer = shard.wake_at(Instant::now() + SOON, waker);
        let _late = shard.wake_at(Instant::now() + LATE, counter().1);
        shard.tasks.drive(runtime, || count.get() > 0);
        assert!(timer.is_due());
        // Set again, to a time before the one that the alarm is set to now.
        let (count, waker) = counter_in(shard);
        let _timer = shard.wake_at(Instant::now() + SOON, waker);
        shard.tasks.drive(runtime, || count.get() > 0);
        assert_eq!(count.get(), 1);
        shard.end();
    }

    #[test]
    fn by_a_descriptor_where_there_is_one() {
        let runtime = runtime();
        a_thread_that_sleeps_in_the_runtime_is_woken(&runtime, &Shard::of(&runtime));
    }

    #[test]
    fn by_a_thread_where_there_is_no_descriptor() {
        let runtime = runtime();
        a_thread_that_sleeps_in_the_runtime_is_woken(&runtime, &with_thread(&runtime));
    }

    /// As a loop that watches the poller and looks for what is due before it sleeps.
    #[cfg(target_os = "linux")]
    fn a_loop_that_watches_the_poller_is_woken(shard: impl FnOnce(&Runtime) -> Arc<Shard>) {
        use crate::sys::{Bell, Poller};
        use tokio::task::{coop::unconstrained, yield_now};

        let (runtime, poller) = Poller::of(|| Ok(runtime())).unwrap();
        let (bell, shard) = (Bell::new().unwrap(), shard(&runtime));
        let (count, waker) = counter();
        let _timer = shard.wake_at(Instant::now() + SOON, waker);
        for _turn in 0..100 {
            if count.get() > 0 {
                break;
            }
            bell.wait(poller.as_ref(), None);
            runtime.block_on(unconstrained(async {
                yield_now().await;
                shard.tasks.run(Driving::Loop);
            }));
        }
        assert_eq!(count.get(), 1);
        assert!(shard.timers.is_idle());
        shard.end();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_loop_is_woken_by_a_descriptor() {
        a_loop_that_watches_the_poller_is_woken(Shard::of);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_loop_is_woken_by_a_thread() {
        a_loop_that_watches_the_poller_is_woken(with_thread);
    }

    #[test]
    fn pauses_grow_to_a_longest_and_begin_anew_after_a_success() {
        let runtime = runtime();
        let shard = Shard::of(&runtime);
        let (_, waker) = counter();
        let mut backoff = Backoff::default();
        assert!(!backoff.is_pausing());
        for longest in [1, 2, 4, 8, 16, 32, 64, 128, 128, 128] {
            let now = Instant::now();
            backoff.pause(&shard, waker.clone());
            let pause = backoff.timer.as_ref().unwrap().key.0 - now;
            assert!(pause >= Duration::from_millis(longest));
        }
        assert!(backoff.is_pausing());
        backoff.end();
        assert!(!backoff.is_pausing());
        assert!(shard.timers.is_idle());
        assert_eq!(backoff.failures, 0);
        shard.end();
    }

    #[test]
    fn nothing_is_set_for_a_timer_that_was_dropped_and_what_waits_for_it_is_let_go() {
        let runtime = runtime();
        for shard in [Shard::of(&runtime), with_thread(&runtime)] {
            let (count, waker) = counter();
            let timer = shard.wake_at(Instant::now() + LATE, waker);
            assert!(!shard.timers.is_idle());
            assert!(!timer.is_due());
            drop(timer);
            assert!(shard.timers.is_idle());
            assert_eq!(Arc::strong_count(&count), 1);
            assert!(!matches!(shard.timers.set.lock().source, Source::Thread(_)));
            shard.end();
        }
    }

    #[test]
    fn the_end_lets_go_of_everything_and_nothing_is_set_afterwards() {
        let runtime = runtime();
        for shard in [Shard::of(&runtime), with_thread(&runtime)] {
            let (count, waker) = counter();
            let _timer = shard.wake_at(Instant::now() + LATE, waker);
            shard.end();
            assert_eq!(Arc::strong_count(&count), 1);
            let _late = shard.wake_at(Instant::now() + LATE, counter().1);
            assert!(matches!(shard.timers.set.lock().source, Source::None));
        }
    }
}
