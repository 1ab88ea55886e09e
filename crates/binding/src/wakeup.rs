//! [`Wake`] over a threadsafe function: how the reactor's threads get JavaScript's attention where the event loop is not
//! libuv's.
//!
//! Each delivery is one item of the threadsafe function, and each item takes one event. Node runs `process.nextTick`
//! and promise jobs between items, as between the callbacks of its own sockets, but not inside one: a batch handed
//! over in one callback would give `data data data tick` for `data tick data tick data tick`, and a loop of
//! `await once(socket, 'data')` would lose chunks. Deno runs several items before it comes to the ticks, so there an item
//! only asks JavaScript to come for its event in a turn of its own.
//!
//! The raw calls instead of napi-rs' `ThreadsafeFunction`: an item here carries nothing and so allocates nothing; the
//! loop's liveness (`ref`/`unref`) must switch at will; and the tear-down of an environment must be an answer
//! (`napi_closing`), never an assertion.
#![expect(unsafe_code, reason = "threadsafe functions are raw Node-API calls")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use ferronet_reactor::{Reactor, Wake};
use napi::{Env, Error, Result, Status, sys};

use crate::delivery::Delivery;

/// What an item does, with the function that it does it with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    /// Calls the dispatcher about the next event.
    Delivers(sys::napi_value),
    /// Asks for a call of [`Threadsafe::deliver_next`].
    Asks(sys::napi_value),
}

/// What the items of the threadsafe function find.
#[derive(Debug)]
struct Context {
    /// Whether an item only asks.
    asks: bool,
    /// Once it runs. Weak, because the reactor's queue holds the threadsafe function: the environment owns the reactor,
    /// nobody else.
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

/// The threadsafe function. It lives as long as its environment, which finalizes it after its cleanup hooks, and
/// those have ended the reactor's threads by then.
#[derive(Debug)]
pub(crate) struct Threadsafe {
    raw: sys::napi_threadsafe_function,
    context: Arc<Context>,
    closing: AtomicBool,
}

// SAFETY: Node-API allows `napi_call_threadsafe_function` from any thread, and that is the only use of `raw` that is
// not on the JavaScript thread (`set_ref` takes the `Env`, which cannot leave it). The context is looked at by items
// only, which run there.
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
    /// Makes the threadsafe function. It does not keep the event loop alive until [`Threadsafe::set_ref`] says so.
    pub(crate) fn new(env: &Env, item: Item, delivery: Delivery) -> Result<Arc<Self>> {
        let (asks, function) = match item {
            Item::Delivers(dispatch) => (false, dispatch),
            Item::Asks(later) => (true, later),
        };
        #[expect(
            clippy::arc_with_non_send_sync,
            reason = "counted from the finalizer too; its parts stay on their threads, see above"
        )]
        let context = Arc::new(Context {
            asks,
            reactor: OnceLock::new(),
            delivery,
        });
        let mut name = ptr::null_mut();
        let text = c"ferronet";
        // SAFETY: `env` is the environment that is calling; `text` is a string of the given length.
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
        // SAFETY: all values belong to `env`; `held` is a reference that `finalize` gives back, once.
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
            // SAFETY: a call that failed kept nothing, so the reference made above is still ours.
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

    /// Tells the items where to look.
    pub(crate) fn serve(&self, reactor: &Arc<Reactor>) {
        // A second reactor for one dispatcher does not exist: the binding makes both together.
        drop(self.context.reactor.set(Arc::downgrade(reactor)));
    }

    /// Gives the threadsafe function up, on the JavaScript thread, when no other thread is left that calls it.
    pub(crate) fn end(&self) {
        self.closing.store(true, Ordering::Relaxed);
        // SAFETY: the one release for the one thread that it was made for; nobody uses `raw` from now on. What it answers
        // is of no use: the environment is ending.
        let _status = unsafe {
            sys::napi_release_threadsafe_function(self.raw, sys::ThreadsafeFunctionReleaseMode::abort)
        };
    }

    /// Delivers the next event, on the JavaScript thread.
    pub(crate) fn deliver_next(&self) {
        self.context.deliver_next();
    }

    /// Whether the event loop stays alive for what may come. (napi-rs marks its own `refer`/`unref` deprecated; the
    /// loop's liveness has no other way.)
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

/// A handle of the threadsafe function for the reactor's threads.
#[derive(Debug)]
pub(crate) struct Wakeup(pub(crate) Arc<Threadsafe>);

impl Wake for Wakeup {
    fn wake(&self, deliveries: usize) {
        let Threadsafe { raw, closing, .. } = &*self.0;
        for _ in 0..deliveries {
            if closing.load(Ordering::Relaxed) {
                return;
            }
            // SAFETY: `raw` lives until the environment's cleanup hooks have ended the reactor and the watch of the
            // loop, and only those two call this.
            let status = unsafe {
                sys::napi_call_threadsafe_function(
                    *raw,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
            if Status::from(status) == Status::Closing {
                // The environment is going: nobody will listen, and asking again is not allowed.
                closing.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// One item, on the JavaScript thread.
unsafe extern "C" fn run_item(
    env: sys::napi_env,
    function: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // Both are null when the environment ends with items still queued.
    if env.is_null() || function.is_null() {
        return;
    }
    // SAFETY: the reference that `Threadsafe::new` gave to the function; `finalize`, which takes it back, comes last.
    let context = unsafe { &*context.cast::<Context>() };
    if context.asks {
        let mut answer = ptr::null_mut();
        // SAFETY: on the JavaScript thread, in the handle scope of the item; as an object the function may be its own
        // `this`. It fails when the environment can't run JavaScript any more, and there is nobody to tell.
        let _failed =
            unsafe { sys::napi_call_function(env, function, function, 0, ptr::null(), &raw mut answer) };
        return;
    }
    // A panic must not unwind into Node. The event is lost then, the next one is not.
    let _panicked = catch_unwind(AssertUnwindSafe(|| context.deliver_next()));
}

unsafe extern "C" fn finalize(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the reference that `Threadsafe::new` made, and Node-API finalizes once.
    drop(unsafe { Arc::from_raw(data.cast::<Context>().cast_const()) });
}
