//! The reactor in the environment's own event loop, where the host has libuv.
//!
//! - `uv_prepare_t` and `uv_check_t` run before and after the loop polls.
//! - `uv_poll_t` watches the poller of the reactor's runtime: a turn of the runtime is then a callback of the
//!   loop, like that of a socket of Node's.
//! - `uv_async_t` wakes the loop for the reactor's threads. Its `ref` also decides whether the loop stays
//!   alive.
//! - `uv_idle_t` keeps the loop from sleeping while events are due, or may be, that no descriptor reports.
//! - A second `uv_idle_t`, the closer, is never started. It is closed together with handles of the reactor,
//!   because its close callback runs in the closing phase.
//!
//! Each event has a callback scope of its own, so that `process.nextTick` and promise jobs run between two
//! events, as between the callbacks of Node's own sockets.
//!
//! Everything but `uv_async_send` runs on the JavaScript thread. The handles are freed when the environment's
//! asynchronous cleanup hook has closed them; Node waits for such hooks. Before it closes them, the hook ends
//! the reactor's threads.
#![expect(unsafe_code, reason = "libuv's C interface")]

use std::cell::{Cell, OnceCell};
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use ferronet_reactor::{Reactor, Wake};
use napi::{Env, Status, sys};

use crate::delivery::Delivery;
use crate::uv::{self, HandlePtr, Kind, LoopPtr, Uv, data};

/// How often libuv runs its pending queue after a poll: callbacks that refill it must not starve the other
/// phases.
const PENDING_ROUNDS: usize = 8;

/// Wakes the loop from the reactor's threads.
#[derive(Debug)]
struct LoopWaker {
    uv: Uv,
    handle: HandlePtr,
}

// SAFETY: the handle is only passed to `uv_async_send`, which may be called from any thread. It is closed
// only after the reactor's threads, which share this, have ended.
unsafe impl Send for LoopWaker {}
// SAFETY: as above.
unsafe impl Sync for LoopWaker {}

impl Wake for LoopWaker {
    fn wake(&self, _deliveries: usize) {
        // SAFETY: the handle is initialized and not closed, see above.
        unsafe { (self.uv.async_send)(self.handle) };
    }
}

/// The handles of one environment.
#[derive(Debug)]
pub(crate) struct EventLoop {
    uv: Uv,
    uv_loop: LoopPtr,
    async_handle: HandlePtr,
    prepare: HandlePtr,
    check: HandlePtr,
    idle: HandlePtr,
    closer: HandlePtr,
    /// Null until the runtime has started, and for good where its poller cannot be watched.
    poll: Cell<HandlePtr>,
    watching: Cell<bool>,
    idling: Cell<bool>,
    closing: Cell<bool>,
    ending: Cell<bool>,
    /// How many of the handles are not closed.
    open: Cell<u8>,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    reactor: OnceCell<Arc<Reactor>>,
    delivery: Delivery,
}

