//! Where the event loop is, as far as the host has libuv: a `uv_prepare_t` says that it is about to poll, a
//! `uv_check_t` that it has polled.
//!
//! libuv's functions are looked up at run time, so the addon links to nothing and loads where they are missing (Deno,
//! Windows for now): the deliveries then come without the order of turns. Bun has functions of these names that abort;
//! JavaScript knows the host and does not ask there.
//!
//! All of it runs on the JavaScript thread. The two handles live from [`watch`] until the environment's asynchronous
//! cleanup hook has closed them, which is what such hooks are for.
#![expect(unsafe_code, reason = "libuv's C interface")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use ferronet_reactor::Reactor;
use napi::{Env, Status, sys};

type HandlePtr = *mut c_void;
type LoopPtr = *mut c_void;
type Callback = unsafe extern "C" fn(HandlePtr);

/// `uv_handle_type`, fixed by libuv's ABI.
const UV_CHECK: c_int = 2;
const UV_PREPARE: c_int = 9;

type HandleSize = unsafe extern "C" fn(c_int) -> usize;
type Init = unsafe extern "C" fn(LoopPtr, HandlePtr) -> c_int;
type Start = unsafe extern "C" fn(HandlePtr, Callback) -> c_int;
type Unref = unsafe extern "C" fn(HandlePtr);
type Close = unsafe extern "C" fn(HandlePtr, Callback);

/// The functions of libuv that are used here.
#[derive(Clone, Copy)]
struct Uv {
    handle_size: HandleSize,
    prepare_init: Init,
    prepare_start: Start,
    check_init: Init,
    check_start: Start,
    unref: Unref,
    close: Close,
}

#[cfg(unix)]
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: dlsym reads the name and looks in what is loaded; it changes nothing.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

#[cfg(not(unix))]
fn symbol(_name: &CStr) -> Option<*mut c_void> {
    None
}

/// A function of libuv by its name and type.
macro_rules! function {
    ($name:literal, $type:ty) => {
        // SAFETY: the symbol is libuv's function of this name, and libuv 1.x declares it with this type.
        unsafe { std::mem::transmute::<*mut c_void, $type>(symbol($name)?) }
    };
}

impl Uv {
    fn find() -> Option<Self> {
        Some(Self {
            handle_size: function!(c"uv_handle_size", HandleSize),
            prepare_init: function!(c"uv_prepare_init", Init),
            prepare_start: function!(c"uv_prepare_start", Start),
            check_init: function!(c"uv_check_init", Init),
            check_start: function!(c"uv_check_start", Start),
            unref: function!(c"uv_unref", Unref),
            close: function!(c"uv_close", Close),
        })
    }

    /// Memory for a handle, zeroed, aligned as libuv's structs are.
    fn allocate(&self, kind: c_int) -> HandlePtr {
        // SAFETY: the call only looks up a size.
        let size = unsafe { (self.handle_size)(kind) };
        Box::into_raw(vec![0u64; size.div_ceil(8)].into_boxed_slice()).cast()
    }

    fn free(&self, handle: HandlePtr, kind: c_int) {
        // SAFETY: as above.
        let size = unsafe { (self.handle_size)(kind) };
        let slice = ptr::slice_from_raw_parts_mut(handle.cast::<u64>(), size.div_ceil(8));
        // SAFETY: `allocate` made it of this very length, and libuv has let go of it (it is closed, or was never
        // initialized).
        drop(unsafe { Box::from_raw(slice) });
    }
}

/// The two handles of one environment.
struct Watch {
    uv: Uv,
    reactor: Arc<Reactor>,
    prepare: HandlePtr,
    check: HandlePtr,
    /// How many of the handles are not closed.
    open: u8,
    hook: sys::napi_async_cleanup_hook_handle,
}

