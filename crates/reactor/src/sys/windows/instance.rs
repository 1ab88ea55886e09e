//! One instance of a pipe, as its server has it: made, and waiting for a client.
//!
//! It waits by an event, not by the runtime's completion port: so it is closed when it is dropped, and the name is free
//! then, as a port is.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_NAME, ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_NO_DATA,
    ERROR_PATH_NOT_FOUND, ERROR_PIPE_CONNECTED, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Networking::WinSock::{WSAEACCES, WSAEADDRINUSE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX, WRITE_DAC,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
};
use windows_sys::Win32::System::Threading::{
    CreateEventW, INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};

use crate::options::LocalAccess;

use super::name::wide;
use super::security::Descriptor;

/// How much each direction of a pipe holds, as libuv has it.
const BUFFER: u32 = 65_536;

/// Whether a pipe of this name may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It may not: `EADDRINUSE`. All instances have the security of the first one.
    First(LocalAccess),
    /// It is ours.
    Further,
}

/// Makes an instance. Clients on other machines are rejected.
pub(super) fn create(path: &str, place: Place) -> io::Result<OwnedHandle> {
    let name = wide(path)?;
    let mut access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | WRITE_DAC;
    let mut security = None;
    if let Place::First(users) = place {
        access |= FILE_FLAG_FIRST_PIPE_INSTANCE;
        if users == LocalAccess::Owner {
            security = Some(Descriptor::owner_only()?);
        }
    }
    let attributes = security.as_ref().map(Descriptor::attributes);
    // SAFETY: `name` ends with NUL and lives through the call, as the descriptor does; a null pointer asks for the
    // system's security, which is Node's: everything for the owner and the system, reading for everybody.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            access,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER,
            BUFFER,
            0,
            attributes.as_ref().map_or(ptr::null(), ptr::from_ref),
        )
    };
    if handle != INVALID_HANDLE_VALUE {
        // SAFETY: the handle is new, and nobody else knows it.
        return Ok(unsafe { OwnedHandle::from_raw_handle(handle) });
    }
    let error = io::Error::last_os_error();
    // As libuv names them.
    Err(match error.raw_os_error().map(i32::cast_unsigned) {
        Some(ERROR_ACCESS_DENIED) => io::Error::from_raw_os_error(WSAEADDRINUSE),
        Some(ERROR_PATH_NOT_FOUND | ERROR_INVALID_NAME) => io::Error::from_raw_os_error(WSAEACCES),
        _ => error,
    })
}

/// An instance that waits for a client.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Taken out when a client is there.
    pipe: Option<OwnedHandle>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A client was there before anybody waited.
    Connected,
    Pending(Pending),
}

/// A `ConnectNamedPipe` under way.
#[derive(Debug)]
struct Pending {
    /// The kernel's, at this address until the call has ended.
    overlapped: *mut OVERLAPPED,
    event: OwnedHandle,
    wait: HANDLE,
    /// Owned; the wait's callback borrows it.
    waker: *mut Mutex<Option<Waker>>,
}

// SAFETY: handles are good on every thread; the overlapped structure is the kernel's, and looked at by whoever has the
// `Waiting`, which is one; the waker is behind a lock.
unsafe impl Send for Pending {}

