//! libuv's numbers, which are its own on Windows, and the way to them from Win32 and Winsock codes.

use std::io;

use windows_sys::Win32::Foundation as win32;
use windows_sys::Win32::Networking::WinSock as winsock;

pub(crate) const EACCES: i32 = 4092;
pub(crate) const EAGAIN: i32 = 4088;
pub(crate) const EALREADY: i32 = 4084;
pub(crate) const EBADF: i32 = 4083;
pub(crate) const ECANCELED: i32 = 4081;
pub(crate) const EINVAL: i32 = 4071;
pub(crate) const EISCONN: i32 = 4069;
pub(crate) const ENFILE: i32 = 4061;
pub(crate) const ENOBUFS: i32 = 4060;
pub(crate) const ENOENT: i32 = 4058;
pub(crate) const ENOTCONN: i32 = 4053;
pub(crate) const ENOTSUP: i32 = 4049;
pub(crate) const EPIPE: i32 = 4047;
const EADDRINUSE: i32 = 4091;
const EADDRNOTAVAIL: i32 = 4090;
const EAFNOSUPPORT: i32 = 4089;
const EBUSY: i32 = 4082;
const ECONNABORTED: i32 = 4079;
const ECONNREFUSED: i32 = 4078;
const ECONNRESET: i32 = 4077;
const EFAULT: i32 = 4074;
const EHOSTUNREACH: i32 = 4073;
const EMFILE: i32 = 4066;
const EMSGSIZE: i32 = 4065;
const ENAMETOOLONG: i32 = 4064;
const ENETUNREACH: i32 = 4062;
const ENOMEM: i32 = 4057;
const ENOSYS: i32 = 4054;
const ENOTSOCK: i32 = 4050;
const EPERM: i32 = 4048;
const ETIMEDOUT: i32 = 4039;
const UNKNOWN: i32 = 4094;
const EOF: i32 = 4095;

/// A Win32 or Winsock code as libuv's positive number.
pub(crate) fn from_os(os: i32) -> i32 {
    match os {
        winsock::WSAEACCES => EACCES,
        winsock::WSAEADDRINUSE => EADDRINUSE,
        winsock::WSAEADDRNOTAVAIL => EADDRNOTAVAIL,
        winsock::WSAEAFNOSUPPORT => EAFNOSUPPORT,
        winsock::WSAEALREADY => EALREADY,
        winsock::WSAECONNABORTED => ECONNABORTED,
        winsock::WSAECONNREFUSED => ECONNREFUSED,
        winsock::WSAECONNRESET => ECONNRESET,
        winsock::WSAEFAULT => EFAULT,
        winsock::WSAEHOSTUNREACH => EHOSTUNREACH,
        winsock::WSAEINTR => ECANCELED,
        winsock::WSAEINVAL | winsock::WSAEPFNOSUPPORT => EINVAL,
        winsock::WSAEISCONN => EISCONN,
        winsock::WSAEMFILE => EMFILE,
        winsock::WSAEMSGSIZE => EMSGSIZE,
        winsock::WSAENETUNREACH => ENETUNREACH,
        winsock::WSAENOBUFS => ENOBUFS,
        winsock::WSAENOTCONN => ENOTCONN,
        winsock::WSAENOTSOCK => ENOTSOCK,
        winsock::WSAEOPNOTSUPP => ENOTSUP,
        winsock::WSAESHUTDOWN => EPIPE,
        winsock::WSAETIMEDOUT => ETIMEDOUT,
        winsock::WSAEWOULDBLOCK => EAGAIN,
        other => u32::try_from(other).map_or(UNKNOWN, from_win32),
    }
}

fn from_win32(code: u32) -> i32 {
    match code {
        win32::ERROR_NOACCESS | win32::ERROR_ELEVATION_REQUIRED => EACCES,
        win32::ERROR_ADDRESS_ALREADY_ASSOCIATED => EADDRINUSE,
        win32::ERROR_INVALID_HANDLE | win32::ERROR_INVALID_FLAGS => EBADF,
        win32::ERROR_LOCK_VIOLATION | win32::ERROR_PIPE_BUSY | win32::ERROR_SHARING_VIOLATION => EBUSY,
        win32::ERROR_OPERATION_ABORTED => ECANCELED,
        win32::ERROR_CONNECTION_ABORTED => ECONNABORTED,
        win32::ERROR_CONNECTION_REFUSED => ECONNREFUSED,
        win32::ERROR_NETNAME_DELETED => ECONNRESET,
        win32::ERROR_BUFFER_OVERFLOW => EFAULT,
        win32::ERROR_HOST_UNREACHABLE => EHOSTUNREACH,
        win32::ERROR_INSUFFICIENT_BUFFER | win32::ERROR_INVALID_DATA | win32::ERROR_INVALID_PARAMETER => {
            EINVAL
        }
        win32::ERROR_TOO_MANY_OPEN_FILES => EMFILE,
        win32::ERROR_FILENAME_EXCED_RANGE => ENAMETOOLONG,
        win32::ERROR_NETWORK_UNREACHABLE => ENETUNREACH,
        win32::ERROR_BAD_PATHNAME
        | win32::ERROR_DIRECTORY
        | win32::ERROR_FILE_NOT_FOUND
        | win32::ERROR_INVALID_DRIVE
        | win32::ERROR_INVALID_NAME
        | win32::ERROR_MOD_NOT_FOUND
        | win32::ERROR_PATH_NOT_FOUND => ENOENT,
        win32::ERROR_NOT_ENOUGH_MEMORY | win32::ERROR_OUTOFMEMORY => ENOMEM,
        win32::ERROR_CALL_NOT_IMPLEMENTED => ENOSYS,
        win32::ERROR_NOT_CONNECTED => ENOTCONN,
        win32::ERROR_NOT_SUPPORTED => ENOTSUP,
        win32::ERROR_BROKEN_PIPE => EOF,
        win32::ERROR_ACCESS_DENIED | win32::ERROR_PRIVILEGE_NOT_HELD => EPERM,
        win32::ERROR_BAD_PIPE | win32::ERROR_NO_DATA | win32::ERROR_PIPE_NOT_CONNECTED => EPIPE,
        win32::ERROR_SEM_TIMEOUT => ETIMEDOUT,
        _ => UNKNOWN,
    }
}

/// An error by its Win32 code.
pub(super) fn os_error(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}
