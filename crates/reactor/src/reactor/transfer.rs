//! Handles in transit from one reactor to another of the same process.
//!
//! A handle that is sent off leaves its reactor with everything that is in flight: what was read and not
//! taken, what was written and not sent, connections that were accepted and not taken, the path that goes
//! with a local server. It belongs to no reactor until another one receives it, or until it is given up,
//! which closes it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use ferronet_core::handles::HandleId;
use parking_lot::Mutex;

use crate::socket::errno::Errno;
use crate::stream::{Connection, Detached, Unread};
use crate::sys::Stream;

use super::endpoint::Transferred;
use super::entry::Entry;
use super::reactor::Reactor;
use super::shared::Shared;

/// The name of a handle in transit: unique in the process, and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferId(u64);

impl TransferId {
    /// As an integer, for crossing into JavaScript.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// Reads back what [`TransferId::to_bits`] gave. Any number is taken: one that names nothing finds
    /// nothing.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

#[derive(Debug, Default)]
struct InTransit {
    handles: HashMap<TransferId, Transferred>,
    last: u64,
}

static IN_TRANSIT: LazyLock<Mutex<InTransit>> = LazyLock::new(Mutex::default);

impl InTransit {
    fn put(&mut self, handle: Transferred) -> TransferId {
        self.last += 1;
        let id = TransferId(self.last);
        self.handles.insert(id, handle);
        id
    }
}

impl Reactor {
    /// Takes a handle out of this reactor; close its id as usual, for its last event. `unread` is what the
    /// consumer has taken of a stream and gives back.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle, [`Errno::EALREADY`] for one that is connecting, [`Errno::EPIPE`]
    /// for a stream that a write has failed on, [`Errno::ENOTSUP`] where the system binds a handle to its
    /// reactor. The handle is what it was then.
    pub fn send_off(&self, id: HandleId, unread: &Unread<'_>) -> Result<TransferId, Errno> {
        let handle = self.endpoint(id)?.leave(unread)?;
        self.shared.replace(id, Entry::Closed);
        Ok(IN_TRANSIT.lock().put(handle))
    }

    /// Takes a handle that was sent off into this reactor. The connections of a listener are announced from
    /// now on.
    ///
    /// # Errors
    /// [`Errno::ENOENT`] when it was received already or given up. With any other error it is closed.
    pub fn receive(&self, id: TransferId) -> Result<HandleId, Errno> {
        let handle = IN_TRANSIT.lock().handles.remove(&id).ok_or(Errno::ENOENT)?;
        self.running()?;
        match handle {
            Transferred::Unregistered(socket) => Ok(self.insert_unregistered(socket)?.0),
            Transferred::Connection(detached) => Ok(self.attach(detached)?.id()),
            Transferred::Listener {
                socket,
                backlog,
                accepted,
            } => {
                let (id, socket) = self.insert_unregistered(socket)?;
                let listener = self.begin_listening(id, &socket, backlog).inspect_err(|_| {
                    self.shared.table.lock().remove(id);
                })?;
                for detached in accepted {
                    // One for which there is no room is closed, as one is that was just accepted.
                    if let Ok(connection) = self.attach(detached) {
                        listener.take_over(connection.id());
                    }
                }
                Ok(id)
            }
        }
    }

    fn attach(&self, detached: Detached) -> Result<Arc<Connection>, Errno> {
        let shard = self.running()?.shards.next();
        let _entered = shard.enter();
        let stream = Stream::register(detached.unregistered).map_err(|refused| refused.error)?;
        let connection = self.shared.insert_connection(stream, detached.writing, shard)?;
        connection.resume(detached.in_flight);
        connection.set_shared(detached.shared);
        Shared::serve(&connection);
        Ok(connection)
    }

    /// Closes a handle that no reactor will receive. Nothing happens if one has.
    pub fn give_up(id: TransferId) {
        // Closed when the lock is free again.
        let _closed = IN_TRANSIT.lock().handles.remove(&id);
    }
}