/// Tells `reactor` where `env`'s loop is, until the environment ends. Answers whether it can.
pub(crate) fn watch(env: &Env, reactor: Arc<Reactor>) -> bool {
    let Some(uv) = Uv::find() else { return false };
    let mut uv_loop = ptr::null_mut();
    // SAFETY: on the environment's thread.
    let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut uv_loop) };
    if Status::from(status) != Status::Ok || uv_loop.is_null() {
        return false;
    }
    let uv_loop: LoopPtr = uv_loop.cast();
    let told = Arc::clone(&reactor);
    let (prepare, check) = (uv.allocate(UV_PREPARE), uv.allocate(UV_CHECK));
    let watch = Box::into_raw(Box::new(Watch {
        uv,
        reactor,
        prepare,
        check,
        open: 2,
        hook: ptr::null_mut(),
    }));
    // SAFETY: the loop is the environment's and this is its thread; both handles are fresh memory of libuv's size,
    // which `closed` frees after libuv has closed them; `watch` is freed with the second of them. Init and start of
    // these kinds cannot fail. Unreferenced handles do not keep the loop alive.
    unsafe {
        (uv.prepare_init)(uv_loop, prepare);
        (uv.check_init)(uv_loop, check);
        *data(prepare) = watch;
        *data(check) = watch;
        (uv.prepare_start)(prepare, on_prepare);
        (uv.check_start)(check, on_check);
        (uv.unref)(prepare);
        (uv.unref)(check);
    }
    // SAFETY: `watch` lives until `closed` has run twice, which `end` brings about.
    let status = unsafe {
        sys::napi_add_async_cleanup_hook(env.raw(), Some(end), watch.cast(), &raw mut (*watch).hook)
    };
    if Status::from(status) != Status::Ok {
        // SAFETY: as above; without a hook the handles go now.
        unsafe { close(watch) };
        told.poll_ended();
        return false;
    }
    told.keep_turns();
    true
}

/// The `data` of a handle: the public field that every libuv handle begins with.
fn data(handle: HandlePtr) -> *mut *mut Watch {
    handle.cast()
}

unsafe extern "C" fn on_prepare(handle: HandlePtr) {
    // SAFETY: libuv calls with the handle that was started, whose watch lives until both are closed.
    let watch = unsafe { &**data(handle) };
    watch.reactor.poll_begins();
}

unsafe extern "C" fn on_check(handle: HandlePtr) {
    // SAFETY: as `on_prepare`.
    let watch = unsafe { &**data(handle) };
    watch.reactor.poll_ended();
}

/// The environment ends.
unsafe extern "C" fn end(_hook: sys::napi_async_cleanup_hook_handle, watch: *mut c_void) {
    // SAFETY: `watch` is what `watch` gave to the hook, and hooks run once.
    unsafe { close(watch.cast()) };
}

/// Begins to close both handles; the rest is `closed`'s.
///
/// # Safety
/// Once, with a live watch, on the environment's thread.
unsafe fn close(watch: *mut Watch) {
    // SAFETY: the caller's promise. Copied out, because the watch may be gone when libuv is done with the second.
    let Watch {
        uv, prepare, check, ..
    } = unsafe { &*watch };
    let (close, prepare, check) = (uv.close, *prepare, *check);
    // SAFETY: both are initialized and not closed.
    unsafe {
        close(prepare, closed_prepare);
        close(check, closed_check);
    }
}

unsafe extern "C" fn closed_prepare(handle: HandlePtr) {
    // SAFETY: libuv's last word on a handle of ours.
    unsafe { closed(handle, UV_PREPARE) };
}

unsafe extern "C" fn closed_check(handle: HandlePtr) {
    // SAFETY: as `closed_prepare`.
    unsafe { closed(handle, UV_CHECK) };
}

/// # Safety
/// Once a handle, after libuv has closed it.
unsafe fn closed(handle: HandlePtr, kind: c_int) {
    // SAFETY: the watch is freed below, with the second handle.
    let watch = unsafe { *data(handle) };
    // SAFETY: as above; nothing else looks at it any more.
    let open = unsafe {
        (*watch).uv.free(handle, kind);
        (*watch).open -= 1;
        (*watch).open
    };
    if open > 0 {
        return;
    }
    // SAFETY: `watch` made it of a box, and this was the second and last handle.
    let watch = unsafe { Box::from_raw(watch) };
    if !watch.hook.is_null() {
        // SAFETY: the hook's own handle, given back once. Its status says nothing that could be acted on.
        let _removed = unsafe { sys::napi_remove_async_cleanup_hook(watch.hook) };
    }
}
