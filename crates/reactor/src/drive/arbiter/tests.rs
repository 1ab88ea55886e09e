//! Who drives by what is measured. The threads are real; what they measure is not.

use std::task::Waker;
use std::thread;
use std::time::Instant;

use super::*;
use crate::drive::flush_list::FlushList;
use crate::drive::run_queue::RunQueue;
use crate::event::wake::Wake;

const PATIENCE: Duration = Duration::from_secs(20);

struct NoConsumer;

impl Wake for NoConsumer {
    fn wake(&self, _deliveries: usize) {}
}

/// A consumer that computes all the time.
struct Busy {
    tasks: RunQueue,
    flush_list: FlushList,
    began: Instant,
    /// Whether a processor is idle.
    has_idle: bool,
}

impl Driven for Busy {
    fn tasks(&self) -> &RunQueue {
        &self.tasks
    }

    fn flush_list(&self) -> &FlushList {
        &self.flush_list
    }

    fn run_due(&self) {}

    fn turn(&self) {}

    fn drive(&self, mut ended: impl FnMut() -> bool) {
        while !ended() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn wake_thread(&self) {}

    fn wait(&self, timeout: Option<Duration>) -> bool {
        thread::sleep(timeout.unwrap_or_default());
        false
    }

    fn wait_for_events(&self) -> bool {
        false
    }

    fn has_events(&self) -> bool {
        true
    }

    fn consumer_time(&self) -> Duration {
        self.began.elapsed()
    }

    fn idle_time(&self) -> Option<Duration> {
        self.has_idle.then(|| self.began.elapsed())
    }
}

/// Takes events, so many each millisecond by who drives, until the loop was relieved, or was to drive again,
/// as often as `wanted`; for half a second if that is 0.
fn changes_of_driver(has_idle: bool, by_loop: u32, by_thread: u32, wanted: usize) -> Vec<bool> {
    let driven = Busy {
        tasks: RunQueue::new(Waker::noop().clone()),
        flush_list: FlushList::default(),
        began: Instant::now(),
        has_idle,
    };
    let events = Arc::new(EventQueue::new(Box::new(NoConsumer)));
    let arbiter = Arbiter::new(driven, events, Drive::Auto, true);
    let mut changes = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| arbiter.run_thread());
        let (began, mut before, mut taken) = (Instant::now(), false, 0.0);
        let mut last = began;
        let limit = if wanted == 0 { PATIENCE / 40 } else { PATIENCE };
        while changes.len() < wanted.max(1) && began.elapsed() < limit {
            thread::sleep(Duration::from_millis(1));
            // Also ends what the thread has begun because this one was late.
            arbiter.poll_begins();
            let is_relieved = arbiter.delegation.is_for(Reason::Load);
            if is_relieved != before {
                changes.push(is_relieved);
                before = is_relieved;
            }
            // By the time that has passed: a sleep is longer on a busy machine.
            let rate = if is_relieved { by_thread } else { by_loop };
            taken += last.elapsed().as_secs_f64() * 1000.0 * f64::from(rate);
            last = Instant::now();
            while taken >= 1.0 {
                taken -= 1.0;
                arbiter.events.pop();
            }
        }
        arbiter.stop();
    });
    changes
}

#[test]
fn a_busy_loop_is_relieved_by_a_thread_on_an_idle_processor() {
    assert_eq!(changes_of_driver(true, 20, 40, 1), [true]);
}

#[test]
fn a_thread_of_which_less_comes_lets_the_loop_drive_again() {
    assert_eq!(changes_of_driver(true, 20, 5, 2), [true, false]);
}

#[test]
fn a_busy_loop_drives_where_no_processor_is_idle() {
    assert!(changes_of_driver(false, 20, 40, 0).is_empty());
}
