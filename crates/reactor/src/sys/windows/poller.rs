//! The reactor's thread always drives here: the runtime has no descriptor that libuv's loop could watch.

use std::io;

use tokio::runtime::Runtime;

/// The runtime's completion port is not something that another loop can wait for: there is none.
#[derive(Debug)]
pub(crate) enum Poller {}

impl Poller {
    pub(crate) fn of(build: impl FnOnce() -> io::Result<Runtime>) -> io::Result<(Runtime, Option<Self>)> {
        Ok((build()?, None))
    }

    pub(crate) fn raw(&self) -> i32 {
        match *self {}
    }

    pub(crate) fn is_readable(&self) -> bool {
        match *self {}
    }
}
