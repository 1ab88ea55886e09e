//! The calls that every open handle takes, and what each kind of handle does.

use std::sync::Arc;

use parking_lot::MappedRwLockReadGuard;

use crate::listener::Listener;
use crate::socket::errno::Errno;
use crate::stream::{Closing, Connection, Detached, Unread};
use crate::sys::Descriptor;

use super::unregistered::Unregistered;

/// An open descriptor, which is not closed meanwhile.
type Opened<'a> = MappedRwLockReadGuard<'a, dyn Descriptor>;

/// What a handle has open. The table is not locked during these calls: a listener's task, which holds its
/// acceptor, waits for the table when it makes a connection. Without `Debug`, which would put the formatting
/// of all that is below into the library.
pub(super) trait Endpoint: Send + Sync {
    /// # Errors
    /// [`Errno::EBADF`] when it is closed.
    fn descriptor(&self) -> Result<Opened<'_>, Errno>;

    /// Whether another owner uses the socket as well: [`Reactor::set_shared`](crate::Reactor::set_shared).
    fn share(self: Arc<Self>, shared: bool);

    /// Closes the descriptor. A connection that has to send first what was reported as written is returned,
    /// and its descriptor is closed later.
    fn end(self: Arc<Self>, closing: Closing) -> Option<Arc<Connection>>;

    /// Takes out what is open, with all that is in flight: [`Reactor::send_off`](crate::Reactor::send_off).
    /// After an error the handle is what it was.
    fn leave(self: Arc<Self>, unread: &Unread<'_>) -> Result<Transferred, Errno>;

    /// Stops reading.
    fn stop_reading(&self) -> Result<(), Errno> {
        Err(Errno::ENOTCONN)
    }

    /// `listen(2)` once more.
    fn listen_again(self: Arc<Self>, _backlog: i32) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// Why it cannot connect.
    fn connect_error(&self) -> Errno {
        Errno::EINVAL
    }
}

/// What a handle was, in no reactor.
#[derive(Debug)]
pub(super) enum Transferred {
    Unregistered(Unregistered),
    Connection(Detached),
    Listener {
        socket: Unregistered,
        backlog: i32,
        /// What it has accepted and no consumer has taken.
        accepted: Vec<Detached>,
    },
}

impl Endpoint for Unregistered {
    fn descriptor(&self) -> Result<Opened<'_>, Errno> {
        self.opened()
    }

    fn share(self: Arc<Self>, shared: bool) {
        self.set_shared(shared);
    }

    fn end(self: Arc<Self>, _closing: Closing) -> Option<Arc<Connection>> {
        drop(self.take());
        None
    }

    fn leave(self: Arc<Self>, _unread: &Unread<'_>) -> Result<Transferred, Errno> {
        let socket = self.take().ok_or(Errno::EBADF)?;
        Ok(Transferred::Unregistered(Self::new(socket, self.is_shared())))
    }

    /// Nothing is read as long as it is not used as a stream.
    fn stop_reading(&self) -> Result<(), Errno> {
        Ok(())
    }
}

impl Endpoint for Connection {
    fn descriptor(&self) -> Result<Opened<'_>, Errno> {
        self.opened()
    }

    fn share(self: Arc<Self>, shared: bool) {
        self.set_shared(shared);
    }

    fn end(self: Arc<Self>, closing: Closing) -> Option<Arc<Connection>> {
        self.close(closing).then_some(self)
    }

    fn leave(self: Arc<Self>, unread: &Unread<'_>) -> Result<Transferred, Errno> {
        self.detach(unread).map(Transferred::Connection)
    }

    fn stop_reading(&self) -> Result<(), Errno> {
        self.read_stop();
        Ok(())
    }

    fn connect_error(&self) -> Errno {
        if self.is_connecting() {
            Errno::EALREADY
        } else {
            Errno::EISCONN
        }
    }
}

impl Endpoint for Listener {
    fn descriptor(&self) -> Result<Opened<'_>, Errno> {
        self.opened()
    }

    fn share(self: Arc<Self>, shared: bool) {
        self.set_shared(shared);
    }

    fn end(self: Arc<Self>, _closing: Closing) -> Option<Arc<Connection>> {
        self.close();
        None
    }

    fn leave(self: Arc<Self>, _unread: &Unread<'_>) -> Result<Transferred, Errno> {
        let (socket, backlog, accepted) = self.detach()?;
        Ok(Transferred::Listener {
            socket: Unregistered::new(socket, self.is_shared()),
            backlog,
            accepted,
        })
    }

    fn listen_again(self: Arc<Self>, backlog: i32) -> Result<(), Errno> {
        self.listen(backlog)
    }
}
