//! The scopes of Node-API that a callback of the event loop runs in: `process.nextTick` and promise jobs run when one is
//! closed.
//!
//! An outermost `napi_make_callback` runs them too, but inside a `TryCatch` of its own: what a tick throws is then
//! reported with a message made afterwards, which lacks the place of the throw
//! (`throw er; // Unhandled 'error' event`).
#![expect(unsafe_code, reason = "napi-rs has no callback scopes")]

use std::cell::Cell;
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
}

impl CallbackScopes {
    pub(crate) fn new(env: sys::napi_env) -> Self {
        Self {
            env,
            context: Cell::new(ptr::null_mut()),
            open: Cell::new(0),
        }
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
