//! [`Wake`] by a threadsafe function, for hosts whose event loop is not libuv's.
//!
//! Each delivery is one item of the threadsafe function, and each item takes one event. Node runs
//! `process.nextTick` and promise jobs between items, as between the callbacks of its own sockets, but not
//! inside one. A batch that is delivered in one callback would give `data data data tick` for `data tick data
//! tick data tick`, and a loop of `await once(socket, 'data')` would lose chunks. Deno runs several items
//! before it runs ticks. There an item only calls JavaScript's `later`, which has the event delivered in a
//! turn of its own.
//!
//! These are raw calls and not napi-rs' `ThreadsafeFunction`, because an item here has no data and allocates
//! nothing, `ref` and `unref` are switched often, and an environment that ends must yield a status
//! (`napi_closing`), never a failed assertion.
#![expect(unsafe_code, reason = "threadsafe functions are raw Node-API calls")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use ferronet_reactor::{Reactor, Wake};
use napi::{Env, Error, Result, Status, sys};

use crate::delivery::Delivery;

/// What an item does, with the JavaScript function that it calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    /// Calls the dispatcher with the next event.
    Delivers(sys::napi_value),
    /// Calls `later`, which has [`Threadsafe::deliver_next`] called in another turn.
    Defers(sys::napi_value),
}

/// What the items of the threadsafe function work with.
#[derive(Debug)]
struct Context {
    /// Whether an item only calls `later`.
    defers: bool,
    /// Set by [`Threadsafe::serve`]. Weak, because the reactor's queue owns the threadsafe function. Only the
    /// environment owns the reactor.
    reactor: OnceLock<Weak<Reactor>>,
    /// Only for the JavaScript thread.
    delivery: Delivery,
}

impl Context {
    fn deliver_next(&self) {
        if let Some(reactor) = self.reactor.get().and_then(Weak::upgrade) {
            self.delivery.deliver_one(&reactor);
        }
    }
}

/// The threadsafe function. It lives as long as its environment, which finalizes it after its cleanup hooks,
/// and those have ended the reactor's threads by then.
#[derive(Debug)]
pub(crate) struct Threadsafe {
    raw: sys::napi_threadsafe_function,
    context: Arc<Context>,
    closing: AtomicBool,
}

// SAFETY: other threads use `raw` only for `napi_call_threadsafe_function`, which Node-API allows from any
// thread. `set_ref` takes the `Env`, which cannot leave the JavaScript thread. `serve`, `deliver_next`, `end`
// and the items run on that thread too, and only they use the context.
unsafe impl Send for Threadsafe {}
// SAFETY: as above; the rest is atomic or set once.
unsafe impl Sync for Threadsafe {}

fn check(status: sys::napi_status, what: &str) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(Error::new(status, what.to_owned())),
    }
}

