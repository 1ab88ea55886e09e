//! The Buffer that reads go into. When a read fills it, it is delivered itself.
#![expect(unsafe_code, reason = "napi-rs has no Buffer that JavaScript has not seen")]

use std::mem::MaybeUninit;
use std::{ptr, slice};

use napi::{Status, sys};

use crate::status::ok;

/// The most bytes that one read takes: libuv's size.
pub(crate) const READ_SIZE: usize = 64 * 1024;

/// A Buffer of [`READ_SIZE`] bytes that JavaScript has not seen. So nothing can detach it, resize it or write
/// to it, and its memory does not move.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    reference: sys::napi_ref,
    memory: *mut u8,
}

impl ReadBuffer {
    /// On the JavaScript thread, inside a handle scope.
    ///
    /// # Errors
    /// When there is no memory for it, or the environment is ending.
    pub(crate) fn allocate(env: sys::napi_env) -> Result<Self, Status> {
        let (mut memory, mut buffer, mut reference) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: on the JavaScript thread, inside a handle scope.
        ok(unsafe { sys::napi_create_buffer(env, READ_SIZE, &raw mut memory, &raw mut buffer) })?;
        // SAFETY: as above; `release` deletes the reference, or the environment does as it ends.
        ok(unsafe { sys::napi_create_reference(env, buffer, 1, &raw mut reference) })?;
        Ok(Self {
            reference,
            memory: memory.cast(),
        })
    }

    /// The memory to read into.
    pub(crate) fn unfilled(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: `memory` is the READ_SIZE bytes of a Buffer that the reference keeps alive. JavaScript has
        // not seen it, so only `self` accesses them.
        unsafe { slice::from_raw_parts_mut(self.memory.cast(), READ_SIZE) }
    }

    /// The first `length` bytes, which a read has filled.
    pub(crate) fn filled(&self, length: usize) -> &[u8] {
        // SAFETY: as `unfilled`; the caller passes the length of a read, which has initialized these bytes.
        unsafe { slice::from_raw_parts(self.memory, length) }
    }

    /// The Buffer itself, to be given to JavaScript. The caller has to drop `self`.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(crate) fn release(&self, env: sys::napi_env) -> Result<sys::napi_value, Status> {
        let mut buffer = ptr::null_mut();
        // SAFETY: as `allocate`, which has made the reference.
        ok(unsafe { sys::napi_get_reference_value(env, self.reference, &raw mut buffer) })?;
        // SAFETY: as above. Deleted once, because the caller drops `self`. If it fails, the Buffer lives as long
        // as the environment.
        let _deleted = unsafe { sys::napi_delete_reference(env, self.reference) };
        Ok(buffer)
    }
}
