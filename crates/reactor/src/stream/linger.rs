//! The close of a connection, which sends first what was reported as written.
//!
//! While a batch of events is delivered, small writes are batched and reported as written
//! (`drive/flush_list.rs`). The kernel would have taken them from a program that writes at once, and it sends
//! what it has taken after `close(2)`. So an orderly close with such bytes left closes the handle, and the
//! descriptor lingers: the connection's task sends them, for [`LINGER_TIMEOUT`] at the longest, and closes it
//! then. Requests, whose end the consumer waits for, are cancelled by the close as libuv's are. A reset first
//! sends what the kernel has room for, which `write(2)` would have sent already, and drops the rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Wake as _, Waker};
use std::time::{Duration, Instant};

use ferronet_core::state::Writing;

use super::connection::{Closing, Connection};
use super::io::{StreamIo, wait_writable};

/// How long a peer that reads nothing keeps the descriptor of a closed connection. A peer that is slow gets
/// its bytes; one that never reads must not hold descriptors for longer than it takes others to notice.
const LINGER_TIMEOUT: Duration = if cfg!(test) {
    Duration::from_millis(300)
} else {
    Duration::from_secs(30)
};

impl Connection {
    /// Closes the descriptor before it returns, or returns true: it will be closed when it has sent what was
    /// reported as written. Writes that were queued are dropped; the task ends at its next turn.
    pub(crate) fn close(self: &Arc<Self>, closing: Closing) -> bool {
        self.flush_batched();
        let mut place = self.stream.write();
        let closing = if self.close_reader() {
            Closing::Reset
        } else {
            closing
        };
        let lingers = closing == Closing::Orderly && place.is_some() && self.writer.lock().linger();
        if lingers {
            let deadline = self
                .shard
                .timers
                .wake_at(Instant::now() + LINGER_TIMEOUT, Waker::from(Arc::clone(self)));
            self.writer.lock().set_timer(deadline);
            self.lingers.store(true, Ordering::Release);
            drop(place);
            Arc::clone(self).wake();
            return true;
        }
        self.writer.lock().close();
        let stream = place.take();
        drop(place);
        if closing == Closing::Reset
            && let Some(socket) = stream.as_ref().and_then(StreamIo::socket)
        {
            // A socket that refuses the option has lost its peer already: there is nothing to reset.
            drop(socket.set_linger(Some(Duration::ZERO)));
        }
        drop(stream);
        false
    }

    /// Closes the reading half. Returns whether the peer has to be reset: the kernel does that on the close
    /// of a socket with bytes that were not read, so that no peer takes them for received, and what was read
    /// ahead was not. Another owner of the socket goes on with it.
    fn close_reader(&self) -> bool {
        let mut reader = self.reader.lock();
        let has_unread = reader.inbox.waiting() > 0 && !self.is_shared();
        reader.close();
        has_unread
    }

    /// Whether the handle is closed and the descriptor is not.
    pub(crate) fn is_lingering(&self) -> bool {
        self.lingers.load(Ordering::Acquire)
    }

    /// Closes the descriptor of a connection that has nothing more to send.
    pub(super) fn end_lingering(&self) {
        if self.is_lingering() && self.writer.lock().state != Writing::Lingering {
            self.close_descriptor();
        }
    }

    fn close_descriptor(&self) {
        drop(self.stream.write().take());
        self.writer.lock().close();
        self.lingers.store(false, Ordering::Release);
    }

    /// The process exits, and the kernel will close the descriptor: has it reset the peer if this reactor has
    /// read bytes ahead, or has accepted a connection ahead, that no one will take. No thread reads from now
    /// on, so that the kernel does the same for what it has.
    pub(crate) fn reset_at_exit(&self, is_untaken: bool) {
        let mut reader = self.reader.lock();
        reader.state.close();
        let has_unread = reader.inbox.waiting() > 0;
        drop(reader);
        if is_untaken || (has_unread && !self.is_shared()) {
            let place = self.stream.read();
            if let Some(socket) = place.as_ref().and_then(StreamIo::socket) {
                drop(socket.set_linger(Some(Duration::ZERO)));
            }
        }
    }

    /// Whether bytes that were reported as written are not sent, and can be.
    fn has_unsent_batched(&self) -> bool {
        let writer = self.writer.lock();
        writer.state.sends() && writer.queue.has_batched()
    }
}

/// Sends what `connections` have reported as written. Waits for the kernel to take it, until `deadline` at
/// the longest; what lingers is closed then.
pub(crate) fn drain(mut connections: Vec<Arc<Connection>>, deadline: Instant) {
    let lingering: Vec<_> = connections
        .iter()
        .filter(|connection| connection.is_lingering())
        .map(Arc::clone)
        .collect();
    loop {
        connections.retain(|connection| {
            connection.flush_batched();
            connection.has_unsent_batched()
        });
        let left = deadline.saturating_duration_since(Instant::now());
        if connections.is_empty() || left.is_zero() {
            break;
        }
        let places: Vec<_> = connections
            .iter()
            .map(|connection| connection.stream.read())
            .collect();
        wait_writable(places.iter().filter_map(|place| place.as_ref()), left);
    }
    for connection in lingering {
        connection.close_descriptor();
    }
}
