//! The runtimes of a reactor, and the threads that turn them.

use std::io;
use std::sync::Arc;

use crate::drive::driver::{Drive, Driver};
use crate::drive::shard::Shards;
use crate::drive::thread::Thread;
use crate::event::queue::EventQueue;

/// Where the loop of a consumer that says where it is sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sleep {
    /// In its turns, and nothing of the consumer's runs outside of them.
    #[default]
    Inside,
    /// It is embedded in another loop, which sleeps for it, has it take a turn without waiting when its
    /// descriptors are ready, and runs the consumer between those turns as well.
    Outside,
}

/// Who will drive the runtimes, and how many there will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) drive: Drive,
    pub(super) sleep: Sleep,
    pub(super) threads: usize,
}

/// What takes descriptors and threads.
#[derive(Debug)]
pub(super) struct Runtimes {
    pub(super) shards: Shards,
    pub(super) driver: Driver,
    /// Those beside the driver's.
    threads: Vec<Thread>,
}

impl Runtimes {
    pub(super) fn start(plan: Plan, events: &Arc<EventQueue>) -> io::Result<Self> {
        let driver = Driver::start(Arc::clone(events), plan.drive, plan.threads <= 1)?;
        let threads = (1..plan.threads)
            .map(|_| Thread::start(events))
            .collect::<io::Result<Vec<_>>>()?;
        let others = threads.iter().map(|thread| Arc::clone(thread.shard()));
        let shards = Shards::new(Arc::clone(driver.shard()), others);
        Ok(Self {
            shards,
            driver,
            threads,
        })
    }

    /// Ends the threads; returns when all have ended.
    pub(super) fn stop(&self) {
        for thread in &self.threads {
            thread.ask_to_stop();
        }
        self.driver.stop();
        for thread in &self.threads {
            thread.stop();
        }
    }
}