impl Waiting {
    /// Begins to wait.
    pub(super) fn for_client(pipe: OwnedHandle) -> io::Result<Self> {
        // SAFETY: no attributes and no name; the event is set by hand, so that it stays set.
        let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, and nobody else knows it.
        let event = unsafe { OwnedHandle::from_raw_handle(event) };
        let overlapped = Box::into_raw(Box::new(OVERLAPPED {
            hEvent: event.as_raw_handle(),
            ..OVERLAPPED::default()
        }));
        // SAFETY: the structure lives until the call has ended: `Pending` waits for that when it is dropped.
        let connected = unsafe { ConnectNamedPipe(pipe.as_raw_handle(), overlapped) };
        let error = io::Error::last_os_error();
        let code = error.raw_os_error().map(i32::cast_unsigned);
        if connected == 0 && code != Some(ERROR_IO_PENDING) {
            // SAFETY: the call has ended, so the structure is ours again.
            drop(unsafe { Box::from_raw(overlapped) });
            return match code {
                // The second: there, and gone again. Reading tells.
                Some(ERROR_PIPE_CONNECTED | ERROR_NO_DATA) => Ok(Self {
                    pipe: Some(pipe),
                    state: State::Connected,
                }),
                _ => Err(error),
            };
        }
        let waker = Box::into_raw(Box::new(Mutex::new(None)));
        let mut pending = Pending {
            overlapped,
            wait: ptr::null_mut(),
            waker,
            event,
        };
        // SAFETY: `ring` takes what is given here, which lives until the wait is taken back.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &raw mut pending.wait,
                pending.event.as_raw_handle(),
                Some(ring),
                waker.cast(),
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        };
        let waiting = Self {
            pipe: Some(pipe),
            state: State::Pending(pending),
        };
        if registered == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(waiting)
    }

    /// Gives the pipe to a client that has come. Not to be asked again then.
    pub(super) fn poll_client(&mut self, cx: &Context<'_>) -> Poll<io::Result<OwnedHandle>> {
        if let (State::Pending(pending), Some(pipe)) = (&self.state, &self.pipe) {
            // SAFETY: the lock lives as long as `pending` does.
            *unsafe { &*pending.waker }.lock() = Some(cx.waker().clone());
            // After the waker is there: an end that comes now is not missed.
            if let Err(error) = pending.result(pipe, false) {
                if error.raw_os_error() == Some(ERROR_IO_INCOMPLETE.cast_signed()) {
                    return Poll::Pending;
                }
                return Poll::Ready(Err(error));
            }
        }
        self.state = State::Connected;
        Poll::Ready(
            self.pipe
                .take()
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)),
        )
    }

    /// Until a client has it.
    pub(super) fn pipe(&self) -> Option<&OwnedHandle> {
        self.pipe.as_ref()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let (State::Pending(pending), Some(pipe)) = (&self.state, &self.pipe) {
            pending.cancel(pipe);
        }
    }
}

impl Pending {
    fn result(&self, pipe: &OwnedHandle, wait: bool) -> io::Result<()> {
        let mut transferred = 0;
        // SAFETY: the structure is the one of the call on this pipe.
        let ended = unsafe {
            GetOverlappedResult(
                pipe.as_raw_handle(),
                self.overlapped,
                &raw mut transferred,
                i32::from(wait),
            )
        };
        if ended == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Comes back when the call has ended, one way or the other.
    fn cancel(&self, pipe: &OwnedHandle) {
        // SAFETY: names the call, which may have ended: then nothing is found.
        unsafe { CancelIoEx(pipe.as_raw_handle(), self.overlapped) };
        drop(self.result(pipe, true));
    }
}

impl Drop for Pending {
    /// The call has ended: who drops this has asked for its result, or cancelled it.
    fn drop(&mut self) {
        if !self.wait.is_null() {
            // SAFETY: taken back once; it comes back when no callback runs any more. A callback takes the waker's lock
            // only, and puts a task on the run queue.
            unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
        }
        // SAFETY: made by `for_client`, and nobody borrows it now.
        drop(unsafe { Box::from_raw(self.waker) });
        // SAFETY: as above; the kernel has ended with it.
        drop(unsafe { Box::from_raw(self.overlapped) });
    }
}

unsafe extern "system" fn ring(waker: *mut c_void, _timed_out: bool) {
    // SAFETY: the lock that `for_client` made; it lives until the wait is taken back, which waits for this call.
    let waker = unsafe { &*waker.cast::<Mutex<Option<Waker>>>() }.lock().take();
    if let Some(waker) = waker {
        waker.wake();
    }
}
