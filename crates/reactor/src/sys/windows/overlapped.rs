//! A call on a pipe that goes on after it has returned, and a waker for its end.
//!
//! Its end is signalled by an event object, not by the runtime's completion port: so it is known without a
//! thread that drives the runtime, and the pipe can be closed at once.

use std::ffi::c_void;
use std::os::windows::io::{AsRawHandle, FromRawHandle as _, OwnedHandle};
use std::task::{Context, Poll, Waker};
use std::{io, ptr};

use parking_lot::Mutex;
use windows_sys::Win32::Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::{
    CreateEventW, INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};

/// One call at a time. While one is under way, the owner cancels it before it drops this.
#[derive(Debug)]
pub(super) struct Overlapped {
    /// The kernel's while a call is under way, at this address.
    structure: *mut OVERLAPPED,
    event: OwnedHandle,
    /// Null while no task waits.
    wait: HANDLE,
    /// Owned; the wait's callback borrows it.
    waker: *mut Mutex<Option<Waker>>,
}

// SAFETY: handles are good on every thread; the structure is the kernel's, and read by the owner of the
// `Overlapped`, which is one; the waker is behind a lock.
unsafe impl Send for Overlapped {}

/// What became of a call that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Ended,
    UnderWay,
}

impl Overlapped {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: no attributes and no name; the event is set by hand, so that it stays set.
        let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            structure: Box::into_raw(Box::default()),
            // SAFETY: the handle is new, and nothing else owns it.
            event: unsafe { OwnedHandle::from_raw_handle(event) },
            wait: ptr::null_mut(),
            waker: Box::into_raw(Box::default()),
        })
    }

    /// Begins a call: `call` passes the structure to the system, and returns what the system does. What it
    /// reads or writes has to live until the call has ended. None is under way.
    pub(super) fn begin(&mut self, call: impl FnOnce(*mut OVERLAPPED) -> i32) -> io::Result<Begun> {
        self.stop_waiting();
        // SAFETY: nothing is under way, so the kernel does not use the structure.
        unsafe {
            *self.structure = OVERLAPPED {
                // With the lowest bit set, no packet goes to the completion port that the handle may have.
                hEvent: self.event.as_raw_handle().map_addr(|address| address | 1),
                ..OVERLAPPED::default()
            };
        }
        if call(self.structure) != 0 {
            return Ok(Begun::Ended);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(ERROR_IO_PENDING.cast_signed()) {
            return Ok(Begun::UnderWay);
        }
        Err(error)
    }

    /// How many bytes the last call has moved, or `None` while it is under way.
    pub(super) fn result(&self, pipe: &impl AsRawHandle) -> Option<io::Result<usize>> {
        match self.ended(pipe, false) {
            Err(error) if error.raw_os_error() == Some(ERROR_IO_INCOMPLETE.cast_signed()) => None,
            result => Some(result),
        }
    }

    /// As `result`; without one, the waker is woken at the end. A call whose end cannot be waited for is
    /// cancelled, and has ended as well.
    pub(super) fn poll(&mut self, pipe: &impl AsRawHandle, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        // SAFETY: the lock lives as long as this does.
        *unsafe { &*self.waker }.lock() = Some(cx.waker().clone());
        if self.wait.is_null() {
            // SAFETY: `wake_waiter` takes what is given here, which lives until the wait is taken back.
            let registered = unsafe {
                RegisterWaitForSingleObject(
                    &raw mut self.wait,
                    self.event.as_raw_handle(),
                    Some(wake_waiter),
                    self.waker.cast(),
                    INFINITE,
                    WT_EXECUTEONLYONCE,
                )
            };
            if registered == 0 {
                let error = io::Error::last_os_error();
                self.wait = ptr::null_mut();
                self.cancel(pipe);
                return Poll::Ready(self.result(pipe).and_then(Result::ok).ok_or(error));
            }
        }
        // After the waker is there: an end that comes now is not missed.
        self.result(pipe).map_or(Poll::Pending, Poll::Ready)
    }

    /// Ends the call that is under way, if there is one, and returns when it has ended.
    pub(super) fn cancel(&self, pipe: &impl AsRawHandle) {
        // SAFETY: names the call, which may have ended: then nothing is found.
        unsafe { CancelIoEx(pipe.as_raw_handle(), self.structure) };
        drop(self.ended(pipe, true));
    }

    fn ended(&self, pipe: &impl AsRawHandle, wait: bool) -> io::Result<usize> {
        let mut moved = 0;
        // SAFETY: the structure is the one of the call on this pipe.
        let ended = unsafe {
            GetOverlappedResult(
                pipe.as_raw_handle(),
                self.structure,
                &raw mut moved,
                i32::from(wait),
            )
        };
        if ended == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(usize::try_from(moved).unwrap_or(0))
    }

    fn stop_waiting(&mut self) {
        let wait = std::mem::replace(&mut self.wait, ptr::null_mut());
        if !wait.is_null() {
            // SAFETY: taken back once; it comes back when no callback runs any more. A callback takes the
            // waker's lock only, and puts a task on the run queue.
            unsafe { UnregisterWaitEx(wait, INVALID_HANDLE_VALUE) };
        }
    }
}

impl Drop for Overlapped {
    fn drop(&mut self) {
        self.stop_waiting();
        // SAFETY: made by `new`, and not borrowed any more.
        drop(unsafe { Box::from_raw(self.waker) });
        // SAFETY: as above; the call has ended, and the kernel with it.
        drop(unsafe { Box::from_raw(self.structure) });
    }
}

unsafe extern "system" fn wake_waiter(waker: *mut c_void, _timed_out: bool) {
    // SAFETY: the lock that `new` made; it lives until the wait is taken back, which waits for this call.
    let waker = unsafe { &*waker.cast::<Mutex<Option<Waker>>>() }.lock().take();
    if let Some(waker) = waker {
        waker.wake();
    }
}