impl EventLoop {
    /// Finds the loop of `env`; `None` where there is no libuv.
    pub(crate) fn of(env: &Env, delivery: Delivery) -> Option<Rc<Self>> {
        let uv = Uv::find()?;
        let mut uv_loop = ptr::null_mut();
        // SAFETY: on the environment's thread.
        let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut uv_loop) };
        if Status::from(status) != Status::Ok || uv_loop.is_null() {
            return None;
        }
        let uv_loop: LoopPtr = uv_loop.cast();
        let async_handle = uv.allocate(Kind::Async);
        // SAFETY: the loop is the environment's and this is its thread; `async_handle` is new memory of
        // libuv's size.
        if unsafe { (uv.async_init)(uv_loop, async_handle, on_async) } != 0 {
            // SAFETY: libuv failed to initialize it, and has kept no pointer to it.
            unsafe { uv.free(async_handle, Kind::Async) };
            return None;
        }
        let (prepare, check) = (uv.allocate(Kind::Prepare), uv.allocate(Kind::Check));
        let (idle, closer) = (uv.allocate(Kind::Idle), uv.allocate(Kind::Idle));
        let this = Rc::new(Self {
            uv,
            uv_loop,
            async_handle,
            prepare,
            check,
            idle,
            closer,
            poll: Cell::new(ptr::null_mut()),
            watching: Cell::new(false),
            idling: Cell::new(false),
            closing: Cell::new(false),
            ending: Cell::new(false),
            open: Cell::new(5),
            hook: Cell::new(ptr::null_mut()),
            reactor: OnceCell::new(),
            delivery,
        });
        // The handles own one reference, which `closed` drops with the last of them.
        let held = Rc::into_raw(Rc::clone(&this));
        // SAFETY: as above; the handles are freed by `closed`, after libuv has closed them. Init and start of
        // these kinds cannot fail. Unreferenced handles do not keep the loop alive.
        unsafe {
            (uv.prepare_init)(uv_loop, prepare);
            (uv.check_init)(uv_loop, check);
            (uv.idle_init)(uv_loop, idle);
            (uv.idle_init)(uv_loop, closer);
            for handle in [async_handle, prepare, check, idle, closer] {
                *data(handle) = held;
                (uv.unref)(handle);
            }
        }
        Some(this)
    }

    /// Wakes this loop from any thread.
    pub(crate) fn waker(&self) -> Box<dyn Wake> {
        Box::new(LoopWaker {
            uv: self.uv,
            handle: self.async_handle,
        })
    }

    /// Turns `reactor` in this loop until the environment ends. Returns false if the environment is ending
    /// already.
    pub(crate) fn watch(self: &Rc<Self>, env: &Env, reactor: Arc<Reactor>) -> bool {
        // Set once, here.
        drop(self.reactor.set(reactor));
        // SAFETY: the loop's thread; the handles are initialized.
        unsafe {
            (self.uv.prepare_start)(self.prepare, on_prepare);
            (self.uv.check_start)(self.check, on_check);
        }
        let mut hook = ptr::null_mut();
        // SAFETY: the handles' reference lives until `closed` has run for each of them. Only `end` starts
        // closing them, or `close` below, when there is no hook.
        let status = unsafe {
            sys::napi_add_async_cleanup_hook(
                env.raw(),
                Some(end),
                Rc::as_ptr(self).cast_mut().cast(),
                &raw mut hook,
            )
        };
        self.hook.set(hook);
        if Status::from(status) != Status::Ok {
            self.close();
            return false;
        }
        true
    }

    /// Watches the poller once the runtime has one. Returns false if libuv fails to, for which the kernel
    /// needs memory.
    fn ensure_poller_watched(&self, reactor: &Reactor) -> bool {
        if !self.poll.get().is_null() {
            return true;
        }
        reactor.poller().is_none_or(|poller| self.watch_poller(poller))
    }

    /// Turns the reactor when the loop finds its poller readable.
    fn watch_poller(&self, poller: i32) -> bool {
        let handle = self.uv.allocate(Kind::Poll);
        // SAFETY: as `of`; the descriptor is the runtime's, which lives as long as the reactor that this
        // holds.
        unsafe {
            if (self.uv.poll_init)(self.uv_loop, handle, poller) != 0 {
                self.uv.free(handle, Kind::Poll);
                return false;
            }
            *data(handle) = ptr::from_ref(self);
            (self.uv.poll_start)(handle, uv::READABLE, on_poll);
            (self.uv.unref)(handle);
        }
        self.poll.set(handle);
        self.watching.set(true);
        self.open.set(self.open.get() + 1);
        true
    }

    /// Sets whether the loop stays alive for events of the reactor.
    pub(crate) fn set_ref(&self, alive: bool) {
        if self.ending.get() {
            return;
        }
        // SAFETY: the loop's thread, and the handle is initialized and not closed.
        unsafe {
            if alive {
                (self.uv.refer)(self.async_handle);
            } else {
                (self.uv.unref)(self.async_handle);
            }
        }
    }

    /// Delivers `EventKind::Closing` in the next closing phase of the loop, and then the last events of
    /// closed handles.
    pub(crate) fn at_closing(&self) {
        if self.ending.get() || self.closing.replace(true) {
            return;
        }
        // SAFETY: the loop's thread; `on_closing` initializes the handle again.
        unsafe { (self.uv.close)(self.closer, on_closing) };
        if let Some(reactor) = self.reactor() {
            reactor.wake_loop();
        }
    }

    fn reactor(&self) -> Option<&Arc<Reactor>> {
        self.reactor.get()
    }

    fn deliver(&self, count: usize) {
        if let Some(reactor) = self.reactor() {
            self.delivery.deliver(reactor, count);
        }
    }

    /// Sets whether the loop polls without sleeping.
    fn set_idling(&self, wanted: bool) {
        if self.idling.replace(wanted) == wanted {
            return;
        }
        // SAFETY: the loop's thread, an initialized handle.
        unsafe {
            if wanted {
                (self.uv.idle_start)(self.idle, on_idle);
            } else {
                (self.uv.idle_stop)(self.idle);
            }
        }
    }

    /// Watches the poller, or leaves it to the reactor's thread.
    fn set_watching(&self, wanted: bool) {
        let handle = self.poll.get();
        if handle.is_null() || self.watching.replace(wanted) == wanted {
            return;
        }
        // SAFETY: the loop's thread, an initialized handle. A stopped handle may be started again.
        unsafe {
            if wanted {
                (self.uv.poll_start)(handle, uv::READABLE, on_poll);
                (self.uv.unref)(handle);
            } else {
                (self.uv.poll_stop)(handle);
            }
        }
    }

    /// Begins to close the handles. `closed` frees them.
    pub(crate) fn close(&self) {
        if self.ending.replace(true) {
            return;
        }
        if let Some(reactor) = self.reactor() {
            reactor.shutdown();
        }
        self.delivery.destroy_context();
        // SAFETY: each is initialized and closed once: this runs once, and skips a closer that is closing
        // already.
        unsafe {
            (self.uv.close)(self.async_handle, closed_async);
            (self.uv.close)(self.prepare, closed_prepare);
            (self.uv.close)(self.check, closed_check);
            (self.uv.close)(self.idle, closed_idle);
            if !self.closing.get() {
                (self.uv.close)(self.closer, closed_idle);
            }
            if !self.poll.get().is_null() {
                (self.uv.close)(self.poll.get(), closed_poll);
            }
        }
    }
}

