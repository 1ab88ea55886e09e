//! The reactor in the environment's own event loop, as far as the host has libuv.
//!
//! - `uv_prepare_t` and `uv_check_t` say where the loop is: about to poll, and done with it.
//! - `uv_poll_t` watches the poller of the reactor's runtime: a turn of the runtime is then a callback of the loop like
//!   that of any socket of Node's.
//! - `uv_async_t` is rung by each of the reactor's threads that drives. It also keeps the loop alive, or does not.
//! - `uv_idle_t` keeps the loop from sleeping when something is to be told that no descriptor tells of.
//! - One more handle is closed whenever handles of ours are, for its callback: it comes in the closing phase.
//!
//! Each event is one callback by `napi_make_callback`, outside of any other, so that `process.nextTick` and promise jobs
//! run between two events, as between the callbacks of Node's own sockets.
//!
//! All of it runs on the JavaScript thread, but for `uv_async_send`. The handles live from [`EventLoop::watch`] until
//! the environment's asynchronous cleanup hook has closed them, which is what such hooks are for; the hook ends the
//! reactor's threads before.
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

/// How often libuv runs its pending queue after a poll, so that callbacks that fill it don't starve the rest.
const PENDING_ROUNDS: usize = 8;

/// Rings the loop from the reactor's threads.
#[derive(Debug)]
struct Bell {
    uv: Uv,
    handle: HandlePtr,
}

// SAFETY: `uv_async_send` may be called from any thread, and is all that this does with the handle; the handle is
// closed only after the reactor's threads, which share this, have ended.
unsafe impl Send for Bell {}
// SAFETY: as above.
unsafe impl Sync for Bell {}

