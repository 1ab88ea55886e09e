//! A thread that sleeps until there is a task wakes for each.

use std::sync::Arc;
use std::task::{Wake as TaskWake, Waker};

use loom::thread;

use super::{Signal, check};
use crate::drive::run_queue::{Driving, RunQueue, Task, wake_interrupting};
use crate::sync::atomic::{AtomicBool, Ordering};

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
