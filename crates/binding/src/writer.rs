//! `write(id, chunk, form)`, the call that a program makes most, as a plain function. Strings are encoded here, into memory
//! that is used again, so there is no Buffer between.
#![expect(unsafe_code, reason = "strings and views are read by raw Node-API calls")]

use std::cell::RefCell;
use std::ffi::{CStr, c_char};
use std::io::IoSlice;
use std::{ptr, slice};

use ferronet_reactor::{Errno, Written};
use napi::bindgen_prelude::Unknown;
use napi::{Env, Result, Status, sys};

use crate::lease::Lease;
use crate::numbers;
use crate::plain::{self, Arguments, Plain};

/// Strings up to about this many bytes are encoded without an allocation.
const SCRATCH: usize = 64 * 1024;

struct Writer {
    lease: Lease,
    scratch: RefCell<Vec<u8>>,
}

/// What `chunk` is (`lib/stream-handle.ts` has the same numbers).
enum Form {
    Bytes,
    Utf8,
    Latin1,
    Utf16,
}

impl Form {
    fn of(number: i32) -> Self {
        match number {
            1 => Self::Utf8,
            2 => Self::Latin1,
            3 => Self::Utf16,
            _ => Self::Bytes,
        }
    }
}

/// Makes the function. It answers, of what was written, twice the number of bytes, plus 1 if a `Wrote` event will
/// follow; or a negative error.
///
/// # Errors
/// When the environment is ending.
pub(crate) fn function(env: &Env, lease: Lease) -> Result<Unknown<'_>> {
    let scratch = RefCell::new(Vec::new());
    plain::function(env, Writer { lease, scratch })
}

impl Plain for Writer {
    const NAME: &CStr = c"write";

    fn call(&self, arguments: &Arguments) -> f64 {
        let form = Form::of(arguments.integer(2));
        self.write(arguments.env, arguments.number(0), arguments.values[1], &form)
    }
}

impl Writer {
    fn write(&self, env: sys::napi_env, id: f64, chunk: sys::napi_value, form: &Form) -> f64 {
        let mut scratch = self.scratch.borrow_mut();
        let bytes = match form {
            Form::Bytes => bytes_of(env, chunk),
            Form::Utf8 => encode(&mut scratch, 4, |memory, room, length| {
                // SAFETY: `encode` gives memory of that much room, or null to ask for the length.
                unsafe { sys::napi_get_value_string_utf8(env, chunk, memory.cast(), room, length) }
            }),
            Form::Latin1 => encode(&mut scratch, 1, |memory, room, length| {
                // SAFETY: as above.
                unsafe {
                    sys::napi_get_value_string_latin1(env, chunk, memory.cast::<c_char>(), room, length)
                }
            }),
            Form::Utf16 => return self.write_utf16(env, id, chunk),
        };
        match bytes {
            Some(bytes) => self.send(id, bytes),
            None => f64::from(Errno::EINVAL.code()),
        }
    }

    fn write_utf16(&self, env: sys::napi_env, id: f64, chunk: sys::napi_value) -> f64 {
        let mut length = 0;
        // SAFETY: asks for the length only.
        unsafe { sys::napi_get_value_string_utf16(env, chunk, ptr::null_mut(), 0, &raw mut length) };
        let mut units = vec![0_u16; length + 1];
        // SAFETY: memory of that much room.
        unsafe {
            sys::napi_get_value_string_utf16(env, chunk, units.as_mut_ptr(), units.len(), &raw mut length)
        };
        let bytes: Vec<u8> = units[..length]
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect();
        self.send(id, &bytes)
    }

    #[expect(clippy::cast_precision_loss, reason = "no string or buffer has 2^52 bytes")]
    fn send(&self, id: f64, bytes: &[u8]) -> f64 {
        match self.lease.core().write(numbers::id(id), &[IoSlice::new(bytes)]) {
            Ok(Written::Whole) => bytes.len() as f64 * 2.0,
            Ok(Written::Queued) => (bytes.len() as f64).mul_add(2.0, 1.0),
            Err(errno) => f64::from(errno.code()),
        }
    }
}

/// The bytes of a view. They are read only while the call lasts, and JavaScript runs nothing meanwhile.
fn bytes_of<'a>(env: sys::napi_env, chunk: sys::napi_value) -> Option<&'a [u8]> {
    let (mut memory, mut length) = (ptr::null_mut(), 0);
    // SAFETY: what is no view is refused.
    let status = unsafe { sys::napi_get_buffer_info(env, chunk, &raw mut memory, &raw mut length) };
    if Status::from(status) != Status::Ok {
        return None;
    }
    if length == 0 {
        return Some(&[]);
    }
    // SAFETY: the memory of a view that this call was given; nothing can detach it before the call ends.
    Some(unsafe { slice::from_raw_parts(memory.cast(), length) })
}

/// Encodes a string by `get(memory, room, length)`, which cuts off what has no room; one character may take `widest`
/// bytes, so less than that left means that something may be missing.
fn encode(
    scratch: &mut Vec<u8>,
    widest: usize,
    get: impl Fn(*mut u8, usize, *mut usize) -> sys::napi_status,
) -> Option<&[u8]> {
    if scratch.len() < SCRATCH {
        scratch.resize(SCRATCH, 0);
    }
    let mut length = 0;
    let mut status = get(scratch.as_mut_ptr(), scratch.len(), &raw mut length);
    // One byte is for the terminating zero.
    if length + widest + 1 > scratch.len() {
        status = get(ptr::null_mut(), 0, &raw mut length);
        let mut large = vec![0; length + 1];
        if Status::from(status) == Status::Ok {
            status = get(large.as_mut_ptr(), large.len(), &raw mut length);
        }
        *scratch = large;
    }
    if Status::from(status) != Status::Ok {
        return None;
    }
    Some(&scratch[..length])
}
