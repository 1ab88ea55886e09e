//! libuv's functions, looked up at run time. So the addon does not link to libuv, and loads where it is
//! missing (Deno). Bun exports functions of these names that abort: JavaScript passes `HostLoop::Foreign`
//! there.
#![expect(unsafe_code, reason = "libuv's C interface")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

pub(crate) type HandlePtr = *mut c_void;
pub(crate) type LoopPtr = *mut c_void;
pub(crate) type Callback = unsafe extern "C" fn(HandlePtr);
pub(crate) type WalkCallback = unsafe extern "C" fn(HandlePtr, *mut c_void);
pub(crate) type PollCallback = unsafe extern "C" fn(HandlePtr, c_int, c_int);

/// `UV_READABLE` of `uv_poll_event`.
pub(crate) const READABLE: c_int = 1;

/// The kinds of handles that are used here, with the numbers of `uv_handle_type`, which libuv's ABI fixes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Async = 1,
    Check = 2,
    Idle = 6,
    Poll = 8,
    Prepare = 9,
}

/// `UV_TCP`, as `uv_handle_get_type` returns it.
pub(crate) const TCP: c_int = 12;

/// `uv_os_fd_t`: a descriptor, or a Windows handle.
#[cfg(unix)]
pub(crate) type OsHandle = c_int;
#[cfg(windows)]
pub(crate) type OsHandle = *mut c_void;

type HandleSize = unsafe extern "C" fn(c_int) -> usize;
type Init = unsafe extern "C" fn(LoopPtr, HandlePtr) -> c_int;
type Start = unsafe extern "C" fn(HandlePtr, Callback) -> c_int;
type Stop = unsafe extern "C" fn(HandlePtr) -> c_int;
type Toggle = unsafe extern "C" fn(HandlePtr);
type Query = unsafe extern "C" fn(HandlePtr) -> c_int;
type Fileno = unsafe extern "C" fn(HandlePtr, *mut OsHandle) -> c_int;
type Walk = unsafe extern "C" fn(LoopPtr, WalkCallback, *mut c_void);
type Close = unsafe extern "C" fn(HandlePtr, Callback);
type AsyncInit = unsafe extern "C" fn(LoopPtr, HandlePtr, Callback) -> c_int;
type PollInit = unsafe extern "C" fn(LoopPtr, HandlePtr, c_int) -> c_int;
type PollStart = unsafe extern "C" fn(HandlePtr, c_int, PollCallback) -> c_int;

/// The functions that drive a reactor in the loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uv {
    handle_size: HandleSize,
    pub(crate) prepare_init: Init,
    pub(crate) prepare_start: Start,
    pub(crate) check_init: Init,
    pub(crate) check_start: Start,
    pub(crate) idle_init: Init,
    pub(crate) idle_start: Start,
    pub(crate) idle_stop: Stop,
    pub(crate) async_init: AsyncInit,
    pub(crate) async_send: Stop,
    pub(crate) poll_init: PollInit,
    pub(crate) poll_start: PollStart,
    pub(crate) poll_stop: Stop,
    pub(crate) refer: Toggle,
    pub(crate) unref: Toggle,
    pub(crate) close: Close,
}

/// The functions that inspect any handle of the loop. A host that lacks them can still drive a reactor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inspection {
    pub(crate) walk: Walk,
    pub(crate) handle_type: Query,
    pub(crate) has_ref: Query,
    pub(crate) fileno: Fileno,
}

#[cfg(unix)]
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: `name` ends with NUL, and the lookup changes nothing.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// Looks in the executable itself, which contains libuv and exports it to addons.
#[cfg(windows)]
fn symbol(name: &CStr) -> Option<*mut c_void> {
    use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
    // SAFETY: a null name means the executable, which stays loaded as long as the process lives. `name` ends
    // with NUL.
    let found = unsafe { GetProcAddress(GetModuleHandleW(ptr::null()), name.as_ptr().cast()) };
    found.map(|function| function as *mut c_void)
}

/// A function of libuv by its name and type.
macro_rules! function {
    ($name:literal, $type:ty) => {
        // SAFETY: the symbol is libuv's function of this name, and libuv 1.x declares it with this type.
        unsafe { std::mem::transmute::<*mut c_void, $type>(symbol($name)?) }
    };
}

impl Uv {
    pub(crate) fn find() -> Option<Self> {
        Some(Self {
            handle_size: function!(c"uv_handle_size", HandleSize),
            prepare_init: function!(c"uv_prepare_init", Init),
            prepare_start: function!(c"uv_prepare_start", Start),
            check_init: function!(c"uv_check_init", Init),
            check_start: function!(c"uv_check_start", Start),
            idle_init: function!(c"uv_idle_init", Init),
            idle_start: function!(c"uv_idle_start", Start),
            idle_stop: function!(c"uv_idle_stop", Stop),
            async_init: function!(c"uv_async_init", AsyncInit),
            async_send: function!(c"uv_async_send", Stop),
            poll_init: function!(c"uv_poll_init", PollInit),
            poll_start: function!(c"uv_poll_start", PollStart),
            poll_stop: function!(c"uv_poll_stop", Stop),
            refer: function!(c"uv_ref", Toggle),
            unref: function!(c"uv_unref", Toggle),
            close: function!(c"uv_close", Close),
        })
    }

    /// Memory for a handle, zeroed, aligned as libuv's structs are.
    pub(crate) fn allocate(&self, kind: Kind) -> HandlePtr {
        // SAFETY: the call only looks up a size.
        let size = unsafe { (self.handle_size)(kind as c_int) };
        Box::into_raw(vec![0u64; size.div_ceil(8)].into_boxed_slice()).cast()
    }

    /// Frees the memory of a handle.
    ///
    /// # Safety
    /// Called once, with memory that [`Uv::allocate`] made for this kind, after libuv has closed the handle
    /// or if it never was initialized.
    pub(crate) unsafe fn free(&self, handle: HandlePtr, kind: Kind) {
        // SAFETY: the call only looks up a size.
        let size = unsafe { (self.handle_size)(kind as c_int) };
        let slice = ptr::slice_from_raw_parts_mut(handle.cast::<u64>(), size.div_ceil(8));
        // SAFETY: the caller guarantees that this is the only call for this handle, and that libuv does not
        // use it. `allocate` made a box of the same length.
        drop(unsafe { Box::from_raw(slice) });
    }
}

impl Inspection {
    pub(crate) fn find() -> Option<Self> {
        Some(Self {
            walk: function!(c"uv_walk", Walk),
            handle_type: function!(c"uv_handle_get_type", Query),
            has_ref: function!(c"uv_has_ref", Query),
            fileno: function!(c"uv_fileno", Fileno),
        })
    }
}

/// The `data` of a handle: the public field that every libuv handle begins with.
pub(crate) fn data<T>(handle: HandlePtr) -> *mut *const T {
    handle.cast()
}
