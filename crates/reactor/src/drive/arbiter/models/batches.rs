//! Writes that are batched: each is sent once and in its order, whichever thread drives by then.

use std::io::IoSlice;
use std::sync::Arc;
use std::task::Waker;

use ferronet_core::write_queue::WriteQueue;
use loom::thread;

use super::{Model, Reactor, Signal, check};
use crate::drive::flush_list::{Flush, FlushList, FlushOwner};
use crate::drive::run_queue::{Driving, RunQueue, Task};

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

    fn write(self: &Arc<Self>, flush_list: &Arc<FlushList>, byte: u8) {
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
            FlushOwner::DrivingThread => {
                if flush_list.wants_deadline() {
                    self.tasks.push(Arc::new(Overdue(Arc::clone(flush_list))));
                }
            }
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

/// A deadline that is over at once.
struct Overdue(Arc<FlushList>);

impl Task for Overdue {
    fn turn(self: Arc<Self>, _by: Driving) {
        self.0.flush_overdue();
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
        flush_list.end_batch(&tasks);
        thread.join().unwrap();
        tasks.run(Driving::Thread);
        assert_eq!(connection.batched.lock().sent, b"ab");
        assert!(flush_list.is_empty());
        flush_list.end();
        tasks.end();
    });
}
