//! What the table of handles holds.

use std::sync::Arc;

use crate::listener::Listener;
use crate::socket::errno::Errno;
use crate::stream::Connection;

use super::endpoint::Endpoint;
use super::unregistered::Unregistered;

/// What the table holds for one handle. The calls that every handle takes go to its [`Endpoint`]; those for
/// one kind find that kind without it.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Unregistered(Arc<Unregistered>),
    Connection(Arc<Connection>),
    Listener(Arc<Listener>),
    /// Its descriptor is closed; the slot is free when [`Event::Closed`](crate::Event::Closed) is delivered.
    Closed,
}

impl Entry {
    /// What is open.
    ///
    /// # Errors
    /// [`Errno::EBADF`] when nothing is.
    pub(super) fn endpoint(self) -> Result<Arc<dyn Endpoint>, Errno> {
        match self {
            Self::Unregistered(unregistered) => Ok(unregistered),
            Self::Connection(connection) => Ok(connection),
            Self::Listener(listener) => Ok(listener),
            Self::Closed => Err(Errno::EBADF),
        }
    }

    pub(super) fn unregistered(&self) -> Option<&Arc<Unregistered>> {
        match self {
            Self::Unregistered(unregistered) => Some(unregistered),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn connection(&self) -> Option<&Arc<Connection>> {
        match self {
            Self::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    pub(super) fn listener(&self) -> Option<&Arc<Listener>> {
        match self {
            Self::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}