impl Wake for Bell {
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
    bell: HandlePtr,
    prepare: HandlePtr,
    check: HandlePtr,
    idle: HandlePtr,
    closer: HandlePtr,
    /// Only where the runtime's poller can be watched, and runs.
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
        let bell = uv.allocate(Kind::Async);
        // SAFETY: the loop is the environment's and this is its thread; `bell` is fresh memory of libuv's size.
        if unsafe { (uv.async_init)(uv_loop, bell, on_bell) } != 0 {
            // SAFETY: libuv refused it.
            unsafe { uv.free(bell, Kind::Async) };
            return None;
        }
        let (prepare, check) = (uv.allocate(Kind::Prepare), uv.allocate(Kind::Check));
        let (idle, closer) = (uv.allocate(Kind::Idle), uv.allocate(Kind::Idle));
        let this = Rc::new(Self {
            uv,
            uv_loop,
            bell,
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
        // One reference is the handles'; `closed` drops it with the last of them.
        let held = Rc::into_raw(Rc::clone(&this));
        // SAFETY: as above; the handles are freed by `closed`, after libuv has closed them. Init and start of these
        // kinds cannot fail. Unreferenced handles do not keep the loop alive.
        unsafe {
            (uv.prepare_init)(uv_loop, prepare);
            (uv.check_init)(uv_loop, check);
            (uv.idle_init)(uv_loop, idle);
            (uv.idle_init)(uv_loop, closer);
            for handle in [bell, prepare, check, idle, closer] {
                *data(handle) = held;
                (uv.unref)(handle);
            }
        }
        Some(this)
    }

    /// How the reactor's threads get the loop's attention.
    pub(crate) fn bell(&self) -> Box<dyn Wake> {
        Box::new(Bell {
            uv: self.uv,
            handle: self.bell,
        })
    }

    /// Turns `reactor` in this loop, until the environment ends. Answers whether it can.
    pub(crate) fn watch(self: &Rc<Self>, env: &Env, reactor: Arc<Reactor>) -> bool {
        // Given once, here.
        drop(self.reactor.set(reactor));
        // SAFETY: the loop's thread; the handles are initialized.
        unsafe {
            (self.uv.prepare_start)(self.prepare, on_prepare);
            (self.uv.check_start)(self.check, on_check);
        }
        let mut hook = ptr::null_mut();
        // SAFETY: the reference that the handles hold lives until `closed` has run for each, which `end` brings about.
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

    /// Watches the poller as soon as there is one. Answers false if it can't: that takes the kernel some memory.
    fn finds_poller(&self, reactor: &Reactor) -> bool {
        if !self.poll.get().is_null() {
            return true;
        }
        reactor.poller().is_none_or(|poller| self.watch_poller(poller))
    }

    /// Has the loop call for the reactor's turns.
    fn watch_poller(&self, poller: i32) -> bool {
        let handle = self.uv.allocate(Kind::Poll);
        // SAFETY: as `of`; the descriptor is the runtime's, which lives as long as the reactor that this holds.
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

    /// Whether the loop stays alive for what may come.
    pub(crate) fn set_ref(&self, alive: bool) {
        if self.ending.get() {
            return;
        }
        // SAFETY: the loop's thread, and the handle is initialized and not closed.
        unsafe {
            if alive {
                (self.uv.refer)(self.bell);
            } else {
                (self.uv.unref)(self.bell);
            }
        }
    }

    /// Has JavaScript called (`EventKind::Closing`) in the coming closing phase of the loop, then for every last event.
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

    /// Keeps the loop from sleeping in the coming poll phase, or lets it.
    fn idle(&self, wanted: bool) {
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
    fn watch_if(&self, wanted: bool) {
        let handle = self.poll.get();
        if handle.is_null() || self.watching.replace(wanted) == wanted {
            return;
        }
        // SAFETY: the loop's thread, an initialized handle. A handle that was started can be started again.
        unsafe {
            if wanted {
                (self.uv.poll_start)(handle, uv::READABLE, on_poll);
                (self.uv.unref)(handle);
            } else {
                (self.uv.poll_stop)(handle);
            }
        }
    }

    /// Begins to close the handles; the rest is `closed`'s.
    pub(crate) fn close(&self) {
        if self.ending.replace(true) {
            return;
        }
        if let Some(reactor) = self.reactor() {
            reactor.shutdown();
        }
        // SAFETY: each is initialized and closed once: this runs once, and a closer that is being closed is left out.
        unsafe {
            (self.uv.close)(self.bell, closed_bell);
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

/// The loop of one of its handles, with a reference of its own: what a callback does may end the others.
///
/// # Safety
/// `handle` is one of an [`EventLoop`]'s and not freed.
unsafe fn of(handle: HandlePtr) -> Rc<EventLoop> {
    // SAFETY: the handles hold one reference until the last of them is freed.
    unsafe {
        let held = *data::<EventLoop>(handle);
        Rc::increment_strong_count(held);
        Rc::from_raw(held)
    }
}

/// Runs what a callback does. A panic must not unwind into libuv: what it was about is lost, the rest is not.
fn guarded(callback: impl FnOnce()) {
    let _panicked = catch_unwind(AssertUnwindSafe(callback));
}

unsafe extern "C" fn on_prepare(handle: HandlePtr) {
    // SAFETY: libuv calls with the handle that was started.
    let this = unsafe { of(handle) };
    guarded(|| {
        if let Some(reactor) = this.reactor() {
            this.deliver(reactor.completed());
            let is_watched = this.finds_poller(reactor);
            // Without it the loop must not sleep, and tries again.
            this.idle(reactor.poll_begins() || !is_watched);
            this.watch_if(reactor.wants_turns());
        }
    });
}

unsafe extern "C" fn on_check(handle: HandlePtr) {
    // SAFETY: as `on_prepare`.
    let this = unsafe { of(handle) };
    guarded(|| {
        this.idle(false);
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

unsafe extern "C" fn on_bell(handle: HandlePtr) {
    // SAFETY: as `on_prepare`; `data` is set before anybody can ring.
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
        // SAFETY: libuv's last word on the closer.
        unsafe { closed(handle, Kind::Idle) };
        return;
    }
    // SAFETY: a closed handle's memory is its owner's again, and may become a handle anew.
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

/// The environment ends.
unsafe extern "C" fn end(_hook: sys::napi_async_cleanup_hook_handle, held: *mut c_void) {
    // SAFETY: the handles' reference is there, since none of them is closed yet; hooks run once.
    let this = unsafe {
        let held = held.cast_const().cast::<EventLoop>();
        Rc::increment_strong_count(held);
        Rc::from_raw(held)
    };
    this.close();
}

unsafe extern "C" fn closed_bell(handle: HandlePtr) {
    // SAFETY: libuv's last word on a handle of ours.
    unsafe { closed(handle, Kind::Async) };
}

unsafe extern "C" fn closed_prepare(handle: HandlePtr) {
    // SAFETY: as `closed_bell`.
    unsafe { closed(handle, Kind::Prepare) };
}

unsafe extern "C" fn closed_check(handle: HandlePtr) {
    // SAFETY: as `closed_bell`.
    unsafe { closed(handle, Kind::Check) };
}

unsafe extern "C" fn closed_idle(handle: HandlePtr) {
    // SAFETY: as `closed_bell`.
    unsafe { closed(handle, Kind::Idle) };
}

unsafe extern "C" fn closed_poll(handle: HandlePtr) {
    // SAFETY: as `closed_bell`.
    unsafe { closed(handle, Kind::Poll) };
}

/// # Safety
/// Once a handle, after libuv has closed it for good.
unsafe fn closed(handle: HandlePtr, kind: Kind) {
    // SAFETY: the caller's promise.
    let this = unsafe { of(handle) };
    // SAFETY: nothing looks at it any more.
    unsafe { this.uv.free(handle, kind) };
    this.open.set(this.open.get() - 1);
    if this.open.get() > 0 {
        return;
    }
    let hook = this.hook.get();
    if !hook.is_null() {
        // SAFETY: the hook's own handle, given back once. Its status says nothing that could be acted on.
        let _removed = unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    }
    // SAFETY: the reference that `EventLoop::of` gave to the handles, of which this was the last.
    drop(unsafe { Rc::from_raw(Rc::as_ptr(&this)) });
}
