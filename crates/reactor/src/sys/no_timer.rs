//! For systems without a descriptor that is readable at a time, or whose poller no other loop watches.

use std::io;
use std::task::Context;
use std::time::Instant;

/// There is none.
#[derive(Debug)]
pub(crate) enum PollTimer {}

impl PollTimer {
    pub(crate) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn set(&self, _at: Option<Instant>) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn wake_next(&self, _cx: &mut Context<'_>) {
        match *self {}
    }
}
