//! Which of two threads drives, in every order in which they can take their steps, with up to three
//! preemptions (`LOOM_MAX_PREEMPTIONS` says how many). A wake-up that is lost leaves both asleep, which loom
//! reports as a deadlock.
//!
//! `RUSTFLAGS="--cfg ferronet_loom" cargo test -p ferronet-reactor --lib --target-dir target/loom models`
//!
//! What is modelled: the arbiter, the run queue, the flush list and the event queue, all by their own code.
//! What they stand on is replaced: tokio's runtime by `loom::future::block_on`, the poller by a flag, the
//! waker of the thread by a condition variable, and time by what makes it pass, a loop that computes. tokio,
//! `parking_lot` and the kernel are trusted.
#![expect(clippy::unwrap_used, reason = "a model fails by panicking")]

use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Wake as TaskWake, Waker};

use ferronet_core::handles::HandleId;
use ferronet_core::write_queue::WriteQueue;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::*;
use crate::drive::flush_list::Flush;
use crate::drive::run_queue::{Task, wake_interrupting};
use crate::event::event::Event;
use crate::event::wake::Wake;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Something that a thread waits for.
#[derive(Default)]
struct Signal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn set(&self) {
        *self.is_set.lock().unwrap() = true;
        self.changed.notify_all();
    }

    /// Waits until it is set, and takes it.
    fn wait(&self) {
        let mut is_set = self.is_set.lock().unwrap();
        while !*is_set {
            is_set = self.changed.wait(is_set).unwrap();
        }
        *is_set = false;
    }
}

impl TaskWake for Signal {
    fn wake(self: Arc<Self>) {
        self.set();
    }
}

/// The consumer is asked for deliveries: its loop, which sleeps, wakes.
struct Consumer(Arc<Signal>);

impl Wake for Consumer {
    fn wake(&self, _deliveries: usize) {
        self.0.set();
    }
}

#[derive(Default)]
struct Waits {
    is_woken: bool,
    /// The poller is readable.
    is_readable: bool,
    /// The loop's thread computes, so that time passes in which it gives no sign.
    computes: bool,
}

struct Model {
    tasks: Arc<RunQueue>,
    flush_list: FlushList,
    events: Arc<EventQueue>,
    waits: Mutex<Waits>,
    changed: Condvar,
}

