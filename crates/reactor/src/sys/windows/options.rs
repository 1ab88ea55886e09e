//! Socket options that differ from system to system.

use std::io;

use socket2::SockRef;
use windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;

use super::errno::os_error;

/// Windows ignores what a program asks for here; libuv answers `ENOSYS`.
pub(crate) fn set_type_of_service(_socket: &SockRef<'_>, _tos: u8) -> io::Result<()> {
    Err(os_error(ERROR_CALL_NOT_IMPLEMENTED))
}

pub(crate) fn type_of_service(_socket: &SockRef<'_>) -> io::Result<u32> {
    Err(os_error(ERROR_CALL_NOT_IMPLEMENTED))
}
