//! The calls for handing a socket over to another owner in this process, or taking one over from him.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API gives strings as their own copies"
)]

use std::io::IoSlice;

use ferronet_reactor::{Errno, Reactor as Core};
use napi::bindgen_prelude::{BufferSlice, Uint8ArraySlice};
use napi::{Either, Env, Result};
use napi_derive::napi;

use crate::numbers::{done, id, made};
use crate::reactor::Reactor;

#[napi]
impl Reactor {
    /// Sends what a batch has kept. Answers how many bytes the kernel has not taken.
    #[napi(catch_unwind)]
    pub fn flush(&self, handle: f64) -> u32 {
        u32::try_from(self.core().flush(id(handle))).unwrap_or(u32::MAX)
    }

    /// Whether another owner uses the socket as well: then no write is held, and nothing is read or accepted ahead.
    #[napi(catch_unwind)]
    pub fn set_shared(&self, handle: f64, shared: bool) -> i32 {
        done(self.core().set_shared(id(handle), shared))
    }

    /// Whether threads that drive read ahead of JavaScript.
    #[napi(catch_unwind)]
    pub fn set_reads_ahead(&self, reads_ahead: bool) {
        self.core().set_reads_ahead(reads_ahead);
    }

    /// How many bytes were read and not delivered.
    #[napi(catch_unwind)]
    pub fn read_queue_size(&self, handle: f64) -> u32 {
        u32::try_from(self.core().read_queue_size(id(handle))).unwrap_or(u32::MAX)
    }

    /// Takes what was written and the kernel does not take now; a shutdown behind it is cancelled.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(catch_unwind)]
    pub fn take_unsent<'env>(&self, env: &'env Env, handle: f64) -> Result<BufferSlice<'env>> {
        let unsent = self.core().take_unsent(id(handle));
        BufferSlice::copy_from(env, &*unsent).inspect_err(|_| {
            // The queue is empty, so it keeps its place. An error is reported by what is read.
            let _written = self.core().write(id(handle), &[IoSlice::new(&unsent)]);
        })
    }

    /// Sends what was reported as written and not sent by another owner.
    #[napi(catch_unwind)]
    pub fn write_reported(&self, handle: f64, bytes: Uint8ArraySlice<'_>) -> i32 {
        done(self.core().write_reported(id(handle), &bytes))
    }

    /// Takes a piece of `takeUnread` back: it is delivered next.
    #[napi(catch_unwind)]
    pub fn put_back(&self, handle: f64, unread: Uint8ArraySlice<'_>) {
        self.core().put_back(id(handle), &unread);
    }

    /// Stops reading, and gives a piece of what was read and not told. 0: there is no more. Or the error of a read.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(catch_unwind, ts_return_type = "Buffer | number")]
    pub fn take_unread<'env>(&self, env: &'env Env, handle: f64) -> Result<Either<BufferSlice<'env>, i32>> {
        Ok(match self.core().take_unread(id(handle)) {
            Ok(Some(chunk)) => {
                let copy = BufferSlice::copy_from(env, &*chunk);
                Either::A(copy.inspect_err(|_| self.core().put_back(id(handle), &chunk))?)
            }
            Ok(None) => Either::B(0),
            Err(errno) => Either::B(errno.code()),
        })
    }

    /// Closes the descriptor of a listener, but leaves its file, and what was accepted to `accept`.
    #[napi(catch_unwind)]
    pub fn retire(&self, handle: f64) -> i32 {
        done(self.core().retire(id(handle)))
    }

    /// The id of a connection that was accepted and not told, or an error: there is none.
    #[napi(catch_unwind)]
    pub fn take_accepted(&self, handle: f64) -> f64 {
        made(self.core().take_accepted(id(handle)).ok_or(Errno::EAGAIN))
    }

    /// Has the file at `path` go with a listener.
    #[napi(catch_unwind)]
    pub fn own_path(&self, handle: f64, path: String) -> i32 {
        done(self.core().own_path(id(handle), &path))
    }
}

/// Another descriptor of what `fd` is, the caller's to close; or an error.
#[napi(catch_unwind)]
pub fn duplicate_descriptor(fd: i32) -> i32 {
    Core::duplicate_descriptor(fd).unwrap_or_else(Errno::code)
}