impl Model {
    fn change(&self, change: impl FnOnce(&mut Waits)) {
        change(&mut self.waits.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until the thread is woken or `or` holds. Whether it was woken.
    fn wait_until(&self, or: impl Fn(&Waits) -> bool) -> bool {
        let mut waits = self.waits.lock().unwrap();
        while !waits.is_woken && !or(&waits) {
            waits = self.changed.wait(waits).unwrap();
        }
        std::mem::take(&mut waits.is_woken)
    }
}

impl Driven for Model {
    fn tasks(&self) -> &RunQueue {
        &self.tasks
    }

    fn flush_list(&self) -> &FlushList {
        &self.flush_list
    }

    fn run_due(&self) {
        self.tasks.run(Driving::Loop);
    }

    fn turn(&self) {
        self.change(|waits| waits.is_readable = false);
        self.tasks.run(Driving::Loop);
    }

    fn drive(&self, ended: impl FnMut() -> bool) {
        self.change(|waits| waits.is_readable = false);
        loom::future::block_on(async {
            let mut turns = pin!(self.tasks.run_until(ended));
            poll_fn(|cx| {
                let ended = turns.as_mut().poll(cx);
                if ended.is_pending() {
                    // As the runtime does before it parks.
                    self.events.flush();
                }
                ended
            })
            .await;
        });
    }

    fn wake_thread(&self) {
        self.change(|waits| waits.is_woken = true);
    }

    fn wait(&self, timeout: Option<Duration>) -> bool {
        self.wait_until(|waits| timeout.is_some() && waits.computes)
    }

    fn wait_for_events(&self) -> bool {
        self.wait_until(|waits| waits.is_readable)
    }

    fn has_events(&self) -> bool {
        self.waits.lock().unwrap().is_readable
    }

    fn consumer_time(&self) -> Duration {
        // Not one of loom's, since nothing depends on it: each look is later than the one before.
        static LOOKS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        TAKEOVER_DELAY * LOOKS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// A reactor's thread of its arbiter, and what the loop's thread has.
struct Reactor {
    arbiter: Arc<Arbiter<Model>>,
    /// The loop is woken: by a delivery, or since the poller is readable.
    woken: Arc<Signal>,
    thread: thread::JoinHandle<()>,
}

impl Reactor {
    /// With `driving` to begin with.
    fn start(driving: Driving) -> Self {
        let woken = Arc::new(Signal::default());
        let events = Arc::new(EventQueue::new(Box::new(Consumer(Arc::clone(&woken)))));
        events.track_loop();
        let model = Model {
            tasks: Arc::new(RunQueue::new(Waker::from(Arc::clone(&woken)))),
            flush_list: FlushList::default(),
            events: Arc::clone(&events),
            waits: Mutex::default(),
            changed: Condvar::new(),
        };
        let arbiter = Arc::new(Arbiter::new(model, events, Drive::Auto, true));
        *arbiter.driving.lock() = driving;
        let own = Arc::clone(&arbiter);
        let thread = thread::spawn(move || own.run_thread());
        Self {
            arbiter,
            woken,
            thread,
        }
    }

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

    fn end(self) {
        self.arbiter.stop();
        self.thread.join().unwrap();
        self.arbiter.driven.tasks.end();
        self.arbiter.driven.flush_list.end();
    }
}

/// A task that has an event to report.
struct Reports(Arc<EventQueue>);

impl Task for Reports {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.0.push(Event::Readable { id: HandleId::NONE });
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

/// A connection as the flush list sees it: what is batched is sent at the end of the batch, or by its task.
struct Connection {
    tasks: Arc<RunQueue>,
    batched: crate::sync::Mutex<Batched>,
    has_sent: Signal,
}

struct Batched {
    queue: WriteQueue,
    owner: FlushOwner,
    sent: Vec<u8>,
}

impl Connection {
    fn new(tasks: &Arc<RunQueue>) -> Arc<Self> {
        let batched = Batched {
            queue: WriteQueue::default(),
            owner: FlushOwner::None,
            sent: Vec::new(),
        };
        Arc::new(Self {
            tasks: Arc::clone(tasks),
            batched: crate::sync::Mutex::new(batched),
            has_sent: Signal::default(),
        })
    }

    fn wake(self: Arc<Self>) {
        let tasks = Arc::clone(&self.tasks);
        tasks.push(self);
    }

    fn write(self: &Arc<Self>, flush_list: &FlushList, byte: u8) {
        let mut batched = self.batched.lock();
        if batched.owner == FlushOwner::None {
            batched.owner = flush_list.push(self);
        }
        batched.queue.push_batched(&[IoSlice::new(&[byte])]);
        match batched.owner {
            FlushOwner::None => {
                drop(batched);
                self.send_all();
            }
            FlushOwner::WatchingThread => {}
            FlushOwner::DrivingThread => Arc::clone(self).wake(),
        }
    }

    fn send_all(&self) {
        let mut batched = self.batched.lock();
        let Batched { queue, owner, sent } = &mut *batched;
        *owner = FlushOwner::None;
        queue
            .send_batched(|bytes| {
                sent.extend_from_slice(&bytes[0]);
                Ok::<_, ()>(bytes[0].len())
            })
            .unwrap();
        drop(batched);
        self.has_sent.set();
    }
}

impl Flush for Connection {
    fn flush(self: Arc<Self>) {
        self.send_all();
    }

    fn defer(self: Arc<Self>) {
        let mut batched = self.batched.lock();
        batched.owner = FlushOwner::None;
        let rest = !batched.queue.is_empty();
        drop(batched);
        if rest {
            self.wake();
        }
    }
}

impl Task for Connection {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.send_all();
    }
}

#[test]
fn a_write_that_is_batched_when_the_loop_computes_is_sent() {
    check(|| {
        let reactor = Reactor::start(Driving::Loop);
        let Model {
            tasks, flush_list, ..
        } = &reactor.arbiter.driven;
        reactor.arbiter.driven.change(|waits| waits.is_readable = true);
        let connection = Connection::new(tasks);
        assert!(reactor.arbiter.turn());
        flush_list.begin_batch();
        connection.write(flush_list, b'a');
        reactor.arbiter.driven.change(|waits| waits.computes = true);
        connection.has_sent.wait();
        assert_eq!(connection.batched.lock().sent, b"a");
        reactor.end();
    });
}

#[test]
fn a_write_that_is_batched_after_the_loop_has_computed_is_sent() {
    check(|| {
        let reactor = Reactor::start(Driving::Loop);
        let Model {
            tasks, flush_list, ..
        } = &reactor.arbiter.driven;
        reactor.arbiter.driven.change(|waits| {
            waits.is_readable = true;
            waits.computes = true;
        });
        let connection = Connection::new(tasks);
        // The thread may have found that there is something to do, or nothing, or drive by now.
        reactor.arbiter.turn();
        flush_list.begin_batch();
        connection.write(flush_list, b'a');
        connection.has_sent.wait();
        assert_eq!(connection.batched.lock().sent, b"a");
        reactor.end();
    });
}

#[test]
fn the_writes_of_a_batch_are_sent_once_and_in_their_order_by_either_thread() {
    check(|| {
        let tasks = Arc::new(RunQueue::new(Waker::noop().clone()));
        let flush_list = Arc::new(FlushList::default());
        flush_list.set_owner(FlushOwner::WatchingThread);
        let connection = Connection::new(&tasks);
        let (own_tasks, own_list) = (Arc::clone(&tasks), Arc::clone(&flush_list));
        // It begins to drive in the middle of the batch.
        let thread = thread::spawn(move || {
            own_list.set_owner(FlushOwner::DrivingThread);
            own_list.defer_all();
            own_tasks.run(Driving::Thread);
        });
        flush_list.begin_batch();
        connection.write(&flush_list, b'a');
        connection.write(&flush_list, b'b');
        flush_list.end_batch();
        thread.join().unwrap();
        tasks.run(Driving::Thread);
        assert_eq!(connection.batched.lock().sent, b"ab");
        assert!(flush_list.is_empty());
        flush_list.end();
        tasks.end();
    });
}

/// A task that ends what waits for it.
struct Ends(Arc<RunQueue>, Arc<AtomicBool>);

impl Task for Ends {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.1.store(true, Ordering::Release);
        self.0.wake_sleeper();
    }
}

impl TaskWake for Ends {
    fn wake(self: Arc<Self>) {
        let tasks = Arc::clone(&self.0);
        tasks.push(self);
    }
}

#[test]
fn a_thread_that_sleeps_wakes_for_every_task() {
    check(|| {
        let tasks = Arc::new(RunQueue::new(Waker::noop().clone()));
        let ends: Vec<_> = (0..2)
            .map(|_| Arc::new(Ends(Arc::clone(&tasks), Arc::new(AtomicBool::new(false)))))
            .collect();
        let own = Arc::clone(&tasks);
        let have_ended: Vec<_> = ends.iter().map(|task| Arc::clone(&task.1)).collect();
        let thread = thread::spawn(move || {
            let ended = || have_ended.iter().all(|ended| ended.load(Ordering::Acquire));
            loom::future::block_on(own.run_until(ended));
        });
        for task in ends {
            tasks.push(task);
        }
        thread.join().unwrap();
        assert!(tasks.is_empty());
    });
}

#[test]
fn a_loop_that_sleeps_is_woken_by_another_reactors_thread() {
    check(|| {
        let news = Arc::new(Signal::default());
        let tasks = Arc::new(RunQueue::new(Waker::from(Arc::clone(&news))));
        let has_ended = Arc::new(AtomicBool::new(false));
        let task = Arc::new(Ends(Arc::clone(&tasks), Arc::clone(&has_ended)));
        let thread = thread::spawn(move || wake_interrupting(Waker::from(task)));
        while !has_ended.load(Ordering::Acquire) {
            if tasks.is_empty() {
                news.wait();
            }
            tasks.run(Driving::Loop);
        }
        thread.join().unwrap();
    });
}