impl Threadsafe {
    /// Makes the threadsafe function. It does not keep the event loop alive until [`Threadsafe::set_ref`]
    /// says so.
    pub(crate) fn new(env: &Env, item: Item, delivery: Delivery) -> Result<Arc<Self>> {
        let (defers, function) = match item {
            Item::Delivers(dispatch) => (false, dispatch),
            Item::Defers(later) => (true, later),
        };
        #[expect(
            clippy::arc_with_non_send_sync,
            reason = "the finalizer owns a reference too; the context is used on the JavaScript thread only, see above"
        )]
        let context = Arc::new(Context {
            defers,
            reactor: OnceLock::new(),
            delivery,
        });
        let mut name = ptr::null_mut();
        let text = c"ferronet";
        // SAFETY: on the thread of `env`; `text` has the given length.
        let status = unsafe {
            sys::napi_create_string_utf8(
                env.raw(),
                text.as_ptr(),
                text.count_bytes().cast_signed(),
                &raw mut name,
            )
        };
        check(status, "the name of the dispatcher")?;
        let mut raw = ptr::null_mut();
        let held = Arc::into_raw(Arc::clone(&context)).cast_mut().cast::<c_void>();
        // SAFETY: all values belong to `env`; `held` is a reference that `finalize` drops, once.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                function,
                ptr::null_mut(),
                name,
                0,
                1,
                held,
                Some(finalize),
                held,
                Some(run_item),
                &raw mut raw,
            )
        };
        if let Err(error) = check(status, "the dispatcher's threadsafe function") {
            // SAFETY: the failed call has not kept `held`, so nothing else drops this reference.
            drop(unsafe { Arc::from_raw(held.cast::<Context>()) });
            return Err(error);
        }
        let threadsafe = Arc::new(Self {
            raw,
            context,
            closing: AtomicBool::new(false),
        });
        threadsafe.set_ref(env, false)?;
        Ok(threadsafe)
    }

    /// Sets the reactor whose events the items deliver.
    pub(crate) fn serve(&self, reactor: &Arc<Reactor>) {
        // Set once: each dispatcher has one reactor, and both are made together.
        drop(self.context.reactor.set(Arc::downgrade(reactor)));
    }

    /// Releases the threadsafe function, on the JavaScript thread, after the threads that call it have ended.
    pub(crate) fn end(&self) {
        self.closing.store(true, Ordering::Relaxed);
        // SAFETY: the one release for the one thread that it was made with; `raw` is not used from now on. A
        // failure does not matter, because the environment is ending.
        let _status = unsafe {
            sys::napi_release_threadsafe_function(self.raw, sys::ThreadsafeFunctionReleaseMode::abort)
        };
    }

    /// Delivers the next event, on the JavaScript thread.
    pub(crate) fn deliver_next(&self) {
        self.context.deliver_next();
    }

    /// Sets whether the event loop stays alive for events of the reactor. (napi-rs marks its own `refer` and
    /// `unref` as deprecated, but there is no other way to do it.)
    pub(crate) fn set_ref(&self, env: &Env, alive: bool) -> Result<()> {
        // SAFETY: on the JavaScript thread (it has the `Env`), with a function that lives as long as `env`.
        let status = unsafe {
            if alive {
                sys::napi_ref_threadsafe_function(env.raw(), self.raw)
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), self.raw)
            }
        };
        check(status, "the dispatcher's reference")
    }
}

/// Calls the threadsafe function from the reactor's threads.
#[derive(Debug)]
pub(crate) struct ThreadsafeWaker(pub(crate) Arc<Threadsafe>);

impl Wake for ThreadsafeWaker {
    fn wake(&self, deliveries: usize) {
        let Threadsafe { raw, closing, .. } = &*self.0;
        for _ in 0..deliveries {
            if closing.load(Ordering::Relaxed) {
                return;
            }
            // SAFETY: only the reactor calls this. The environment's cleanup hook shuts the reactor down, its
            // threads included, before it releases `raw`.
            let status = unsafe {
                sys::napi_call_threadsafe_function(
                    *raw,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
            if Status::from(status) == Status::Closing {
                // The environment is ending, and the function must not be called again.
                closing.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// Runs one item, on the JavaScript thread.
unsafe extern "C" fn run_item(
    env: sys::napi_env,
    function: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // Both are null if the environment ends while items are queued.
    if env.is_null() || function.is_null() {
        return;
    }
    // SAFETY: the reference that `Threadsafe::new` made for the function. `finalize`, which drops it, runs
    // after all items.
    let context = unsafe { &*context.cast::<Context>() };
    if context.defers {
        let mut result = ptr::null_mut();
        // SAFETY: on the JavaScript thread, in the handle scope of the item; as an object the function may be
        // its own `this`. It fails if the environment runs no JavaScript any more, where there is nothing
        // left to report to.
        let _failed =
            unsafe { sys::napi_call_function(env, function, function, 0, ptr::null(), &raw mut result) };
        return;
    }
    // A panic must not unwind into Node. It loses this event and not the next.
    let _panicked = catch_unwind(AssertUnwindSafe(|| context.deliver_next()));
}

unsafe extern "C" fn finalize(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the reference that `Threadsafe::new` made, and Node-API finalizes once.
    drop(unsafe { Arc::from_raw(data.cast::<Context>().cast_const()) });
}
