//! The scopes of Node-API that a callback of the event loop runs in: `process.nextTick` and promise jobs run when one is
//! closed.
//!
//! An outermost `napi_make_callback` runs them too, but inside a `TryCatch` of its own: what a tick throws is then
//! reported with a message made afterwards, which lacks the place of the throw
//! (`throw er; // Unhandled 'error' event`).
#![expect(unsafe_code, reason = "napi-rs has no callback scopes")]

use std::cell::Cell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::{Status, sys};

use crate::status::ok;

/// The type of the scopes' async resource.
const CONTEXT: &str = "FERRONET";

/// The callback scopes of one environment. All of it is used on the JavaScript thread only.
#[derive(Debug)]
pub(crate) struct CallbackScopes {
    env: sys::napi_env,
    /// What scopes are opened with: null before the first one.
    context: Cell<sys::napi_async_context>,
    /// More than one where JavaScript runs the event loop inside a callback.
    open: Cell<u32>,
    /// A function that runs what it is given, with which [`CallbackScopes::run_as_top`] calls itself: null
    /// before the first time.
    runner: Cell<sys::napi_ref>,
}

/// What the runner runs, for the length of its call.
struct Run<'a>(&'a mut dyn FnMut());

thread_local! {
    /// A [`Run`]; null but between `run_as_top` and the call that it makes.
    static RUN: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
}

unsafe extern "C" fn run_given(_env: sys::napi_env, _info: sys::napi_callback_info) -> sys::napi_value {
    let run = RUN.replace(ptr::null_mut());
    if !run.is_null() {
        // SAFETY: set by `run_as_top`, which has not returned and does not use it meanwhile.
        let run = unsafe { &mut *run.cast::<Run<'_>>() };
        // A panic must not unwind into Node.
        let _panicked = catch_unwind(AssertUnwindSafe(|| (run.0)()));
    }
    ptr::null_mut()
}

impl CallbackScopes {
    pub(crate) fn new(env: sys::napi_env) -> Self {
        Self {
            env,
            context: Cell::new(ptr::null_mut()),
            open: Cell::new(0),
            runner: Cell::new(ptr::null_mut()),
        }
    }

    /// Whether a scope is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open.get() > 0
    }

    /// Runs `callback` with the async id 0, which is that of the promise jobs between two callbacks of the event
    /// loop. The caller has opened a handle scope and, by [`CallbackScopes::run`], a callback scope.
    ///
    /// # Errors
    /// When the environment is ending. `callback` has not run.
    pub(crate) fn run_as_top(&self, callback: &mut dyn FnMut()) -> Result<(), Status> {
        let runner = self.runner()?;
        let (mut receiver, mut result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: on the JavaScript thread, in a handle scope.
        ok(unsafe { sys::napi_create_object(self.env, &raw mut receiver) })?;
        let mut run = Run(callback);
        RUN.set((&raw mut run).cast());
        // SAFETY: as above; `runner` is a function, and `run` lives through the call.
        let called = unsafe {
            sys::napi_make_callback(
                self.env,
                ptr::null_mut(),
                receiver,
                runner,
                0,
                ptr::null(),
                &raw mut result,
            )
        };
        // If it was not called.
        RUN.set(ptr::null_mut());
        ok(called).inspect_err(|_| self.clear_exception())
    }

    /// In a worker that is being terminated, the call throws what ends JavaScript. Node-API would keep it as
    /// pending, also for what runs later without a handle scope.
    fn clear_exception(&self) {
        let mut exception = ptr::null_mut();
        // SAFETY: on the JavaScript thread, in a handle scope.
        unsafe { sys::napi_get_and_clear_last_exception(self.env, &raw mut exception) };
    }

    fn runner(&self) -> Result<sys::napi_value, Status> {
        let (mut function, mut reference) = (ptr::null_mut(), self.runner.get());
        // SAFETY: on the JavaScript thread, in a handle scope; the environment deletes the reference as it ends.
        unsafe {
            if !reference.is_null() {
                ok(sys::napi_get_reference_value(
                    self.env,
                    reference,
                    &raw mut function,
                ))?;
                return Ok(function);
            }
            let (name, data) = (ptr::null(), ptr::null_mut());
            let function_out = &raw mut function;
            ok(sys::napi_create_function(
                self.env,
                name,
                0,
                Some(run_given),
                data,
                function_out,
            ))?;
            ok(sys::napi_create_reference(
                self.env,
                function,
                1,
                &raw mut reference,
            ))?;
        }
        self.runner.set(reference);
        Ok(function)
    }

    /// Runs `callback` in a scope of its own. The caller has opened a handle scope, in which `resource` is, and keeps
    /// `resource` alive as long as the environment: it is the async resource, which Node-API holds weakly.
    ///
    /// # Errors
    /// When the environment is ending. `callback` has not run.
    pub(crate) fn run<R>(
        &self,
        resource: sys::napi_value,
        callback: impl FnOnce() -> R,
    ) -> Result<R, Status> {
        if self.context.get().is_null() {
            self.context.set(self.new_context(resource)?);
        }
        let mut scope = ptr::null_mut();
        // SAFETY: on the JavaScript thread, in a handle scope; `context` lives until `destroy_context`. Node-API
        // ignores the resource.
        ok(unsafe {
            sys::napi_open_callback_scope(self.env, ptr::null_mut(), self.context.get(), &raw mut scope)
        })?;
        self.open.set(self.open.get() + 1);
        let result = callback();
        // SAFETY: as above; opened here, and those opened since then are closed.
        let _closed = unsafe { sys::napi_close_callback_scope(self.env, scope) };
        self.open.set(self.open.get() - 1);
        Ok(result)
    }

    fn new_context(&self, resource: sys::napi_value) -> Result<sys::napi_async_context, Status> {
        let (mut name, mut context) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: on the JavaScript thread, in a handle scope; the name is valid UTF-8 of the length that is passed.
        ok(unsafe {
            sys::napi_create_string_utf8(
                self.env,
                CONTEXT.as_ptr().cast(),
                CONTEXT.len().cast_signed(),
                &raw mut name,
            )
        })?;
        // SAFETY: as above; both values belong to `env`.
        ok(unsafe { sys::napi_async_init(self.env, resource, name, &raw mut context) })?;
        Ok(context)
    }

    /// Destroys the async resource, if no scope is open. The next one makes it again.
    pub(crate) fn destroy_context(&self) {
        if self.open.get() > 0 {
            return;
        }
        let context = self.context.replace(ptr::null_mut());
        if !context.is_null() {
            // SAFETY: on the JavaScript thread; made by `new_context`, and no scope is open.
            let _destroyed = unsafe { sys::napi_async_destroy(self.env, context) };
        }
    }
}
