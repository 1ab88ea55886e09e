//! Plain functions of Node-API, for the calls that programs make for each message and each connection.
//!
//! A class method of napi-rs looks up and checks the object behind `this` and records a borrow of each
//! argument, which costs more than most of these calls. A plain function gets a pointer to its data from
//! Node-API.
#![expect(unsafe_code, reason = "raw Node-API functions")]

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use ferronet_reactor::Errno;
use napi::bindgen_prelude::{FromNapiValue as _, Object, Unknown};
use napi::{Env, Error, Result, Status, sys};

/// The most arguments that such a function takes.
const ARGUMENTS: usize = 3;

/// The implementation of a plain function. It is called on the environment's thread only.
pub(crate) trait Plain: Sized {
    /// Its name in JavaScript.
    const NAME: &CStr;

    /// What it returns: a number, or `None` for undefined, which costs nothing.
    type Answer: Into<Option<f64>>;

    /// Negative numbers are libuv errors.
    fn call(&self, arguments: &Arguments) -> Self::Answer;
}

/// The arguments of one call.
pub(crate) struct Arguments {
    pub(crate) env: sys::napi_env,
    /// Missing arguments are undefined.
    pub(crate) values: [sys::napi_value; ARGUMENTS],
    /// How many there are.
    pub(crate) count: usize,
}

impl Arguments {
    /// The argument as a number; -1 if it is none.
    pub(crate) fn number(&self, index: usize) -> f64 {
        let mut number = -1.0;
        // SAFETY: a value of the call that is running. For any other type Node-API leaves `number` as it is.
        unsafe { sys::napi_get_value_double(self.env, self.values[index], &raw mut number) };
        number
    }

    /// The argument as an integer; 0 if it is no number.
    pub(crate) fn integer(&self, index: usize) -> i32 {
        let mut number = 0;
        // SAFETY: as `number`.
        unsafe { sys::napi_get_value_int32(self.env, self.values[index], &raw mut number) };
        number
    }

    /// The argument as an object, if it is one.
    pub(crate) fn object(&self, index: usize) -> Option<Object<'_>> {
        let mut kind = sys::ValueType::napi_undefined;
        // SAFETY: as `number`; the object is one, and is used during the call only, in whose handle scope it is.
        unsafe {
            sys::napi_typeof(self.env, self.values[index], &raw mut kind);
            let is_object = kind == sys::ValueType::napi_object;
            is_object.then(|| Object::from_napi_value(self.env, self.values[index]).ok())?
        }
    }
}

fn check(status: sys::napi_status, what: &CStr) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(Error::new(status, what.to_string_lossy().into_owned())),
    }
}

/// Makes a JavaScript function that owns `plain`.
///
/// # Errors
/// When the environment is ending.
pub(crate) fn function<P: Plain>(env: &Env, plain: P) -> Result<Unknown<'_>> {
    let data = Box::into_raw(Box::new(plain));
    let mut function = ptr::null_mut();
    // SAFETY: on the environment's thread. `finalize` frees the box in `data` when the function is collected;
    // if there is no finalizer, it is freed below.
    unsafe {
        let made = sys::napi_create_function(
            env.raw(),
            P::NAME.as_ptr(),
            P::NAME.count_bytes().cast_signed(),
            Some(call::<P>),
            data.cast(),
            &raw mut function,
        );
        let made = check(made, P::NAME).and_then(|()| {
            let (hint, reference) = (ptr::null_mut(), ptr::null_mut());
            let added = sys::napi_add_finalizer(
                env.raw(),
                function,
                data.cast(),
                Some(finalize::<P>),
                hint,
                reference,
            );
            check(added, P::NAME)
        });
        if let Err(error) = made {
            drop(Box::from_raw(data));
            return Err(error);
        }
    }
    // SAFETY: a value of `env`, in the handle scope of the call that is running.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), function) })
}

unsafe extern "C" fn finalize<P: Plain>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the box of `function`. Node-API finalizes once, when the function cannot be called any more.
    drop(unsafe { Box::from_raw(data.cast::<P>()) });
}

unsafe extern "C" fn call<P: Plain>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut values = [ptr::null_mut(); ARGUMENTS];
    let (mut count, mut data, mut result) = (values.len(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: `info` belongs to this call, and `count` is the length of `values`.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            values.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        );
    }
    // SAFETY: `data` is the box that the function was made with. It lives as long as the function.
    let plain = unsafe { &*data.cast::<P>() };
    // A panic must not unwind into Node.
    let arguments = Arguments { env, values, count };
    let returned = catch_unwind(AssertUnwindSafe(|| plain.call(&arguments).into()));
    if let Some(number) = returned.unwrap_or(Some(f64::from(Errno::EINVAL.code()))) {
        // SAFETY: on the environment's thread, in the handle scope of this call.
        unsafe { sys::napi_create_double(env, number, &raw mut result) };
    }
    // Null is undefined.
    result
}
