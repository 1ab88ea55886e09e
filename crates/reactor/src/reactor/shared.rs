//! What the consumer's thread and the tasks of a reactor have in common: the table of handles and the
//! runtimes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Wake as _;

use ferronet_core::handles::{HandleId, HandleTable};
use ferronet_core::state::Writing;
use parking_lot::Mutex;

use crate::drive::shard::Shard;
use crate::event::queue::EventQueue;
use crate::listener::{Adopt, Listener};
use crate::socket::errno::Errno;
use crate::stream::{Closing, Connection, Detached, Unread};
use crate::sys::{ReserveFd, Stream};

use super::endpoint::Endpoint;
use super::entry::Entry;
use super::runtimes::{Plan, Runtimes, Sleep};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) table: Mutex<HandleTable<Entry>>,
    pub(super) events: Arc<EventQueue>,
    pub(super) plan: Plan,
    /// Started with the first handle.
    pub(super) runtimes: OnceLock<Runtimes>,
    /// None are started any more.
    pub(super) ended: AtomicBool,
    pub(super) spare: ReserveFd,
    pub(super) listeners: Mutex<Vec<Arc<Listener>>>,
    /// Connections whose handles are closed and which send first what was reported as written. Those that
    /// have done so are dropped when another one comes.
    pub(super) lingering: Mutex<Vec<Arc<Connection>>>,
}

impl Shared {
    /// A connection over a stream that is registered in `shard`.
    pub(super) fn connection(
        &self,
        id: HandleId,
        stream: Stream,
        writing: Writing,
        shard: &Arc<Shard>,
    ) -> Arc<Connection> {
        if let Some(runtimes) = self.runtimes.get() {
            runtimes.shards.note_assigned();
        }
        Connection::new(id, stream, writing, Arc::clone(shard), Arc::clone(&self.events))
    }

    /// As `connection`, with a handle of its own.
    pub(super) fn insert_connection(
        &self,
        stream: Stream,
        writing: Writing,
        shard: &Arc<Shard>,
    ) -> Result<Arc<Connection>, Errno> {
        let inserted = self.table.lock().insert_with(|id| {
            let connection = self.connection(id, stream, writing, shard);
            (Entry::Connection(Arc::clone(&connection)), connection)
        });
        inserted.ok_or(Errno::ENFILE)
    }

    /// Runs the first turn of a connection.
    pub(super) fn serve(connection: &Arc<Connection>) {
        Arc::clone(connection).wake();
    }

    pub(super) fn close(&self, endpoint: Arc<dyn Endpoint>, closing: Closing) {
        if let Some(connection) = endpoint.end(closing) {
            let mut lingering = self.lingering.lock();
            lingering.retain(|other| other.is_lingering());
            lingering.push(connection);
        }
    }

    /// What a handle has open becomes something else.
    pub(super) fn replace(&self, id: HandleId, entry: Entry) {
        if let Some(place) = self.table.lock().get_mut(id) {
            *place = entry;
        }
    }

    /// Takes a connection that no consumer has taken out of the table.
    fn remove_untaken(&self, id: HandleId) -> Option<Arc<Connection>> {
        let mut table = self.table.lock();
        let connection = Arc::clone(table.get(id)?.connection()?);
        table.remove(id);
        Some(connection)
    }

    /// The runtimes, for making a handle. On the consumer's thread, which is the one that the driver knows as
    /// such.
    pub(super) fn running(&self) -> Result<&Runtimes, Errno> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(Errno::ECANCELED);
        }
        if let Some(running) = self.runtimes.get() {
            return Ok(running);
        }
        let started = Runtimes::start(self.plan, &self.events)?;
        let running = self.runtimes.get_or_init(|| started);
        if self.plan.sleep == Sleep::Outside {
            // For a loop that may be asleep, and does not know their poller.
            self.events.wake_consumer();
        }
        Ok(running)
    }

    pub(super) fn stop(&self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(runtimes) = self.runtimes.get() {
            runtimes.stop();
        }
    }
}

impl Adopt for Shared {
    fn next_shard(&self) -> &Arc<Shard> {
        let runtimes = self.runtimes.get();
        runtimes.expect("a listener was made when they ran").shards.next()
    }

    fn adopt(&self, stream: Stream, shard: &Arc<Shard>) -> Result<HandleId, Errno> {
        let connection = self.insert_connection(stream, Writing::Open, shard)?;
        Self::serve(&connection);
        Ok(connection.id())
    }

    fn abandon(&self, id: HandleId) {
        if let Some(connection) = self.remove_untaken(id) {
            self.close(connection, Closing::Reset);
        }
    }

    fn detach(&self, id: HandleId) -> Option<Detached> {
        self.remove_untaken(id)?.detach(&Unread::default()).ok()
    }

    fn forget(&self, listener: HandleId) {
        self.listeners.lock().retain(|other| other.id() != listener);
    }
}
