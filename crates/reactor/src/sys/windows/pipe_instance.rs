//! One instance of a pipe, as its server has it: made, and waiting for a client. It is closed when it is
//! dropped, and the name is free then, as a port is.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::task::{Context, Poll, ready};
use std::{io, ptr};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_NAME, ERROR_NO_DATA, ERROR_PATH_NOT_FOUND, ERROR_PIPE_CONNECTED,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Networking::WinSock::{WSAEACCES, WSAEADDRINUSE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX, WRITE_DAC,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
};

use crate::sys::access::LocalAccess;

use super::overlapped::{Begun, Overlapped};
use super::path::wide;
use super::pipe_security::Descriptor;

/// The buffer of each direction of a pipe, in bytes; libuv's size.
pub(super) const BUFFER: u32 = 65_536;

/// Whether a pipe of this name may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It may not: `EADDRINUSE`. All instances have the security of the first one.
    First(LocalAccess),
    /// There is: this listener's.
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
    // SAFETY: `name` ends with NUL and lives through the call, as the descriptor does; a null pointer asks
    // for the system's security, which is Node's: everything for the owner and the system, reading for
    // everybody.
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
        // SAFETY: the handle is new, and nothing else owns it.
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
    /// A client was there before the wait began.
    Connected,
    /// A `ConnectNamedPipe` under way.
    Pending(Overlapped),
}

impl Waiting {
    /// Begins to wait.
    pub(super) fn for_client(pipe: OwnedHandle) -> io::Result<Self> {
        let mut overlapped = Overlapped::new()?;
        // SAFETY: the handle is open, and the structure is for this call.
        let begun =
            overlapped.begin(|overlapped| unsafe { ConnectNamedPipe(pipe.as_raw_handle(), overlapped) });
        let state = match begun {
            Ok(Begun::UnderWay) => State::Pending(overlapped),
            Ok(Begun::Ended) => State::Connected,
            Err(error) => match error.raw_os_error().map(i32::cast_unsigned) {
                // The second: a client that has left again, which a read reports.
                Some(ERROR_PIPE_CONNECTED | ERROR_NO_DATA) => State::Connected,
                _ => return Err(error),
            },
        };
        Ok(Self {
            pipe: Some(pipe),
            state,
        })
    }

    /// Returns the pipe when a client has connected. Must not be called again then.
    pub(super) fn poll_client(&mut self, cx: &Context<'_>) -> Poll<io::Result<OwnedHandle>> {
        if let (State::Pending(overlapped), Some(pipe)) = (&mut self.state, &self.pipe) {
            let _nothing_moved = ready!(overlapped.poll(pipe, cx))?;
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
        if let (State::Pending(overlapped), Some(pipe)) = (&self.state, &self.pipe) {
            overlapped.cancel(pipe);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    #![expect(
        clippy::print_stdout,
        reason = "where nothing could be seen, the test says so"
    )]

    use std::fs::{File, OpenOptions};
    use std::{io, process};

    use tokio::net::windows::named_pipe::ServerOptions;

    use crate::sys::access::LocalAccess;

    use super::{Place, create};

    /// Opens a pipe of this machine as if it were another's: over the network, if only from here to here.
    fn open_over_the_network(name: &str) -> io::Result<File> {
        let path = format!(r"\\localhost\pipe\{name}");
        OpenOptions::new().read(true).write(true).open(path)
    }

    #[test]
    fn a_client_over_the_network_is_rejected() {
        let name = format!("ferronet-remote-{}", process::id());
        let for_all = format!("{name}-for-all");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let _for_all = ServerOptions::new()
            .reject_remote_clients(false)
            .create(format!(r"\\.\pipe\{for_all}"))
            .unwrap();
        if let Err(error) = open_over_the_network(&for_all) {
            // So it is under Wine, and on a Windows whose Server service does not run.
            println!("nothing to see: pipes have no network here ({error})");
            return;
        }
        let _ours = create(&format!(r"\\.\pipe\{name}"), Place::First(LocalAccess::Usual)).unwrap();
        drop(open_over_the_network(&name).unwrap_err());
    }
}
