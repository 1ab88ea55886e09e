//! The sockets of libuv's TCP handles. On Windows, Node does not expose their numbers.
#![expect(unsafe_code, reason = "libuv's C interface")]

use std::ffi::c_void;
use std::ptr;

use napi::{Env, Status, sys};
use napi_derive::napi;

use crate::uv::{HandlePtr, Inspection, OsHandle, TCP};

struct Found {
    uv: Inspection,
    sockets: Vec<OsHandle>,
}

/// The numbers of libuv's TCP sockets that keep the environment's loop alive. The number of one handle is the
/// one that is missing after its `unref`.
#[napi(catch_unwind)]
pub fn referenced_sockets(env: &Env) -> Vec<i32> {
    let Some(uv) = Inspection::find() else {
        return Vec::new();
    };
    let mut uv_loop = ptr::null_mut();
    // SAFETY: on the environment's thread.
    let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut uv_loop) };
    if Status::from(status) != Status::Ok || uv_loop.is_null() {
        return Vec::new();
    }
    let mut found = Found {
        uv,
        sockets: Vec::new(),
    };
    // SAFETY: the loop is the environment's and this is its thread. `note` changes no handle, and gets the
    // `Found` that it casts its argument to.
    unsafe { (uv.walk)(uv_loop.cast(), note, (&raw mut found).cast()) };
    found.sockets.into_iter().map(number).collect()
}

unsafe extern "C" fn note(handle: HandlePtr, found: *mut c_void) {
    // SAFETY: the `Found` of `referenced_sockets`, which does not use it while it walks the loop.
    let found = unsafe { &mut *found.cast::<Found>() };
    // SAFETY: libuv walks over initialized handles, and these calls change nothing.
    unsafe {
        let mut socket = std::mem::zeroed();
        if (found.uv.handle_type)(handle) == TCP
            && (found.uv.has_ref)(handle) != 0
            && (found.uv.fileno)(handle, &raw mut socket) == 0
        {
            found.sockets.push(socket);
        }
    }
}

#[cfg(unix)]
fn number(socket: OsHandle) -> i32 {
    socket
}

#[cfg(windows)]
fn number(socket: OsHandle) -> i32 {
    i32::try_from(socket.addr()).unwrap_or(-1)
}
