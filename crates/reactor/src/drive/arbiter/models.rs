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

mod batches;
mod driving;
mod sleep;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Wake as TaskWake, Waker};

use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::*;
use crate::drive::flush_list::FlushList;
use crate::drive::run_queue::RunQueue;
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
    flush_list: Arc<FlushList>,
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

    fn idle_time(&self) -> Option<Duration> {
        None
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
            flush_list: Arc::default(),
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

    fn end(self) {
        self.arbiter.stop();
        self.thread.join().unwrap();
        self.arbiter.driven.tasks.end();
        self.arbiter.driven.flush_list.end();
    }
}
