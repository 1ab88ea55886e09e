//! What a reactor has open and what it has moved: numbers for the consumer to show.

use std::sync::Arc;

use crate::drive::driver::Drive;
use crate::drive::traffic::Moved;

use super::entry::Entry;
use super::exit;
use super::reactor::Reactor;
use super::shared::Shared;

/// Numbers of one reactor or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many reactors they are of.
    pub reactors: usize,
    /// Those of which a thread drives the first runtime now, and not the consumer's loop.
    pub driven_by_thread: usize,
    /// The threads that share the connections, as they were asked for, whether they run already or not.
    pub threads: usize,
    /// Handles that are connections, connecting ones among them, and those that no consumer has taken yet.
    pub connections: usize,
    /// Handles that listen.
    pub listeners: usize,
    /// Connections whose bytes go to another one without the consumer.
    pub relays: usize,
    /// What was moved since the reactors were made.
    pub moved: Moved,
}

impl Stats {
    /// Of one reactor and of others.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.reactors += other.reactors;
        self.driven_by_thread += other.driven_by_thread;
        self.threads += other.threads;
        self.connections += other.connections;
        self.listeners += other.listeners;
        self.relays += other.relays;
        self.moved.add(&other.moved);
        self
    }
}

impl Reactor {
    /// The numbers of this reactor.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

/// The numbers of all reactors of the process; what those that have ended had moved is in it.
pub fn process_stats() -> Stats {
    let (reactors, moved) = exit::reactors();
    let ended = Stats {
        moved,
        ..Stats::default()
    };
    reactors
        .iter()
        .fold(ended, |sum, shared: &Arc<Shared>| sum.with(&shared.stats()))
}

impl Shared {
    pub(super) fn moved(&self) -> Moved {
        let mut moved = Moved::default();
        if let Some(runtimes) = self.runtimes.get() {
            for shard in runtimes.shards.iter() {
                moved.add(&shard.traffic.moved());
            }
        }
        moved
    }

    fn stats(&self) -> Stats {
        let driven_by_thread = match self.runtimes.get() {
            Some(runtimes) => runtimes.driver.is_thread_driving(),
            None => self.plan.drive == Drive::Thread,
        };
        let mut stats = Stats {
            reactors: 1,
            driven_by_thread: usize::from(driven_by_thread),
            threads: self.plan.threads.max(1),
            moved: self.moved(),
            ..Stats::default()
        };
        for entry in self.table.lock().values() {
            match entry {
                Entry::Connection(connection) => {
                    stats.connections += 1;
                    stats.relays += usize::from(connection.is_relaying());
                }
                Entry::Listener(_) => stats.listeners += 1,
                Entry::Unregistered(_) | Entry::Closed => {}
            }
        }
        stats
    }
}