/// The loop that a handle belongs to. A reference of its own, because a callback may end with the handles'
/// one dropped.
///
/// # Safety
/// `handle` belongs to an [`EventLoop`] and is not freed.
unsafe fn of(handle: HandlePtr) -> Rc<EventLoop> {
    // SAFETY: the handles hold one reference until the last of them is freed.
    unsafe {
        let held = *data::<EventLoop>(handle);
        Rc::increment_strong_count(held);
        Rc::from_raw(held)
    }
}

/// Runs the body of a callback. A panic must not unwind into libuv: it is swallowed, and the loop goes on.
fn guarded(callback: impl FnOnce()) {
    let _panicked = catch_unwind(AssertUnwindSafe(callback));
}

unsafe extern "C" fn on_prepare(handle: HandlePtr) {
    // SAFETY: libuv calls with the handle that was started.
    let this = unsafe { of(handle) };
    guarded(|| {
        if let Some(reactor) = this.reactor() {
            let completed = reactor.completed();
            this.deliver(completed);
            // The package may be evaluated twice in one thread, and `on_prepare` of the other reactor may have run already. So
            // the loop must not sleep after callbacks, which may have used sockets of that reactor.
            let has_called = completed > 0;
            let is_watched = this.ensure_poller_watched(reactor);
            // If that failed, the loop must not sleep either, and tries again in the next turn.
            this.set_idling(reactor.poll_begins() || has_called || !is_watched);
            this.set_watching(reactor.wants_turns());
        }
    });
}

