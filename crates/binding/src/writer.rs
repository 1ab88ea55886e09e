//! `write(id, chunk, form?)`, the call that a program makes most, as a plain function. It encodes strings into
//! memory that is reused, so they need no Buffer.
#![expect(unsafe_code, reason = "strings and views are read by raw Node-API calls")]

use std::cell::RefCell;
use std::ffi::{CStr, c_char};
use std::io::IoSlice;
use std::{ptr, slice};

use ferronet_numbers::{ChunkForm, LONGEST_STRING};
use ferronet_reactor::{Accepted, Errno, Window, Written};
use napi::bindgen_prelude::Unknown;
use napi::{Env, Result, Status, sys};

use crate::numbers;
use crate::plain::{self, Arguments, Plain};
use crate::reactor_ref::ReactorRef;

/// The size of the memory that strings are encoded into. It is enough for every string that JavaScript does
/// not encode itself: a UTF-16 unit takes three bytes at most.
const SCRATCH: usize = 4 * LONGEST_STRING;

struct Writer {
    reactor: ReactorRef,
    scratch: RefCell<Vec<u8>>,
}

/// Makes the function. Without a form, the chunk is the view of a new write. It returns undefined if all of
/// that was accepted and no event follows; else twice the number of accepted bytes, plus 1 if a `Wrote` event
/// will follow; or a negative error.
///
/// # Errors
/// When the environment is ending.
pub(crate) fn function(env: &Env, reactor: ReactorRef) -> Result<Unknown<'_>> {
    let scratch = RefCell::new(Vec::new());
    plain::function(env, Writer { reactor, scratch })
}

impl Plain for Writer {
    const NAME: &CStr = c"write";

    type Answer = Option<f64>;

    fn call(&self, arguments: &Arguments) -> Option<f64> {
        let (env, id, chunk) = (arguments.env, arguments.number(0), arguments.values[1]);
        if arguments.count == 2 {
            return self.write_whole(env, id, chunk);
        }
        Some(match ChunkForm::of(arguments.integer(2)) {
            Some(form) => self.write(env, id, chunk, form),
            None => invalid(),
        })
    }
}

impl Writer {
    fn write_whole(&self, env: sys::napi_env, id: f64, chunk: sys::napi_value) -> Option<f64> {
        let Some(bytes) = bytes_of(env, chunk) else {
            return Some(invalid());
        };
        let whole = Accepted {
            bytes: bytes.len(),
            written: Written::Completed,
        };
        let core = self.reactor.get();
        let accepted = core.write_window(numbers::id(id), &[IoSlice::new(bytes)], Window::First);
        (accepted != Ok(whole)).then(|| numbers::accepted(accepted))
    }

    fn write(&self, env: sys::napi_env, id: f64, chunk: sys::napi_value, form: ChunkForm) -> f64 {
        match form {
            ChunkForm::Bytes => self.send_window(id, bytes_of(env, chunk), Window::First),
            ChunkForm::NextBytes => self.send_window(id, bytes_of(env, chunk), Window::Next),
            ChunkForm::Utf8 => self.send_encoded(id, 4, |memory, room, length| {
                // SAFETY: `send_encoded` passes memory of `room` bytes, or null to get the length.
                unsafe { sys::napi_get_value_string_utf8(env, chunk, memory.cast(), room, length) }
            }),
            ChunkForm::Latin1 => self.send_encoded(id, 1, |memory, room, length| {
                // SAFETY: as above.
                unsafe {
                    sys::napi_get_value_string_latin1(env, chunk, memory.cast::<c_char>(), room, length)
                }
            }),
            ChunkForm::Utf16Le => self.write_utf16(env, id, chunk),
        }
    }

    fn write_utf16(&self, env: sys::napi_env, id: f64, chunk: sys::napi_value) -> f64 {
        let mut length = 0;
        // SAFETY: with a null buffer, Node-API writes only the length.
        unsafe { sys::napi_get_value_string_utf16(env, chunk, ptr::null_mut(), 0, &raw mut length) };
        let mut units = vec![0_u16; length + 1];
        // SAFETY: `units` has room for the given number of units.
        unsafe {
            sys::napi_get_value_string_utf16(env, chunk, units.as_mut_ptr(), units.len(), &raw mut length)
        };
        let bytes: Vec<u8> = units[..length]
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect();
        self.send_all(id, &bytes)
    }

    /// Encodes a string by `get` and sends it. `scratch` does not grow: JavaScript encodes strings that may
    /// not fit, and one that gets here in spite of that is encoded into new memory.
    fn send_encoded(
        &self,
        id: f64,
        widest: usize,
        get: impl Fn(*mut u8, usize, *mut usize) -> sys::napi_status,
    ) -> f64 {
        let mut scratch = self.scratch.borrow_mut();
        scratch.resize(SCRATCH, 0);
        let mut length = 0;
        let status = get(scratch.as_mut_ptr(), scratch.len(), &raw mut length);
        if Status::from(status) != Status::Ok {
            return invalid();
        }
        // One byte is for the terminating zero, and a character takes up to `widest` bytes. If less than that
        // is left, the string may have been truncated.
        if length + widest < scratch.len() {
            return self.send_all(id, &scratch[..length]);
        }
        get(ptr::null_mut(), 0, &raw mut length);
        let mut large = vec![0; length + 1];
        let status = get(large.as_mut_ptr(), large.len(), &raw mut length);
        if Status::from(status) != Status::Ok {
            return invalid();
        }
        self.send_all(id, &large[..length])
    }

    /// Sends bytes of a view. JavaScript keeps it until all of it is sent, so the reactor may accept only a
    /// part.
    fn send_window(&self, id: f64, bytes: Option<&[u8]>, window: Window) -> f64 {
        let Some(bytes) = bytes else { return invalid() };
        let core = self.reactor.get();
        numbers::accepted(core.write_window(numbers::id(id), &[IoSlice::new(bytes)], window))
    }

    /// Sends bytes that do not outlive the call, so the reactor copies what the kernel does not take.
    fn send_all(&self, id: f64, bytes: &[u8]) -> f64 {
        let core = self.reactor.get();
        let written = core.write(numbers::id(id), &[IoSlice::new(bytes)]);
        let bytes = bytes.len();
        numbers::accepted(written.map(|written| Accepted { bytes, written }))
    }
}

/// The result for a chunk that is neither bytes nor a string, and for an unknown form.
fn invalid() -> f64 {
    f64::from(Errno::EINVAL.code())
}

/// The bytes of a view, for use during the call, while JavaScript does not run.
fn bytes_of<'a>(env: sys::napi_env, chunk: sys::napi_value) -> Option<&'a [u8]> {
    let (mut memory, mut length) = (ptr::null_mut(), 0);
    // SAFETY: Node-API checks the type of `chunk` and fails for anything but a view.
    let status = unsafe { sys::napi_get_buffer_info(env, chunk, &raw mut memory, &raw mut length) };
    if Status::from(status) != Status::Ok {
        return None;
    }
    if length == 0 {
        return Some(&[]);
    }
    // SAFETY: the memory of a view that was passed to this call. Nothing can detach it before the call ends.
    Some(unsafe { slice::from_raw_parts(memory.cast(), length) })
}
