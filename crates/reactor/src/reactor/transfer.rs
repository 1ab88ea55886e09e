//! Handles in transit from one reactor to another of the same process.
//!
//! A handle that is sent off leaves its reactor with everything that is in flight: what was read and not
//! taken, what was written and not sent, connections that were accepted and not taken, the path that goes with a local
//! server. It belongs to no reactor until another one receives it, or until it is given up, which closes it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use ferronet_core::handles::HandleId;
use parking_lot::Mutex;

use crate::socket::errno::Errno;
use crate::stream::{Connection, Detached, Unread};
use crate::sys::{Stream, UnregisteredSocket};

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

    /// Reads back what [`TransferId::to_bits`] gave. Any number is taken: one that names nothing finds nothing.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

#[derive(Debug)]
enum Transferred {
    Unregistered {
        unregistered: UnregisteredSocket,
        shared: bool,
    },
    Connection(Detached),
    Listener {
        unregistered: UnregisteredSocket,
        backlog: i32,
        shared: bool,
        accepted: Vec<Detached>,
    },
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
    /// Takes a handle out of this reactor; close its id as usual, for its last event. `unread` is what the consumer has
    /// taken of a stream and gives back.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle, [`Errno::EALREADY`] for one that is connecting, [`Errno::EPIPE`] for a
    /// stream that a write has failed on, [`Errno::ENOTSUP`] where the system binds a handle to its reactor. The handle
    /// is what it was then.
    pub fn send_off(&self, id: HandleId, unread: &Unread<'_>) -> Result<TransferId, Errno> {
        let handle = self.detach(id, unread)?;
        Ok(IN_TRANSIT.lock().put(handle))
    }

    fn detach(&self, id: HandleId, unread: &Unread<'_>) -> Result<Transferred, Errno> {
        let mut table = self.shared.table.lock();
        let entry = table.get_mut(id).ok_or(Errno::EBADF)?;
        match entry {
            Entry::Closed => Err(Errno::EBADF),
            Entry::Unregistered { .. } => entry.advance(|unregistered, shared| {
                Ok((Entry::Closed, Transferred::Unregistered { unregistered, shared }))
            }),
            Entry::Connection(connection) => {
                let connection = Arc::clone(connection);
                drop(table);
                let detached = connection.detach(unread)?;
                self.forget(id);
                Ok(Transferred::Connection(detached))
            }
            Entry::Listener(listener) => {
                let listener = Arc::clone(listener);
                drop(table);
                let (unregistered, backlog, accepted) = listener.detach()?;
                self.forget(id);
                self.shared
                    .listeners
                    .lock()
                    .retain(|other| !Arc::ptr_eq(other, &listener));
                let accepted = accepted.into_iter().filter_map(|id| self.detach_untaken(id));
                Ok(Transferred::Listener {
                    unregistered,
                    backlog,
                    shared: listener.is_shared(),
                    accepted: accepted.collect(),
                })
            }
        }
    }

    /// [`Reactor::set_shared`].
    pub(crate) fn share_entry(&self, id: HandleId, shared: bool) -> Result<(), Errno> {
        let mut table = self.shared.table.lock();
        match table.get_mut(id).ok_or(Errno::EBADF)? {
            Entry::Unregistered { shared: place, .. } => *place = shared,
            Entry::Connection(connection) => {
                let connection = Arc::clone(connection);
                drop(table);
                connection.set_shared(shared);
            }
            Entry::Listener(listener) => {
                let listener = Arc::clone(listener);
                drop(table);
                listener.set_shared(shared);
            }
            Entry::Closed => return Err(Errno::EBADF),
        }
        Ok(())
    }

    /// The entry of a handle that has nothing open any more.
    fn forget(&self, id: HandleId) {
        if let Some(entry) = self.shared.table.lock().get_mut(id) {
            *entry = Entry::Closed;
        }
    }

    /// A connection that was accepted and that no consumer has taken.
    fn detach_untaken(&self, id: HandleId) -> Option<Detached> {
        let mut table = self.shared.table.lock();
        let Entry::Connection(connection) = table.get(id)? else {
            return None;
        };
        let connection = Arc::clone(connection);
        table.remove(id);
        drop(table);
        connection.detach(&Unread::default()).ok()
    }

    /// Takes a handle that was sent off into this reactor. The connections of a listener are announced from now on.
    ///
    /// # Errors
    /// [`Errno::ENOENT`] when it was received already or given up. With any other error it is closed.
    pub fn receive(&self, id: TransferId) -> Result<HandleId, Errno> {
        let handle = IN_TRANSIT.lock().handles.remove(&id).ok_or(Errno::ENOENT)?;
        self.running()?;
        match handle {
            Transferred::Unregistered { unregistered, shared } => self.insert_socket(unregistered, shared),
            Transferred::Connection(detached) => Ok(self.attach(detached)?.id()),
            Transferred::Listener {
                unregistered,
                backlog,
                shared,
                accepted,
            } => {
                let id = self.insert_socket(unregistered, shared)?;
                let listener = self.begin_listening(id, backlog).inspect_err(|_| {
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