unsafe extern "C" fn on_check(handle: HandlePtr) {
    // SAFETY: as `on_prepare`.
    let this = unsafe { of(handle) };
    guarded(|| {
        this.set_idling(false);
        if let Some(reactor) = this.reactor() {
            this.deliver(reactor.poll_ended());
            for _ in 0..PENDING_ROUNDS {
                let completed = reactor.completed();
                if completed == 0 {
                    break;
                }
                this.deliver(completed);
            }
            reactor.turn_ended();
        }
    });
}

unsafe extern "C" fn on_poll(handle: HandlePtr, _status: c_int, _events: c_int) {
    // SAFETY: as `on_prepare`.
    let this = unsafe { of(handle) };
    guarded(|| {
        if let Some(reactor) = this.reactor() {
            this.deliver(reactor.turn());
        }
    });
}

unsafe extern "C" fn on_async(handle: HandlePtr) {
    // SAFETY: as `on_prepare`; `data` is set before any thread can have called `uv_async_send`.
    let this = unsafe { of(handle) };
    guarded(|| {
        if let Some(reactor) = this.reactor() {
            reactor.woken();
        }
    });
}

unsafe extern "C" fn on_idle(_handle: HandlePtr) {}

unsafe extern "C" fn on_closing(handle: HandlePtr) {
    // SAFETY: as `on_prepare`.
    let this = unsafe { of(handle) };
    if this.ending.get() {
        // SAFETY: libuv has closed the closer and does not use it any more.
        unsafe { closed(handle, Kind::Idle) };
        return;
    }
    // SAFETY: libuv does not use a closed handle's memory any more, so it may be initialized again.
    unsafe {
        (this.uv.idle_init)(this.uv_loop, handle);
        *data(handle) = Rc::as_ptr(&this);
        (this.uv.unref)(handle);
    }
    this.closing.set(false);
    guarded(|| {
        if let Some(reactor) = this.reactor() {
            this.delivery.deliver_closed(reactor);
        }
    });
}

/// The environment's asynchronous cleanup hook.
unsafe extern "C" fn end(_hook: sys::napi_async_cleanup_hook_handle, held: *mut c_void) {
    // SAFETY: once this hook is added, nothing else closes the handles, and it runs once: their reference is
    // alive.
    let this = unsafe {
        let held = held.cast_const().cast::<EventLoop>();
        Rc::increment_strong_count(held);
        Rc::from_raw(held)
    };
    this.close();
}

unsafe extern "C" fn closed_async(handle: HandlePtr) {
    // SAFETY: libuv has closed this handle and does not use it any more.
    unsafe { closed(handle, Kind::Async) };
}

unsafe extern "C" fn closed_prepare(handle: HandlePtr) {
    // SAFETY: as `closed_async`.
    unsafe { closed(handle, Kind::Prepare) };
}

unsafe extern "C" fn closed_check(handle: HandlePtr) {
    // SAFETY: as `closed_async`.
    unsafe { closed(handle, Kind::Check) };
}

unsafe extern "C" fn closed_idle(handle: HandlePtr) {
    // SAFETY: as `closed_async`.
    unsafe { closed(handle, Kind::Idle) };
}

unsafe extern "C" fn closed_poll(handle: HandlePtr) {
    // SAFETY: as `closed_async`.
    unsafe { closed(handle, Kind::Poll) };
}

/// Frees a handle, and with the last one what belongs to all of them.
///
/// # Safety
/// Called once for each handle, from its last close callback.
unsafe fn closed(handle: HandlePtr, kind: Kind) {
    // SAFETY: the caller guarantees that the handle is not freed yet.
    let this = unsafe { of(handle) };
    // SAFETY: libuv has closed it, and nothing else uses it any more.
    unsafe { this.uv.free(handle, kind) };
    this.open.set(this.open.get() - 1);
    if this.open.get() > 0 {
        return;
    }
    let hook = this.hook.get();
    if !hook.is_null() {
        // SAFETY: the handle that adding the hook returned, removed once. A failure could not be acted on.
        let _removed = unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    }
    // SAFETY: the reference that `EventLoop::of` made for the handles, of which this was the last.
    drop(unsafe { Rc::from_raw(Rc::as_ptr(&this)) });
}
