//! The names of pipes, and the opening of one.
//!
//! All pipes of a machine are in one flat name space, `\\.\pipe\` or `\\?\pipe\`, whose names take any
//! character but the backslash. A name lives as long as a handle of the pipe does: there is no file to
//! remove.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, OwnedHandle};

use socket2::SockAddr;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, GENERIC_READ, GENERIC_WRITE,
};
use windows_sys::Win32::Networking::WinSock::WSAENOTSOCK;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
};
use windows_sys::Win32::System::Pipes::{PIPE_READMODE_BYTE, PIPE_WAIT, SetNamedPipeHandleState};

use crate::sys::transport::Target;

use super::errno::os_error;

/// Read and write, else what the server of a pipe for one direction allows.
const RIGHTS: [u32; 3] = [
    GENERIC_READ | GENERIC_WRITE,
    GENERIC_READ | FILE_WRITE_ATTRIBUTES,
    GENERIC_WRITE | FILE_READ_ATTRIBUTES,
];

/// A path as the system wants it. A NUL would end the name there: `EINVAL`.
pub(super) fn wide(path: &str) -> io::Result<Vec<u16>> {
    if path.contains('\0') {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    Ok(std::ffi::OsStr::new(path).encode_wide().chain([0]).collect())
}

/// Connects to a pipe. `ERROR_PIPE_BUSY` while no instance of it waits for a client.
pub(super) fn open(path: &str) -> io::Result<OwnedHandle> {
    wide(path)?;
    let mut denied = None;
    for rights in RIGHTS {
        let opened = OpenOptions::new()
            .access_mode(rights)
            .share_mode(0)
            .custom_flags(FILE_FLAG_OVERLAPPED)
            .open(path);
        match opened {
            Ok(file) => return as_byte_stream(file.into()),
            Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) => {
                denied.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(denied.unwrap_or_else(|| os_error(ERROR_ACCESS_DENIED)))
}

/// Sets that reads do not end with the messages that the server may write. For what is no pipe that fails:
/// `ENOTSOCK`.
fn as_byte_stream(handle: OwnedHandle) -> io::Result<OwnedHandle> {
    let mode = PIPE_READMODE_BYTE | PIPE_WAIT;
    // SAFETY: the handle is open; null pointers leave the rest as it is.
    let set = unsafe {
        SetNamedPipeHandleState(
            handle.as_raw_handle(),
            &raw const mode,
            std::ptr::null(),
            std::ptr::null(),
        )
    };
    if set != 0 {
        return Ok(handle);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error().map(i32::cast_unsigned) {
        // A pipe that is only read may not be set; that it is no byte stream would show in what is read.
        Some(ERROR_ACCESS_DENIED) => Ok(handle),
        Some(ERROR_INVALID_PARAMETER) => Err(io::Error::from_raw_os_error(WSAENOTSOCK)),
        _ => Err(error),
    }
}

/// No connect has ended already, with a connection in a backlog.
pub(crate) fn reaches(_to: &Target<'_>, _listening: &SockAddr) -> bool {
    false
}
