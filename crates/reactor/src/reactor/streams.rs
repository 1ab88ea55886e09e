//! What is done with a connection: reading, writing, relaying, and the end of its writing side.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::sync::Arc;

use ferronet_core::handles::HandleId;
use ferronet_core::state::Writing;

use crate::socket::errno::Errno;
use crate::stream::{Accepted, Connection, Relayed, Taken, Window, Written};

use super::entry::Entry;
use super::reactor::Reactor;
use super::shared::Shared;

impl Reactor {
    /// Finds a stream; an adopted descriptor becomes one with its first use.
    pub(super) fn stream(&self, id: HandleId) -> Result<Arc<Connection>, Errno> {
        if let Some(connection) = self.existing(id) {
            return Ok(connection);
        }
        let entry = self.entry(id)?;
        let Some(unregistered) = entry.unregistered() else {
            return entry.endpoint().and(Err(Errno::ENOTCONN));
        };
        let connection = self.begin_stream(id, unregistered, Writing::Open)?;
        Shared::serve(&connection);
        Ok(connection)
    }

    /// Lets bytes flow: [`Event::Readable`](crate::Event::Readable) announces them.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle, [`Errno::ENOTCONN`] for a listener.
    pub fn read_start(&self, id: HandleId) -> Result<(), Errno> {
        self.stream(id)?.read_start();
        Ok(())
    }

    /// Stops them; what was read stays for the next [`Reactor::read_start`].
    ///
    /// # Errors
    /// As [`Reactor::read_start`].
    pub fn read_stop(&self, id: HandleId) -> Result<(), Errno> {
        self.endpoint(id)?.stop_reading()
    }

    /// Whether threads that drive read ahead of the consumer. Default: they do, and this has no effect before
    /// the first handle.
    pub fn set_reads_ahead(&self, reads_ahead: bool) {
        if let Some(runtimes) = self.shared.runtimes.get() {
            for shard in runtimes.shards.iter() {
                shard.set_reads_ahead(reads_ahead);
            }
        }
    }

    /// Takes what one [`Event::Readable`](crate::Event::Readable) has announced: what was read before, else
    /// what can be read into `space` now. `None` when there is nothing to take: the handle was stopped or
    /// closed meanwhile.
    pub fn take(&self, id: HandleId, space: &mut [MaybeUninit<u8>]) -> Option<Taken> {
        self.existing(id)?.take(space)
    }

    /// Announces once more what a [`Taken::more`] has announced, behind the events of other handles.
    pub fn take_later(&self, id: HandleId) {
        if let Some(connection) = self.shared.table.lock().get(id).and_then(Entry::connection) {
            connection.take_later();
        }
    }

    /// Takes back what [`Reactor::take`] gave, if the consumer has no room for it, and stops reading. It is
    /// given again, and first, after the next [`Reactor::read_start`]. Without `bytes` for a consumer that
    /// has no room to take to.
    pub fn put_back(&self, id: HandleId, bytes: &[u8]) {
        if let Some(connection) = self.existing(id) {
            connection.put_back(bytes);
        }
    }

    /// Sends `chunks`, in order: at once as far as the kernel takes them, else behind what waits.
    ///
    /// # Errors
    /// What the system says; nothing was taken then. [`Errno::EPIPE`] after [`Reactor::shutdown_write`].
    pub fn write(&self, id: HandleId, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        self.stream(id)?.write(chunks)
    }

    /// As [`Reactor::write`], for a writer that keeps what it writes: of what the kernel does not take now,
    /// 256 KiB at most are copied, and the writer comes with the rest when
    /// [`Event::Wrote`](crate::Event::Wrote) says that they are sent.
    ///
    /// # Errors
    /// As [`Reactor::write`], for the first window.
    pub fn write_window(
        &self,
        id: HandleId,
        chunks: &[IoSlice<'_>],
        window: Window,
    ) -> Result<Accepted, Errno> {
        self.stream(id)?.write_window(chunks, window)
    }

    /// Bytes that were accepted and that the kernel has not taken.
    pub fn write_queue_size(&self, id: HandleId) -> usize {
        let table = self.shared.table.lock();
        let connection = table.get(id).and_then(Entry::connection);
        connection.map_or(0, |connection| connection.write_queue_size())
    }

    /// Bytes that were read and not taken. At most the credit of a connection and one read: 320 KiB.
    pub fn read_queue_size(&self, id: HandleId) -> usize {
        let table = self.shared.table.lock();
        let connection = table.get(id).and_then(Entry::connection);
        connection.map_or(0, |connection| connection.read_queue_size())
    }

    /// Sends on `destination` what `source` receives, which has to be flowing, until [`Reactor::stop_relay`].
    /// No [`Event::Readable`](crate::Event::Readable) announces it; one announces the end.
    /// [`Event::Broken`](crate::Event::Broken) reports a failure of `destination`.
    ///
    /// # Errors
    /// [`Errno::EPIPE`] when `destination` takes no bytes, [`Errno::EALREADY`] when `source` is not flowing
    /// or has a relay.
    pub fn relay(&self, source: HandleId, destination: HandleId) -> Result<(), Errno> {
        self.stream(source)?.relay(&self.stream(destination)?)
    }

    /// Ends the relay of `source`: when it returns, no more bytes are moved. What was read goes out before
    /// what is written from now on. Returns what the relay has done, also when it has ended by itself.
    pub fn stop_relay(&self, source: HandleId) -> Relayed {
        self.existing(source)
            .map(|connection| connection.stop_relay())
            .unwrap_or_default()
    }

    /// What the last relay of `source` has done.
    pub fn relayed(&self, source: HandleId) -> Relayed {
        self.existing(source)
            .map(|connection| connection.relayed())
            .unwrap_or_default()
    }

    /// How many relays there are.
    pub fn relays(&self) -> usize {
        let table = self.shared.table.lock();
        let connections = table.values().filter_map(Entry::connection);
        connections.filter(|connection| connection.is_relaying()).count()
    }

    pub(crate) fn existing(&self, id: HandleId) -> Option<Arc<Connection>> {
        let table = self.shared.table.lock();
        table.get(id)?.connection().map(Arc::clone)
    }

    /// Sends FIN behind what waits, which [`Event::ShutDown`](crate::Event::ShutDown) reports.
    ///
    /// # Errors
    /// [`Errno::ENOTCONN`] when the stream is not connected or has sent it, [`Errno::EBADF`] when it is
    /// closed.
    pub fn shutdown_write(&self, id: HandleId) -> Result<(), Errno> {
        self.stream(id)?.shutdown()
    }
}
