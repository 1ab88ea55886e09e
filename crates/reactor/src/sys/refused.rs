//! What comes back when a runtime does not take what it was given.

use std::io;

/// Why the runtime does not take a socket.
#[derive(Debug)]
pub(crate) struct Refused<T> {
    /// What was to be registered, which is as before; `None` where it is closed.
    pub(crate) left: Option<T>,
    pub(crate) error: io::Error,
}

impl<T> From<io::Error> for Refused<T> {
    fn from(error: io::Error) -> Self {
        Self { left: None, error }
    }
}
