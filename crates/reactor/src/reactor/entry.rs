//! What the table of handles holds, and what a handle has open.

use std::sync::Arc;

use crate::listener::Listener;
use crate::socket::errno::Errno;
use crate::stream::Connection;
use crate::sys::{Acceptor, Refused, Stream, UnregisteredSocket};

/// What the table holds for one handle.
#[derive(Debug)]
pub(super) enum Entry {
    Unregistered {
        unregistered: UnregisteredSocket,
        /// What it becomes has another owner as well.
        shared: bool,
    },
    Connection(Arc<Connection>),
    Listener(Arc<Listener>),
    /// Its descriptor is closed; the slot is free when [`Event::Closed`](crate::Event::Closed) is delivered.
    Closed,
}

impl Entry {
    /// Makes something else of an unregistered socket, which may be shared. After an error it is what it was, or closed where the system has closed it.
    ///
    /// # Errors
    /// `EBADF` for any other entry, which is left alone; what `make` says.
    pub(super) fn advance<R>(
        &mut self,
        make: impl FnOnce(UnregisteredSocket, bool) -> Result<(Self, R), Refused<UnregisteredSocket>>,
    ) -> Result<R, Errno> {
        let (unregistered, shared) = match std::mem::replace(self, Self::Closed) {
            Self::Unregistered { unregistered, shared } => (unregistered, shared),
            other => {
                *self = other;
                return Err(Errno::EBADF);
            }
        };
        match make(unregistered, shared) {
            Ok((entry, result)) => {
                *self = entry;
                Ok(result)
            }
            Err(Refused { left, error }) => {
                if let Some(unregistered) = left {
                    *self = Self::Unregistered { unregistered, shared };
                }
                Err(error.into())
            }
        }
    }
}

/// What a handle has open.
pub(crate) enum Descriptor<'a> {
    Unregistered(&'a UnregisteredSocket),
    Stream(&'a Stream),
    Acceptor(&'a Acceptor),
}

impl Descriptor<'_> {
    /// The number, or -1 where there is none.
    pub(crate) fn raw(&self) -> i32 {
        match self {
            Self::Unregistered(unregistered) => unregistered.raw(),
            Self::Stream(stream) => stream.raw(),
            Self::Acceptor(acceptor) => acceptor.raw(),
        }
    }
}
