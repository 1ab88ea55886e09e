//! A further thread of a reactor: it always turns the runtime that it has, and sleeps in it while nothing is
//! due.
//!
//! Its connections are read ahead, and their batched writes are sent by this thread: it needs nothing of the
//! consumer's thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::drive::flush_list::FlushOwner;
use crate::drive::run_queue;
use crate::drive::shard::{Shard, runtime};
use crate::event::queue::EventQueue;

#[derive(Debug)]
struct Driven {
    runtime: Runtime,
    shard: Arc<Shard>,
    stop: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Thread {
    driven: Arc<Driven>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Thread {
    pub(crate) fn start(events: &Arc<EventQueue>) -> io::Result<Self> {
        let runtime = runtime(events)?;
        let shard = Shard::of(&runtime);
        shard.flush_list.set_owner(FlushOwner::DrivingThread);
        let driven = Arc::new(Driven {
            runtime,
            shard,
            stop: AtomicBool::new(false),
        });
        let own = Arc::clone(&driven);
        let thread = Builder::new().name("ferronet".into()).spawn(move || {
            run_queue::set_must_interrupt(true);
            let stopped = || own.stop.load(Ordering::SeqCst);
            own.shard.tasks.drive(&own.runtime, stopped);
        })?;
        Ok(Self {
            driven,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.driven.shard
    }

    /// The thread ends after its current turn. [`Thread::stop`] waits for that.
    pub(crate) fn ask_to_stop(&self) {
        self.driven.stop.store(true, Ordering::SeqCst);
        self.driven.shard.tasks.wake_sleeper();
    }

    /// Ends the thread, and returns when it has ended.
    pub(crate) fn stop(&self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.lock().take() {
            // Fails only for a thread that has panicked and so has ended.
            drop(thread.join());
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop();
    }
}
