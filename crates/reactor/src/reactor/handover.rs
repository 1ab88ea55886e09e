//! Handing a socket over to another owner, who has a second descriptor of it: what was read, accepted or
//! written here goes along, and the file of a local socket goes to the owner that listens on it. Or both have
//! the socket from then on.

use std::path::Path;

use ferronet_core::handles::HandleId;

use crate::socket::errno::Errno;
use crate::stream::Chunk;
use crate::sys::{self, OwnedDescriptor};

use super::entry::Entry;
use super::reactor::Reactor;

impl Reactor {
    /// Another descriptor of what `fd` is, which is the caller's to close, and is not inherited by child
    /// processes.
    ///
    /// # Errors
    /// [`Errno::EBADF`] when it is not open, what `fcntl(2)` says. On Windows `fd` is the number of a socket,
    /// and [`Errno::ENOTSUP`] is for what has none.
    pub fn duplicate_descriptor(fd: i32) -> Result<i32, Errno> {
        Ok(sys::duplicate(fd)?)
    }

    /// Takes a connection out of this reactor, for an owner outside of it; close its id as usual, for its last
    /// event.
    ///
    /// # Errors
    /// [`Errno::EAGAIN`] while something is on its way through it, in either direction, or it has ended;
    /// otherwise as [`Reactor::send_off`]. The connection is what it was then.
    pub fn release(&self, id: HandleId) -> Result<OwnedDescriptor, Errno> {
        if !sys::GIVES_DESCRIPTORS {
            return Err(Errno::ENOTSUP);
        }
        let unregistered = self.existing(id).ok_or(Errno::EBADF)?.release()?;
        self.shared.replace(id, Entry::Closed);
        Ok(unregistered.into_descriptor()?)
    }

    /// Sends what is batched. Returns how many bytes the kernel has not taken.
    pub fn flush(&self, id: HandleId) -> usize {
        self.existing(id).map_or(0, |connection| {
            connection.flush_batched();
            connection.write_queue_size()
        })
    }

    /// Whether another owner uses the socket as well. Then writes are not batched, nothing is read ahead of
    /// the consumer, and a listener accepts one connection at a time, when the consumer asks for it. What is
    /// batched is sent.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle.
    pub fn set_shared(&self, id: HandleId, shared: bool) -> Result<(), Errno> {
        self.endpoint(id)?.share(shared);
        Ok(())
    }

    /// Takes what was written and the kernel does not take now, for another owner, who sends it first. No
    /// event reports the end of a write, and a shutdown behind it is cancelled.
    pub fn take_unsent(&self, id: HandleId) -> Vec<u8> {
        self.existing(id)
            .map(|connection| connection.take_unsent())
            .unwrap_or_default()
    }

    /// Sends what another owner of the connection has reported as written and not sent: before all that is
    /// written from now on, and before a close, which lingers for it. No event follows.
    ///
    /// # Errors
    /// [`Errno::EBADF`] for a closed handle, [`Errno::EPIPE`] for one that can't send, and what the write
    /// says.
    pub fn write_reported(&self, id: HandleId, bytes: &[u8]) -> Result<(), Errno> {
        self.stream(id)?.write_reported(bytes)
    }

    /// Stops reading, and gives a piece of what was read and not taken. `None`: there is no more, and the
    /// next read from the descriptor gets what follows, the end too.
    ///
    /// # Errors
    /// The error that a read ended with, which the kernel reports once.
    pub fn take_unread(&self, id: HandleId) -> Result<Option<Chunk>, Errno> {
        self.existing(id)
            .map_or(Ok(None), |connection| connection.take_unread())
    }

    /// A connection that was accepted and not taken, of a listener that is closed or handed over. Unlike
    /// [`Reactor::accept`] it accepts none.
    pub fn take_accepted(&self, id: HandleId) -> Option<HandleId> {
        self.listener(id).ok()?.take_accepted()
    }

    /// Accepts nothing more, and closes the descriptor of a listener. Its file stays, and what was accepted
    /// can be taken.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] for a handle that does not listen.
    pub fn retire(&self, id: HandleId) -> Result<(), Errno> {
        self.listener(id)?.retire();
        Ok(())
    }

    /// Has the file at `path` removed when the listener is closed, as if it had made it.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] for a handle that does not listen.
    pub fn own_path(&self, id: HandleId, path: &str) -> Result<(), Errno> {
        self.listener(id)?.own_path(Path::new(path))
    }
}
