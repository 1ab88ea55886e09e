//! What the table of handles holds, and what a handle has open.

use std::sync::Arc;

use crate::listener::Listener;
use crate::socket::errno::Errno;
use crate::stream::Connection;
use crate::sys::{Acceptor, Idle, Refused, Stream};

/// What stands in the table.
#[derive(Debug)]
pub(super) enum Entry {
    Idle {
        idle: Idle,
        /// What it becomes has another owner as well.
        shared: bool,
    },
    Connection(Arc<Connection>),
    Listener(Arc<Listener>),
    /// Its descriptor is closed; the slot is free when [`Event::Closed`] is delivered.
    Closed,
}

impl Entry {
    /// Makes something else of an idle entry, which may be shared. After an error it is what it was, or closed where the system has closed it.
    ///
    /// # Errors
    /// `EBADF` for any other entry, which is left alone; what `make` says.
    pub(super) fn advance<R>(
        &mut self,
        make: impl FnOnce(Idle, bool) -> Result<(Self, R), Refused<Idle>>,
    ) -> Result<R, Errno> {
        let (idle, shared) = match std::mem::replace(self, Self::Closed) {
            Self::Idle { idle, shared } => (idle, shared),
            other => {
                *self = other;
                return Err(Errno::EBADF);
            }
        };
        match make(idle, shared) {
            Ok((entry, result)) => {
                *self = entry;
                Ok(result)
            }
            Err(Refused { left, error }) => {
                if let Some(idle) = left {
                    *self = Self::Idle { idle, shared };
                }
                Err(error.into())
            }
        }
    }
}

/// What a handle has open.
pub(crate) enum Descriptor<'a> {
    Idle(&'a Idle),
    Stream(&'a Stream),
    Acceptor(&'a Acceptor),
}

impl Descriptor<'_> {
    /// The number, or -1 where there is none.
    pub(crate) fn raw(&self) -> i32 {
        match self {
            Self::Idle(idle) => idle.raw(),
            Self::Stream(stream) => stream.raw(),
            Self::Acceptor(acceptor) => acceptor.raw(),
        }
    }
}
