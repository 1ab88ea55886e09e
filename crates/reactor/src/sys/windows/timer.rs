//! Wakes a task later: the runtime is built without timers, and a thread that waits would have to be ended.

use std::ffi::c_void;
use std::task::Waker;
use std::time::Duration;
use std::{io, ptr};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Threading::{
    CreateTimerQueueTimer, DeleteTimerQueueTimer, WT_EXECUTEONLYONCE,
};

/// Wakes once. Dropped, it wakes no more.
#[derive(Debug)]
pub(super) struct Timer {
    timer: HANDLE,
    /// Owned; the callback borrows it until the timer is deleted.
    waker: *mut Waker,
}

// SAFETY: the handle is good on every thread, and the waker is only borrowed, and only by the callback.
unsafe impl Send for Timer {}
// SAFETY: as above.
unsafe impl Sync for Timer {}

impl Timer {
    pub(super) fn after(delay: Duration, waker: Waker) -> io::Result<Self> {
        let waker = Box::into_raw(Box::new(waker));
        let mut timer = ptr::null_mut();
        let delay = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX - 1);
        // SAFETY: `wake` takes what is given here, which lives until the timer is deleted.
        let made = unsafe {
            CreateTimerQueueTimer(
                &raw mut timer,
                ptr::null_mut(),
                Some(wake),
                waker.cast(),
                delay,
                0,
                WT_EXECUTEONLYONCE,
            )
        };
        if made == 0 {
            let error = io::Error::last_os_error();
            // SAFETY: made above, and no timer knows it.
            drop(unsafe { Box::from_raw(waker) });
            return Err(error);
        }
        Ok(Self { timer, waker })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: deleted once; it comes back when no callback runs any more. A callback takes no lock that the
        // owner of a timer may hold: a wake puts a task on the run queue.
        unsafe { DeleteTimerQueueTimer(ptr::null_mut(), self.timer, INVALID_HANDLE_VALUE) };
        // SAFETY: made by `after`, and not borrowed any more.
        drop(unsafe { Box::from_raw(self.waker) });
    }
}

unsafe extern "system" fn wake(waker: *mut c_void, _fired: bool) {
    // SAFETY: the waker that `after` made; it lives until the timer is deleted, which waits for this call.
    unsafe { &*waker.cast::<Waker>() }.wake_by_ref();
}
