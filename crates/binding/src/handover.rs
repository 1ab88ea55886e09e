//! The calls that hand a socket over to another owner in this process, or take one over.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API gives strings as their own copies"
)]

use std::io::IoSlice;

use ferronet_reactor::{Errno, OwnedDescriptor, Reactor as Core};
use napi::bindgen_prelude::{BufferSlice, Uint8ArraySlice};
use napi::{Either, Env, Result};
use napi_derive::napi;

use crate::numbers::{done, id, made};
use crate::reactor::Reactor;

#[napi]
impl Reactor {
    /// Takes the connection out of a handle, which is to be closed afterwards. Returns the descriptor, which
    /// the caller has to close, or an error: nothing has changed then.
    #[napi(catch_unwind)]
    pub fn release(&self, handle: f64) -> i32 {
        let released = self.core().release(id(handle));
        released.map_or_else(Errno::code, OwnedDescriptor::into_number)
    }

    /// Sends batched writes. Returns the number of bytes that the kernel has not taken.
    #[napi(catch_unwind)]
    pub fn flush(&self, handle: f64) -> u32 {
        u32::try_from(self.core().flush(id(handle))).unwrap_or(u32::MAX)
    }

    /// Sets whether another owner uses the socket as well. If so, no write is batched, and nothing is read or
    /// accepted ahead.
    #[napi(catch_unwind)]
    pub fn set_shared(&self, handle: f64, shared: bool) -> i32 {
        done(self.core().set_shared(id(handle), shared))
    }

    /// Sets whether the reactor's threads read ahead of JavaScript.
    #[napi(catch_unwind)]
    pub fn set_reads_ahead(&self, reads_ahead: bool) {
        self.core().set_reads_ahead(reads_ahead);
    }

    /// The number of bytes that were read and not delivered.
    #[napi(catch_unwind)]
    pub fn read_queue_size(&self, handle: f64) -> u32 {
        u32::try_from(self.core().read_queue_size(id(handle))).unwrap_or(u32::MAX)
    }

    /// Takes the written bytes that the kernel has no room for now. A shutdown behind them is cancelled.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(catch_unwind)]
    pub fn take_unsent<'env>(&self, env: &'env Env, handle: f64) -> Result<BufferSlice<'env>> {
        let unsent = self.core().take_unsent(id(handle));
        BufferSlice::copy_from(env, &*unsent).inspect_err(|_| {
            // Written again into the empty queue, the bytes keep their order. A failure shows in the next
            // read.
            let _written = self.core().write(id(handle), &[IoSlice::new(&unsent)]);
        })
    }

    /// Sends bytes that another owner has reported as written and not sent.
    #[napi(catch_unwind)]
    pub fn write_reported(&self, handle: f64, bytes: Uint8ArraySlice<'_>) -> i32 {
        done(self.core().write_reported(id(handle), &bytes))
    }

    /// Puts a chunk of `takeUnread` back, which is delivered next.
    #[napi(catch_unwind)]
    pub fn put_back(&self, handle: f64, unread: Uint8ArraySlice<'_>) {
        self.core().put_back(id(handle), &unread);
    }

    /// Stops reading and takes a chunk that was read and not delivered; 0 if there is none, or the error of a
    /// read.
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

    /// Closes the descriptor of a listener. Its file stays, and connections that were accepted can be taken.
    #[napi(catch_unwind)]
    pub fn retire(&self, handle: f64) -> i32 {
        done(self.core().retire(id(handle)))
    }

    /// Takes a connection that was accepted and not delivered. Returns its id, or an error if there is none.
    #[napi(catch_unwind)]
    pub fn take_accepted(&self, handle: f64) -> f64 {
        made(self.core().take_accepted(id(handle)).ok_or(Errno::EAGAIN))
    }

    /// Makes a listener own the file at `path`, which is removed when the listener closes.
    #[napi(catch_unwind)]
    pub fn own_path(&self, handle: f64, path: String) -> i32 {
        done(self.core().own_path(id(handle), &path))
    }
}

/// Duplicates a descriptor. Returns the new one, which the caller has to close, or an error.
#[napi(catch_unwind)]
pub fn duplicate_descriptor(fd: i32) -> i32 {
    Core::duplicate_descriptor(fd).unwrap_or_else(Errno::code)
}
